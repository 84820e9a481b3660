/*
 * Goal of this test: what is carried by hand gets whole onto a stick with FAT, under one name, and
 * replaces nothing there, in whatever case a name is written; a name that FAT does not have and a
 * file that is too long are known before anything is written; a stick that gives back other bytes
 * than were written is found out, its file is removed, and nothing counts as sent.
 */
#include "core/file.h"
#include "sync/backup.h"
#include "sync/export.h"
#include "sync/invite.h"
#include "tests/support/exchange.h"
#include "tests/support/fat.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sk_world *world;
static char *stick;

static int setup(void **state)
{
    if (sk_world_setup(state) != 0)
        return -1;
    world = *state;
    sk_world_pair(world);
    char *given = sk_temp_path(world->dir, "stick");
    EXPECT_OK(sk_dir_create(given, &sk_test_err));
    stick = realpath(given, NULL);
    free(given);
    assert_non_null(stick);
    /* A first bundle went another way; the archive knows the device by it. */
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "one");
    (void)sk_world_export(world, 0, "before");
    (void)sk_world_import(world, 0, "before");
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "two");
    sk_fat_begin(stick);
    return 0;
}

static int teardown(void **state)
{
    sk_fat_end();
    free(stick);
    stick = NULL;
    return sk_world_teardown(state);
}

/* The names on the stick, sorted, a blank before each; valid until the next call. */
static const char *names(void)
{
    static char out[1024];
    struct dirent **list = NULL;
    int count = scandir(stick, &list, NULL, alphasort);
    assert_true(count >= 0);
    out[0] = '\0';
    for (int i = 0; i < count; i++) {
        size_t len = strlen(out);
        if (list[i]->d_name[0] != '.' || strlen(list[i]->d_name) > 2)
            (void)snprintf(out + len, sizeof(out) - len, " %s", list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return out;
}

static const char *at(const char *name)
{
    char below[128];
    (void)snprintf(below, sizeof(below), "stick/%s", name);
    return sk_world_path(world, below);
}

static enum sk_status export_to(const char *name, struct sk_export_result *out)
{
    return sk_export(world->device[0].store, at(name), SK_EXPORT_NEW, NULL, out, &sk_test_err);
}

static enum sk_status receipt_to(const char *name)
{
    char code[SK_CODE_LEN];
    return sk_receipt_write(world->archive[0].store, 1, at(name), code, &sk_test_err);
}

/* The words are checked elsewhere. */
static enum sk_status invite_to(const char *name, const char *alias)
{
    return sk_invite_issue(world->archive[0].store, alias, "one two three", at(name), &sk_test_err);
}

static enum sk_status backup_to(const char *name)
{
    static const struct sk_unlock unlock = {.passphrase = (const uint8_t *)"correct horse",
                                            .passphrase_len = 13};
    uint64_t bytes = 0;
    enum sk_status status =
        sk_backup(world->device[0].store, &unlock, at(name), NULL, &bytes, &sk_test_err);
    struct sk_error said = sk_test_err;
    sk_test_reopen(&world->device[0]);
    sk_test_err = said;
    return status;
}

static void everything_that_is_carried_gets_there(void **state)
{
    (void)state;
    struct sk_export_result sent;
    EXPECT_OK(export_to("bundle.skb", &sent));
    assert_string_equal(names(), " BUNDLE.SKB");
    assert_true(sent.from_medium);
    struct sk_import_result taken = sk_world_import(world, 0, "stick/Bundle.Skb");
    assert_int_equal(taken.entries_new, 1);
    EXPECT_OK(receipt_to("reply"));
    EXPECT_OK(invite_to("letter", "heron"));
    EXPECT_OK(backup_to("kept"));
    assert_string_equal(names(), " BUNDLE.SKB KEPT LETTER REPLY");
    struct sk_receipt_result receipt;
    EXPECT_OK(sk_receipt_take(world->device[0].store, at("REPLY"), &receipt, &sk_test_err));
    assert_int_equal(receipt.arrived, 2);
    sk_receipt_result_clear(&receipt);
    assert_string_equal(sk_world_status(world->device[0].store, 0), "0-2|||");
}

/* The same name in another case is the same name. */
static void nothing_is_replaced(void **state)
{
    (void)state;
    struct sk_export_result sent;
    char *there = sk_temp_path(stick, "MINE.TXT");
    size_t len = 0;
    sk_temp_write(there, "mine", 4);
    EXPECT(SK_CREATE, export_to("mine.txt", &sent));
    EXPECT(SK_CREATE, receipt_to("mine.txt"));
    EXPECT(SK_CREATE, invite_to("Mine.Txt", "heron"));
    EXPECT(SK_CREATE, backup_to("mine.TXT"));
    uint8_t *bytes = sk_temp_read(there, &len);
    assert_int_equal(len, 4);
    assert_memory_equal(bytes, "mine", 4);
    free(bytes);
    assert_string_equal(names(), " MINE.TXT");
    EXPECT_OK(export_to("mine2.txt", &sent));
    assert_int_equal(sent.number, 2);
    free(there);
}

/* Where somebody made the file meanwhile. */
static void a_name_that_is_taken_meanwhile_is_left_alone(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    char *there = sk_temp_path(stick, "NAME");
    EXPECT_OK(sk_file_create_beside(&file, at("name"), &sk_test_err));
    EXPECT_OK(sk_file_write(file, "ours", 4, &sk_test_err));
    sk_temp_write(there, "theirs", 6);
    EXPECT(SK_CREATE, sk_file_publish(file, false, &sk_test_err));
    sk_file_close(file);
    file = NULL;
    size_t len = 0;
    uint8_t *bytes = sk_temp_read(there, &len);
    assert_int_equal(len, 6);
    assert_string_equal(names(), " NAME");
    free(bytes);
    free(there);
}

static void a_name_that_fat_does_not_have_costs_nothing(void **state)
{
    (void)state;
    static const char *const impossible[] = {"a:b", "what?", "*", "\"x\"", "a\\b", "a|b", "\x01"};
    struct sk_export_result sent;
    for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
        EXPECT(SK_CREATE, export_to(impossible[i], &sent));
        assert_non_null(strstr(sk_test_err.text, "the medium takes no such name"));
        EXPECT(SK_CREATE, receipt_to(impossible[i]));
        EXPECT(SK_CREATE, invite_to(impossible[i], "heron"));
        EXPECT(SK_CREATE, backup_to(impossible[i]));
        assert_string_equal(names(), "");
    }
    EXPECT_OK(export_to("[a] b;c=d,e+f.g", &sent));
    assert_int_equal(sent.number, 2);
    assert_string_equal(names(), " [A] B;C=D,E+F.G");
    /* Other file systems have such names. */
    EXPECT_OK(sk_export(world->device[0].store, sk_world_path(world, "a:b"), 0, NULL, &sent,
                        &sk_test_err));
}

static void a_file_that_fat_cannot_hold_is_known_before(void **state)
{
    (void)state;
    sk_auto_file file = NULL;
    EXPECT_OK(sk_file_create_beside(&file, at("name"), &sk_test_err));
    EXPECT(SK_LIMIT, sk_file_reserve(file, 1ull << 32, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "FAT ends at 4 GiB"));
    EXPECT_OK(sk_file_reserve(file, 1000, &sk_test_err));
}

static void a_stick_that_lies_is_found_out(void **state)
{
    (void)state;
    static const enum sk_fat_lie lies[] = {SK_FAT_FLIPS, SK_FAT_DROPS, SK_FAT_CUTS, SK_FAT_FORGETS};
    struct sk_export_result sent;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        sk_fat_lies(lies[i]);
        EXPECT(SK_IO, export_to("bundle", &sent));
        assert_string_equal(sk_world_status(world->device[0].store, 0), "|0-1|1-2|");
        EXPECT(SK_IO, receipt_to("reply"));
        EXPECT(SK_IO, invite_to("letter", "heron"));
        EXPECT(SK_IO, backup_to("kept"));
        sk_fat_lies(SK_FAT_HONEST);
        assert_string_equal(names(), "");
    }
    /* Then everything goes on, also under the same names. */
    EXPECT_OK(export_to("bundle", &sent));
    struct sk_import_result taken = sk_world_import(world, 0, "stick/bundle");
    assert_int_equal(taken.entries_new, 1);
    EXPECT_OK(receipt_to("reply"));
    EXPECT_OK(invite_to("letter", "heron"));
    EXPECT_OK(backup_to("kept"));
}

static void what_may_have_come_from_memory_is_told(void **state)
{
    (void)state;
    struct sk_export_result sent;
    sk_fat_stays_in_memory(true);
    EXPECT_OK(export_to("bundle", &sent));
    assert_false(sent.from_medium);
    assert_string_equal(sk_world_status(world->device[0].store, 0), "|0-2||");
}

int main(void)
{
#define ON_STICK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ON_STICK(everything_that_is_carried_gets_there),
        ON_STICK(nothing_is_replaced),
        ON_STICK(a_name_that_is_taken_meanwhile_is_left_alone),
        ON_STICK(a_name_that_fat_does_not_have_costs_nothing),
        ON_STICK(a_file_that_fat_cannot_hold_is_known_before),
        ON_STICK(a_stick_that_lies_is_found_out),
        ON_STICK(what_may_have_come_from_memory_is_told),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
