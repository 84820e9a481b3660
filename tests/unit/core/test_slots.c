/*
 * Goal of this test: slots are added, changed and removed one by one, each opens the store and none
 * else does; the slot that opened the store never goes; recovery words are asked for no more often
 * than needed; a change that fails leaves the file as it was.
 */
#include "core/slots.h"

#include "core/store_internal.h"
#include "tests/support/stores.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static const uint8_t second_text[] = "second horse";
static const uint8_t third_text[] = "third horse";
static const uint8_t twelve[] = "baba bebe bibi bobo bubu dada zuzu tata mimi lolo nono pepe";
static const uint8_t others[] = "pepe nono lolo mimi tata zuzu dada bubu bobo bibi bebe baba";
static const struct sk_unlock second = {second_text, sizeof(second_text) - 1, NULL};
static const struct sk_unlock third = {third_text, sizeof(third_text) - 1, NULL};
static const struct sk_unlock typed = {twelve, sizeof(twelve) - 1, NULL};
static const struct sk_words words = {twelve, sizeof(twelve) - 1};
static const struct sk_words wrong_words = {others, sizeof(others) - 1};

static enum sk_status open_by(struct sk_test_store *at, const struct sk_unlock *unlock,
                              const struct sk_words *by)
{
    struct sk_store_options options = sk_test_options(at->path, at->kind);
    if (unlock)
        options.unlock = unlock;
    options.words = by;
    return sk_store_open(&at->store, &options, NULL);
}

static void reopen_by(struct sk_test_store *at, const struct sk_unlock *unlock,
                      const struct sk_words *by)
{
    if (at->store)
        sk_test_close(at);
    EXPECT_OK(open_by(at, unlock, by));
}

static void assert_refused(struct sk_test_store *at, const struct sk_unlock *unlock,
                           const struct sk_words *by)
{
    if (at->store)
        sk_test_close(at);
    assert_int_equal(open_by(at, unlock, by), SK_WRONG_KEY);
    assert_null(at->store);
}

/* "1 passphrase *, 3 recovery words": the star is at the one that opened. */
static void assert_slots(const struct sk_test_store *at, const char *expected)
{
    struct sk_slot slots[SK_SLOT_COUNT];
    char text[400] = "";
    unsigned count = sk_slots(at->store, slots);
    for (unsigned i = 0; i < count; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u %s%s", i ? ", " : "",
                       slots[i].number, sk_slot_kind_name(slots[i].kind),
                       slots[i].opened ? " *" : "");
    assert_string_equal(text, expected);
}

static void test_added_and_removed(void **state)
{
    struct sk_test_store *at = *state;
    uint8_t hash[32];
    unsigned number = 0;
    sk_key_file_hash(hash, "key", 3);
    const struct sk_unlock with_file = {second_text, sizeof(second_text) - 1, hash};

    assert_slots(at, "1 passphrase *");
    EXPECT_OK(sk_slot_add(at->store, NULL, &words, &number, &sk_test_err));
    assert_int_equal(number, 2);
    EXPECT_OK(sk_slot_add(at->store, &with_file, NULL, &number, &sk_test_err));
    assert_int_equal(number, 3);
    EXPECT_OK(sk_slot_add(at->store, &third, NULL, &number, &sk_test_err));
    assert_slots(at, "1 passphrase *, 2 recovery words, 3 passphrase with key file, 4 passphrase");

    reopen_by(at, &with_file, NULL);
    assert_slots(at, "1 passphrase, 2 recovery words, 3 passphrase with key file *, 4 passphrase");
    assert_refused(at, &second, NULL);
    assert_refused(at, &typed, NULL);
    assert_refused(at, &typed, &wrong_words);
    reopen_by(at, &typed, &words);
    assert_slots(at, "1 passphrase, 2 recovery words *, 3 passphrase with key file, 4 passphrase");

    EXPECT(SK_REFUSED, sk_slot_remove(at->store, 2, &sk_test_err));
    EXPECT(SK_MISSING, sk_slot_remove(at->store, 5, &sk_test_err));
    EXPECT(SK_MISSING, sk_slot_remove(at->store, 0, &sk_test_err));
    EXPECT(SK_MISSING, sk_slot_remove(at->store, 9, &sk_test_err));
    EXPECT_OK(sk_slot_remove(at->store, 1, &sk_test_err));
    EXPECT_OK(sk_slot_remove(at->store, 4, &sk_test_err));
    assert_slots(at, "2 recovery words *, 3 passphrase with key file");
    assert_refused(at, NULL, NULL);
    assert_refused(at, &third, NULL);

    /* A free place is filled again. */
    reopen_by(at, &with_file, NULL);
    EXPECT_OK(sk_slot_add(at->store, &third, NULL, &number, &sk_test_err));
    assert_int_equal(number, 1);
    EXPECT_OK(sk_slot_remove(at->store, 2, &sk_test_err));
    EXPECT_OK(sk_slot_remove(at->store, 1, &sk_test_err));
    EXPECT(SK_REFUSED, sk_slot_remove(at->store, 3, &sk_test_err));
    assert_slots(at, "3 passphrase with key file *");
    assert_refused(at, &typed, &words);
}

static void test_all_taken(void **state)
{
    struct sk_test_store *at = *state;
    unsigned number = 0;
    for (unsigned i = 2; i <= SK_SLOT_COUNT; i++) {
        EXPECT_OK(sk_slot_add(at->store, NULL, &words, &number, &sk_test_err));
        assert_int_equal(number, i);
    }
    EXPECT(SK_LIMIT, sk_slot_add(at->store, &second, NULL, &number, &sk_test_err));
    EXPECT_OK(sk_slot_remove(at->store, 5, &sk_test_err));
    EXPECT_OK(sk_slot_add(at->store, &second, NULL, &number, &sk_test_err));
    assert_int_equal(number, 5);
    reopen_by(at, &second, NULL);
}

/* A passphrase that happens to be twelve words of the list still opens. */
static void test_a_passphrase_of_words(void **state)
{
    struct sk_test_store *at = *state;
    unsigned number = 0;
    EXPECT_OK(sk_slot_add(at->store, &typed, NULL, &number, &sk_test_err));
    reopen_by(at, &typed, &words);
    assert_slots(at, "1 passphrase, 2 passphrase *");
    EXPECT_OK(sk_slot_add(at->store, NULL, &words, &number, &sk_test_err));
    reopen_by(at, &typed, &words);
    assert_slots(at, "1 passphrase, 2 passphrase, 3 recovery words *");
}

static void test_change_of_each_kind(void **state)
{
    struct sk_test_store *at = *state;
    uint8_t hash[32];
    unsigned number = 0;
    sk_key_file_hash(hash, "key", 3);
    const struct sk_unlock with_file = {second_text, sizeof(second_text) - 1, hash};

    EXPECT_OK(sk_slot_add(at->store, NULL, &words, &number, &sk_test_err));
    EXPECT_OK(sk_store_change_passphrase(at->store, &with_file, &sk_test_err));
    assert_slots(at, "1 passphrase with key file *, 2 recovery words");
    assert_refused(at, NULL, NULL);
    reopen_by(at, &with_file, NULL);
    EXPECT_OK(sk_store_change_passphrase(at->store, &second, &sk_test_err));
    reopen_by(at, &second, NULL);

    /* Forgotten: by the words, the one passphrase gets a successor, and the words stay. */
    reopen_by(at, &typed, &words);
    EXPECT_OK(sk_store_change_passphrase(at->store, &third, &sk_test_err));
    assert_slots(at, "1 passphrase, 2 recovery words *");
    assert_refused(at, &second, NULL);
    reopen_by(at, &third, NULL);

    /* Of several it is not known which; and where there is none, one comes. */
    EXPECT_OK(sk_slot_add(at->store, &second, NULL, &number, &sk_test_err));
    reopen_by(at, &typed, &words);
    EXPECT(SK_REFUSED, sk_store_change_passphrase(at->store, &third, &sk_test_err));
    EXPECT_OK(sk_slot_remove(at->store, 1, &sk_test_err));
    EXPECT_OK(sk_slot_remove(at->store, 3, &sk_test_err));
    assert_slots(at, "2 recovery words *");
    EXPECT_OK(sk_store_change_passphrase(at->store, &third, &sk_test_err));
    assert_slots(at, "1 passphrase, 2 recovery words *");
    reopen_by(at, &third, NULL);
}

/* The parameters of an insecure slot are known; a slot that costs shows itself as insecure or not.
 */
static void test_slots_are_as_slow_as_the_store(void **state)
{
    struct sk_test_store *at = *state;
    unsigned number = 0;
    EXPECT_OK(sk_slot_add(at->store, &second, NULL, &number, &sk_test_err));
    EXPECT_OK(sk_slot_add(at->store, NULL, &words, &number, &sk_test_err));
    for (unsigned slot = 1; slot < 3; slot++)
        assert_memory_equal(at->store->keys.bytes + 40 + slot * SK_SLOT_LEN + 4,
                            at->store->keys.bytes + 40 + 4, 12);
}

static void test_what_fails_changes_nothing(void **state)
{
    struct sk_test_store *at = *state;
    unsigned number = 0;
    size_t len, now_len;
    sk_auto_free char *path = sk_temp_path(at->path, SK_KEYS_FILE);
    EXPECT_OK(sk_slot_add(at->store, NULL, &words, &number, &sk_test_err));
    uint8_t *before = sk_temp_read(path, &len);
    const struct sk_keys held = at->store->keys;

    /* No file may grow to more than 500 bytes. */
    struct rlimit unlimited, tight;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    tight = (struct rlimit){500, unlimited.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    EXPECT(SK_FULL, sk_slot_add(at->store, &second, NULL, &number, &sk_test_err));
    EXPECT(SK_FULL, sk_slot_remove(at->store, 2, &sk_test_err));
    EXPECT(SK_FULL, sk_store_change_passphrase(at->store, &second, &sk_test_err));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    assert_memory_equal(&at->store->keys, &held, sizeof(held));
    uint8_t *now = sk_temp_read(path, &now_len);
    assert_int_equal(len, now_len);
    assert_memory_equal(before, now, len);
    free(before);
    free(now);
    reopen_by(at, NULL, NULL);
    assert_slots(at, "1 passphrase *, 2 recovery words");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)

int main(void)
{
    (void)signal(SIGXFSZ, SIG_IGN); /* as the programs do */
    const struct CMUnitTest tests[] = {
        TEST(test_added_and_removed),
        TEST(test_all_taken),
        TEST(test_a_passphrase_of_words),
        TEST(test_change_of_each_kind),
        TEST(test_slots_are_as_slow_as_the_store),
        TEST(test_what_fails_changes_nothing),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
