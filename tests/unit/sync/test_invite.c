/*
 * Goal of this test: an invite opens with its words, however they are typed, and with no others;
 * what is in it is what the format document says and its archive signed; both ends become a pair
 * whose chains fit, or nothing changes.
 */
#include "sync/invite_parts.h"

#include "core/file.h"
#include "core/file_calls.h"
#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "sync/ratchet.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#define PLAIN_LEN    4040
#define SIGNATURE_AT 334

static const char words[] = "acid basket cider dune elbow fabric garlic hazel";
static const uint8_t seed[SK_SIGN_SEED_LEN] = {77};
static const uint8_t scalar[SK_DH_LEN] = {78};

/* One sealed invite, its key and its content, made once: each opening costs 256 MiB. */
static struct sk_invite invite;
static struct sk_buf sealed = SK_BUF_INIT;
static uint8_t key[32], plain[PLAIN_LEN];

/* An independent reading of the format document. */
static void open_as_documented(void)
{
    uint8_t slow[32], label[16] = "invite";
    crypto_generichash_state state;
    assert_int_equal(crypto_pwhash(slow, 32, words, strlen(words), sealed.bytes, 3,
                                   256ull * 1024 * 1024, crypto_pwhash_ALG_ARGON2ID13),
                     0);
    crypto_generichash_init(&state, slow, 32, 32);
    crypto_generichash_update(&state, label, 16);
    crypto_generichash_final(&state, key, 32);
    assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
                         plain, NULL, sealed.bytes + 16, PLAIN_LEN, sealed.bytes + 4080, NULL, 0,
                         sealed.bytes + 4056, key),
                     0);
}

static enum sk_status open_bytes(const uint8_t *bytes, const char *code)
{
    struct sk_invite back = {.name = "untouched"};
    sk_error_clear(&sk_test_err);
    enum sk_status status = sk_invite_open(&back, bytes, SK_INVITE_FILE_LEN, code, &sk_test_err);
    if (status == SK_OK)
        assert_memory_equal(&back, &invite, sizeof(invite));
    else
        assert_string_equal(back.name, "untouched");
    return status;
}

/* Reads changed content, signed again if so wanted. What is taken has no other form. */
static enum sk_status decode_changed(const uint8_t content[PLAIN_LEN], bool sign)
{
    uint8_t changed[PLAIN_LEN], again[PLAIN_LEN], message[17 + SIGNATURE_AT];
    struct sk_invite back = {.name = "untouched"};
    memcpy(changed, content, PLAIN_LEN);
    if (sign) {
        memcpy(message, "skrynia invite 1", 17);
        memcpy(message + 17, changed, SIGNATURE_AT);
        sk_sign(changed + SIGNATURE_AT, message, sizeof(message), seed);
    }
    sk_error_clear(&sk_test_err);
    enum sk_status status = sk_invite_decode(&back, changed, &sk_test_err);
    if (status == SK_OK) {
        sk_invite_encode(again, &back, seed);
        assert_memory_equal(again, changed, PLAIN_LEN);
    } else {
        assert_string_equal(back.name, "untouched");
        assert_int_not_equal(sk_test_err.text[0], 0);
    }
    return status;
}

static enum sk_status decode_with_byte(size_t at, uint8_t value, bool sign)
{
    uint8_t changed[PLAIN_LEN];
    memcpy(changed, plain, PLAIN_LEN);
    changed[at] = value;
    return decode_changed(changed, sign);
}

/* ---- the file ---- */

static void it_is_what_the_document_says(void **state)
{
    (void)state;
    assert_int_equal(sealed.len, SK_INVITE_FILE_LEN);
    assert_true(sk_invite_possible(sealed.len));
    assert_false(sk_invite_possible(sealed.len + 1));
    assert_false(sk_invite_possible(256 * 1024));
    assert_int_equal(sk_get_u32(plain), 1);
    assert_memory_equal(plain + 4, invite.dh_public, 32);
    assert_memory_equal(plain + 36, invite.sign_public, 32);
    assert_memory_equal(plain + 68, invite.psk, 32);
    assert_int_equal(plain[100], strlen(invite.name));
    assert_memory_equal(plain + 101, invite.name, strlen(invite.name));
    assert_int_equal(plain[201], strlen(invite.alias));
    assert_memory_equal(plain + 202, invite.alias, strlen(invite.alias));
    assert_memory_equal(plain + 302, invite.archive_id, 32);
    uint8_t message[17 + SIGNATURE_AT] = "skrynia invite 1";
    memcpy(message + 17, plain, SIGNATURE_AT);
    assert_int_equal(
        sk_sign_verify(plain + SIGNATURE_AT, message, sizeof(message), invite.sign_public), SK_OK);
    for (size_t i = 398; i < PLAIN_LEN; i++)
        assert_int_equal(plain[i], 0);
}

static void the_words_may_be_typed_in_many_ways(void **state)
{
    (void)state;
    assert_int_equal(open_bytes(sealed.bytes, words), SK_OK);
    assert_int_equal(
        open_bytes(sealed.bytes, "  Acid BASKET--cider\tdune - elbow   fabric-garlic\nhazel \r\n"),
        SK_OK);
}

static void other_words_do_not_open_it(void **state)
{
    (void)state;
    const char *const others[] = {"acid basket cider dune elbow fabric garlic", "",
                                  "acidbasket cider dune elbow fabric garlic hazel"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(open_bytes(sealed.bytes, others[i]), SK_WRONG_KEY);
}

static void every_part_of_the_file_counts(void **state)
{
    (void)state;
    const size_t parts[] = {0, 16, 2000, 4055, 4056, 4095};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        sealed.bytes[parts[i]] ^= 1;
        assert_int_equal(open_bytes(sealed.bytes, words), SK_WRONG_KEY);
        sealed.bytes[parts[i]] ^= 1;
    }
    struct sk_invite back;
    EXPECT(SK_DAMAGED, sk_invite_open(&back, sealed.bytes, 4095, words, &sk_test_err));
    EXPECT(SK_DAMAGED, sk_invite_open(&back, sealed.bytes, 0, words, &sk_test_err));
}

static void the_file_is_uniform(void **state)
{
    (void)state;
    double chi = 0, expected = SK_INVITE_FILE_LEN / 256.0;
    size_t counts[256] = {0};
    for (size_t i = 0; i < sealed.len; i++)
        counts[sealed.bytes[i]]++;
    for (size_t v = 0; v < 256; v++)
        chi += ((double)counts[v] - expected) * ((double)counts[v] - expected) / expected;
    assert_true(chi > 255 - 8 * 22.6 && chi < 255 + 8 * 22.6);
}

static void what_is_sealed_but_malformed_is_damage(void **state)
{
    (void)state;
    uint8_t bytes[SK_INVITE_FILE_LEN], changed[PLAIN_LEN];
    memcpy(bytes, sealed.bytes, 16);
    memcpy(changed, plain, PLAIN_LEN);
    changed[PLAIN_LEN - 1] = 1;
    sk_page_seal(bytes + 16, changed, PLAIN_LEN, NULL, 0, key);
    assert_int_equal(open_bytes(bytes, words), SK_DAMAGED);

    assert_int_equal(decode_changed(plain, true), SK_OK);
    assert_int_equal(decode_changed(plain, false), SK_OK);
    assert_int_equal(decode_with_byte(0, 0, true), SK_DAMAGED);
    assert_int_equal(decode_with_byte(0, 2, true), SK_CONFIG);
    assert_int_equal(decode_with_byte(4, (uint8_t)(plain[4] ^ 1), false), SK_DAMAGED);
    assert_int_equal(decode_with_byte(68, (uint8_t)(plain[68] ^ 1), false), SK_DAMAGED);
    assert_int_equal(decode_with_byte(SIGNATURE_AT, (uint8_t)(plain[SIGNATURE_AT] ^ 1), false),
                     SK_DAMAGED);
    assert_int_equal(decode_with_byte(36, (uint8_t)(plain[36] ^ 1), true), SK_DAMAGED);
    assert_int_equal(decode_with_byte(PLAIN_LEN - 1, 1, true), SK_DAMAGED);
    assert_int_equal(decode_with_byte(100, 0, true), SK_DAMAGED);
    assert_int_equal(decode_with_byte(100, SK_ALIAS_MAX + 1, true), SK_DAMAGED);
    assert_int_equal(decode_with_byte(201, 255, true), SK_DAMAGED);
    assert_int_equal(decode_with_byte(201, (uint8_t)(plain[201] - 1), true), SK_DAMAGED);
    assert_int_equal(decode_with_byte(200, 'x', true), SK_DAMAGED); /* behind the name's end */
    assert_int_equal(decode_with_byte(101, 0x1b, true), SK_DAMAGED);
    assert_int_equal(decode_with_byte(202, 0xff, true), SK_DAMAGED);
}

/* Every byte as 0, 1, a letter, 0xff and one bit off: refused, or another invite in its one form.
 */
static void every_byte_of_the_content_counts(void **state)
{
    (void)state;
    for (size_t at = 0; at < 430; at++) {
        const uint8_t values[] = {0, 1, 'n', 0xff, (uint8_t)(plain[at] ^ 0x10)};
        for (size_t i = 0; i < sizeof(values); i++) {
            enum sk_status status = decode_with_byte(at, values[i], true);
            bool same = values[i] == plain[at] || (at >= SIGNATURE_AT && at < 398);
            bool free_bytes =
                (at >= 4 && at < 36) || (at >= 68 && at < 100) || (at >= 302 && at < SIGNATURE_AT);
            bool in_name = (at > 100 && at <= 100 + strlen(invite.name)) ||
                           (at > 201 && at <= 201 + strlen(invite.alias));
            if (same || free_bytes)
                assert_int_equal(status, SK_OK);
            else if (at >= 36 && at < 68) /* another key than the one that signs */
                assert_int_equal(status, SK_DAMAGED);
            else if (at < 4)
                assert_true(status == SK_CONFIG || status == SK_DAMAGED);
            else if (!in_name)
                assert_int_equal(status, SK_DAMAGED);
        }
    }
}

static void names_that_cannot_be_shown_are_not_sealed(void **state)
{
    (void)state;
    sk_auto_buf out = SK_BUF_INIT;
    struct sk_invite bad = invite;
    bad.alias[0] = '\0';
    EXPECT(SK_USAGE, sk_invite_seal(&out, &bad, seed, words, &sk_test_err));
    bad = invite;
    memset(bad.name, 'x', sizeof(bad.name) - 1);
    memcpy(bad.name, "a\nb", 3);
    EXPECT(SK_USAGE, sk_invite_seal(&out, &bad, seed, words, &sk_test_err));
    EXPECT(SK_USAGE, sk_invite_seal(&out, &invite, seed, " - \n", &sk_test_err));
    assert_int_equal(out.len, 0);
}

/* ---- pairs ---- */

struct pair_stores {
    struct sk_test_store *archive;
    struct sk_store *device;
};

static int setup_pair(void **state)
{
    static struct pair_stores pair;
    void *archive = NULL;
    if (sk_test_archive(&archive))
        return -1;
    pair.archive = archive;
    pair.device = sk_test_make(sk_test_path(pair.archive, "device"), SK_STORE_DEVICE);
    *state = &pair;
    return pair.device ? 0 : -1;
}

static int teardown_pair(void **state)
{
    struct pair_stores *pair = *state;
    void *archive = pair->archive;
    (void)sk_store_close(pair->device, NULL);
    return sk_test_remove(&archive);
}

/* The keys of index 0 of a pair's chain. */
static void first_keys(struct sk_store *store, const char *sql, struct sk_slot_keys *keys)
{
    uint64_t index;
    EXPECT_OK(sk_db_begin(sk_store_db(store), &sk_test_err));
    EXPECT_OK(sk_chain_take(store, sk_test_sql_int(store, sql), &index, keys, &sk_test_err));
    sk_db_rollback(sk_store_db(store));
    assert_int_equal(index, 0);
}

static const char send_sql[] = "SELECT send FROM peer";
static const char receive_sql[] = "SELECT receive FROM peer";

static void both_ends_become_a_pair(void **state)
{
    struct pair_stores *pair = *state;
    struct sk_store *archive = pair->archive->store;
    const char *path = sk_test_path(pair->archive, "invite");
    struct sk_slot_keys here, there;
    sk_auto_buf file = SK_BUF_INIT;
    char name[SK_ALIAS_MAX + 1];

    EXPECT_OK(sk_invite_issue(archive, "heron", words, path, &sk_test_err));
    EXPECT_OK(sk_file_load(&file, path, 10000, &sk_test_err));
    EXPECT_OK(sk_invite_accept(pair->device, file.bytes, file.len, words, name, &sk_test_err));
    assert_string_equal(name, sk_store_name(archive));

    first_keys(pair->device, send_sql, &here);
    first_keys(archive, receive_sql, &there);
    assert_memory_equal(&here, &there, sizeof(here));
    first_keys(pair->device, receive_sql, &here);
    first_keys(archive, send_sql, &there);
    assert_memory_equal(&here, &there, sizeof(here));

    sk_auto_stmt row = NULL;
    bool found;
    uint8_t bytes[32];
    EXPECT_OK(sk_db_prepare(sk_store_db(pair->device), &row,
                            "SELECT archive_id, dh_public, sign_public, alias FROM peer",
                            &sk_test_err));
    EXPECT_OK(sk_step(row, &found, &sk_test_err));
    EXPECT_OK(sk_column_copy(row, 0, bytes, 32, &sk_test_err));
    assert_memory_equal(bytes, sk_store_id(archive), 32);
    EXPECT_OK(sk_column_copy(row, 1, bytes, 32, &sk_test_err));
    assert_memory_equal(bytes, sk_store_dh_public(archive), 32);
    EXPECT_OK(sk_column_copy(row, 2, bytes, 32, &sk_test_err));
    assert_memory_equal(bytes, sk_store_sign_public(archive), 32);
    assert_string_equal(sk_column_text(row, 3), name);
    sk_stmt_done(row);
    row = NULL;

    /* Once is enough; and the alias is taken. */
    EXPECT(SK_REFUSED,
           sk_invite_accept(pair->device, file.bytes, file.len, words, name, &sk_test_err));
    EXPECT(SK_REFUSED, sk_invite_issue(archive, "heron", words,
                                       sk_test_path(pair->archive, "other"), &sk_test_err));
    assert_int_equal(sk_test_sql_int(pair->device, "SELECT count(*) FROM peer"), 1);
    assert_int_equal(sk_test_sql_int(archive, "SELECT count(*) FROM peer"), 1);
    assert_int_equal(sk_test_sql_int(archive, "SELECT count(*) FROM chain"), 2);
    assert_int_equal(sk_test_sql_int(archive, "SELECT count(*) FROM peer WHERE archive_id IS NULL "
                                              "AND dh_public IS NULL AND log IS NULL AND "
                                              "number = 0 AND exported = x'' AND notice = ''"),
                     1);
}

static void assert_not_issued(struct pair_stores *pair, const char *alias, const char *path,
                              enum sk_status want)
{
    EXPECT(want, sk_invite_issue(pair->archive->store, alias, words, path, &sk_test_err));
    assert_int_equal(sk_test_sql_int(pair->archive->store, "SELECT count(*) FROM peer"), 0);
    assert_int_equal(sk_test_sql_int(pair->archive->store, "SELECT count(*) FROM chain"), 0);
}

static int fsync_of_files(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    if (!S_ISDIR(st.st_mode))
        return sk_system_calls.fsync(fd);
    errno = EIO;
    return -1;
}

static int unlink_fails(const char *path)
{
    (void)path;
    errno = EIO;
    return -1;
}

static int lstat_fails(const char *path, struct stat *out)
{
    (void)path, (void)out;
    errno = EIO;
    return -1;
}

/* Whoever has such an invite must have a pair that answers. */
static void an_invite_that_may_be_there_keeps_its_pair(void **state)
{
    struct pair_stores *pair = *state;
    struct sk_file_calls calls = sk_system_calls;
    const char *path = sk_test_path(pair->archive, "i");
    calls.fsync = fsync_of_files;
    calls.unlink = unlink_fails;
    calls.lstat = lstat_fails;
    sk_file_use_calls(&calls);
    enum sk_status status =
        sk_invite_issue(pair->archive->store, "heron", words, path, &sk_test_err);
    sk_file_use_calls(NULL);
    assert_int_equal(status, SK_IO);
    assert_true(sk_file_exists(path));
    assert_int_equal(sk_test_sql_int(pair->archive->store, "SELECT count(*) FROM peer"), 1);
}

static void a_failure_leaves_no_pair_behind(void **state)
{
    struct pair_stores *pair = *state;
    char long_name[300], alias[SK_ALIAS_MAX + 2] = "";
    memset(long_name, 'n', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    memset(alias, 'a', sizeof(alias) - 1);
    unsigned files = sk_test_count_files(pair->archive->dir);

    assert_not_issued(pair, "", sk_test_path(pair->archive, "i"), SK_USAGE);
    assert_not_issued(pair, alias, sk_test_path(pair->archive, "i"), SK_USAGE);
    assert_not_issued(pair, "a\x1b[2Jb", sk_test_path(pair->archive, "i"), SK_USAGE);
    assert_not_issued(pair,
                      "a\xe2\x80\xae"
                      "b",
                      sk_test_path(pair->archive, "i"), SK_USAGE);
    assert_not_issued(pair, "heron", sk_test_path(pair->archive, "no/such/folder"), SK_CREATE);
    /* Fails at the very last step, after the pair was made durable. */
    assert_not_issued(pair, "heron", sk_test_path(pair->archive, long_name), SK_CREATE);
    sk_test_write(sk_test_path(pair->archive, "taken"), 5);
    assert_not_issued(pair, "heron", sk_test_path(pair->archive, "taken"), SK_CREATE);
    assert_int_equal(sk_test_count_files(pair->archive->dir), files + 1);
}

static void only_archives_invite_and_only_devices_accept(void **state)
{
    struct pair_stores *pair = *state;
    char name[SK_ALIAS_MAX + 1];
    EXPECT(SK_CONFIG, sk_invite_issue(pair->device, "heron", words,
                                      sk_test_path(pair->archive, "i"), &sk_test_err));
    EXPECT(SK_CONFIG, sk_invite_accept(pair->archive->store, sealed.bytes, sealed.len, words, name,
                                       &sk_test_err));
    assert_false(sk_file_exists(sk_test_path(pair->archive, "i")));
}

/* Seven rows are made without their slow invites; the eighth is real, the ninth refused. */
static void eight_archives_and_no_more(void **state)
{
    struct pair_stores *pair = *state;
    struct sk_invite other = invite;
    sk_test_sql(pair->device,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7) "
                "INSERT INTO peer(alias, archive_id, send, receive, number, exported, "
                "acknowledged, wanted, receipt, notice) "
                "SELECT 'a', CAST(i AS BLOB), 0, 0, 0, x'', x'', x'', '', '' FROM n");
    EXPECT_OK(sk_invite_add_archive(pair->device, &invite, &sk_test_err));
    other.archive_id[5] ^= 1;
    EXPECT(SK_REFUSED, sk_invite_add_archive(pair->device, &other, &sk_test_err));
    assert_int_equal(sk_test_sql_int(pair->device, "SELECT count(*) FROM peer"), 8);
}

static void an_archive_with_an_unusable_key_is_refused(void **state)
{
    struct pair_stores *pair = *state;
    sk_auto_buf another = SK_BUF_INIT;
    struct sk_invite other = invite;
    char name[SK_ALIAS_MAX + 1] = "untouched";
    memset(other.dh_public, 0, sizeof(other.dh_public));
    EXPECT_OK(sk_invite_seal(&another, &other, seed, words, &sk_test_err));
    EXPECT(SK_DAMAGED,
           sk_invite_accept(pair->device, another.bytes, another.len, words, name, &sk_test_err));
    assert_string_equal(name, "untouched");
    assert_int_equal(sk_test_sql_int(pair->device, "SELECT count(*) FROM peer"), 0);
}

static int setup(void **state)
{
    if (sk_test_begin(state))
        return -1;
    sk_sign_public(invite.sign_public, seed);
    sk_dh_public(invite.dh_public, scalar);
    sk_random(invite.psk, sizeof(invite.psk));
    memcpy(invite.name, "Archive \xd0\xb0", 10);
    memcpy(invite.alias, "heron", 5);
    if (sk_invite_seal(&sealed, &invite, seed, "ACID basket-cider dune elbow fabric garlic hazel",
                       NULL))
        return -1;
    open_as_documented();
    return 0;
}

static int teardown(void **state)
{
    sk_buf_clear(&sealed);
    sk_invite_clear(&invite);
    return sk_test_end(state);
}

#define ON_PAIR(test) cmocka_unit_test_setup_teardown(test, setup_pair, teardown_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_what_the_document_says),
        cmocka_unit_test(the_words_may_be_typed_in_many_ways),
        cmocka_unit_test(other_words_do_not_open_it),
        cmocka_unit_test(every_part_of_the_file_counts),
        cmocka_unit_test(the_file_is_uniform),
        cmocka_unit_test(what_is_sealed_but_malformed_is_damage),
        cmocka_unit_test(every_byte_of_the_content_counts),
        cmocka_unit_test(names_that_cannot_be_shown_are_not_sealed),
        ON_PAIR(both_ends_become_a_pair),
        ON_PAIR(an_invite_that_may_be_there_keeps_its_pair),
        ON_PAIR(a_failure_leaves_no_pair_behind),
        ON_PAIR(only_archives_invite_and_only_devices_accept),
        ON_PAIR(eight_archives_and_no_more),
        ON_PAIR(an_archive_with_an_unusable_key_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
