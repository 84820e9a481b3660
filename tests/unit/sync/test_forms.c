/*
 * Goal of this test: a form that an archive offers reaches a device with a receipt, and goes into
 * its log before the records that need it; what an archive shows of them depends on what it holds,
 * and not on the order in which it came; versions never go back, whatever receipt comes; two
 * archives that use one name do not get into each other's way; and a store that lost a form in a
 * repair gets it back with the next receipt.
 */
#include "core/form_log.h"
#include "core/form_offer.h"
#include "core/item_internal.h"
#include "core/revoke.h"
#include "sync/receipt_forms.h"
#include "tests/support/exchange.h"
#include "tests/support/heir.h"
#include "tests/support/lineage.h"
#include "tests/support/own_form.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARKS "SELECT count(*) FROM malformed"
#define SHOWN "SELECT count(*) FROM item WHERE shown <> 0 AND type <= 6"

/* Receives what the archive offers; "name version,... -gone,..." of what is new and what went. */
static const char *receive(struct sk_world *world, unsigned archive, const char *name)
{
    static char told[600];
    struct sk_receipt_result result = sk_world_receipt(world, archive, 1, 0, name);
    size_t i;
    json_t *form;
    told[0] = '\0';
    json_array_foreach(result.forms, i, form)
    {
        size_t len = strlen(told);
        (void)snprintf(told + len, sizeof(told) - len, "%s %lld,",
                       json_string_value(json_object_get(form, "form")),
                       (long long)json_integer_value(json_object_get(form, "version")));
    }
    json_array_foreach(result.forms_gone, i, form)
    {
        size_t len = strlen(told);
        (void)snprintf(told + len, sizeof(told) - len, "-%s,", json_string_value(form));
    }
    size_t len = strlen(told);
    (void)snprintf(told + len, sizeof(told) - len, "%s", result.notes);
    sk_receipt_result_clear(&result);
    sk_world_verify(world->device[0].store);
    return told;
}

static struct sk_own_form *usable(struct sk_store *device, const char *name)
{
    struct sk_own_form *own = NULL;
    EXPECT_OK(sk_usable_form_find(device, name, &own, &sk_test_err));
    return own;
}

static void import(struct sk_world *world, unsigned archive, const char *name)
{
    struct sk_import_result in = sk_world_import(world, archive, name);
    assert_false(in.fork || in.waiting);
    sk_import_result_clear(&in);
    sk_world_verify(world->archive[archive].store);
}

static void send(struct sk_world *world, unsigned archive, const char *name)
{
    (void)sk_world_export(world, 0, name);
    import(world, archive, name);
}

static void stop(struct sk_store *archive, const char *name)
{
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, archive, &sk_test_err));
    EXPECT_OK(sk_offer_stop(archive, 0, name, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

/* ---- receipts ---- */

/* One device and one archive, which has had a bundle, so that it can answer. */
static void begin(struct sk_world *world)
{
    sk_world_pair(world);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "First");
    send(world, 0, "first");
}

static void versions_never_go_back(void **state)
{
    struct sk_world *world = *state;
    struct sk_store *archive;
    begin(world);
    archive = world->archive[0].store;
    sk_test_offer(archive, "f", 1, "One");
    sk_test_offer(archive, "g", 5, "G");
    assert_string_equal(receive(world, 0, "r1"), "f 1,g 5,");
    assert_string_equal(receive(world, 0, "r2"), "");
    sk_test_offer(archive, "f", 2, "Two");
    assert_string_equal(receive(world, 0, "r3"), "f 2,");
    /* An archive that was put back from an older copy. */
    sk_test_sql(archive, "UPDATE form SET version = 1, offered = 0 WHERE name = 'f'");
    sk_test_sql(archive, "DELETE FROM form WHERE name = 'f'");
    sk_test_offer(archive, "f", 1, "One");
    assert_string_equal(receive(world, 0, "r4"),
                        "the form f came in the older version 1, which was not taken\n");
    sk_test_sql(archive, "DELETE FROM form WHERE name = 'f'");
    sk_test_offer(archive, "f", 2, "Another");
    assert_non_null(strstr(receive(world, 0, "r5"), "the form f came with other content"));
    sk_auto_own_form own = usable(world->device[0].store, "f");
    assert_string_equal(sk_own_form_of(own)->label, "Two");
    stop(archive, "f");
    assert_string_equal(receive(world, 0, "r6"), "-f,");
    struct sk_own_form *none = NULL;
    EXPECT(SK_MISSING, sk_usable_form_find(world->device[0].store, "f", &none, &sk_test_err));
}

/* What a receipt says that is older, or of another history, is not taken. */
static void an_older_receipt_brings_no_form(void **state)
{
    struct sk_world *world = *state;
    struct sk_receipt_result result;
    char code[SK_CODE_LEN];
    begin(world);
    sk_test_offer(world->archive[0].store, "f", 1, "F");
    EXPECT_OK(sk_receipt_write(world->archive[0].store, 1, sk_world_path(world, "old"), code,
                               &sk_test_err));
    stop(world->archive[0].store, "f");
    assert_string_equal(receive(world, 0, "new"), "");
    EXPECT_OK(sk_receipt_take(world->device[0].store, sk_world_path(world, "old"), &result,
                              &sk_test_err));
    assert_true(result.older && json_array_size(result.forms) == 0);
    sk_receipt_result_clear(&result);
    assert_int_equal(sk_test_sql_int(world->device[0].store, "SELECT count(*) FROM form"), 0);
}

/* A form that is none, and one that is not that of its line, are told and cost nothing else. */
static void what_is_broken_costs_itself_alone(void **state)
{
    static const char *const names[] = {"broken", "f", "other"};
    struct sk_world *world = *state;
    struct sk_store *device;
    struct sk_receipt_form lines[3] = {{.version = 1}, {.version = 1}, {.version = 1}};
    struct sk_receipt receipt = {.forms = lines, .form_count = 3};
    sk_auto_form_texts texts = {.count = 3};
    sk_auto_json news = json_array();
    sk_auto_json gone = json_array();
    sk_auto_buf words = SK_BUF_INIT;
    struct sk_store *txn = NULL;
    sk_world_devices(world, 1);
    device = world->device[0].store;
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(lines[i].name, sizeof(lines[i].name), "%s", names[i]);
        texts.items[i] = (struct sk_buf)SK_BUF_INIT;
        EXPECT_OK(sk_buf_add_text(
            &texts.items[i], i == 0 ? "{\"form\":\"\\u001b[2J\"}" : sk_test_form_text("f", 1, "F"),
            &sk_test_err));
        sk_own_form_hash(lines[i].hash, sk_buf_text(&texts.items[i]), texts.items[i].len);
    }
    EXPECT_OK(sk_receipt_forms_check(&receipt, &texts, &sk_test_err));
    EXPECT_OK(sk_store_begin(&txn, device, &sk_test_err));
    EXPECT_OK(sk_receipt_forms_keep(device, 1, &receipt, &texts, news, gone, &words, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(json_array_size(news), 1);
    assert_int_equal(json_array_size(gone), 0);
    assert_string_equal(json_string_value(json_object_get(json_array_get(news, 0), "form")), "f");
    assert_non_null(strstr(sk_buf_text(&words),
                           "the form broken was not taken, since it is broken: "
                           "a form has a form"));
    assert_non_null(strstr(sk_buf_text(&words),
                           "the form other was not taken, since it has another "
                           "name"));
    assert_null(strchr(sk_buf_text(&words), 0x1b));
    assert_int_equal(sk_test_sql_int(device, "SELECT count(*) FROM form"), 1);
    lines[0].hash[0] ^= 1;
    EXPECT(SK_DAMAGED, sk_receipt_forms_check(&receipt, &texts, &sk_test_err));
}

static void a_revoked_device_learns_of_none(void **state)
{
    struct sk_world *world = *state;
    struct sk_store *archive;
    struct sk_store *txn = NULL;
    begin(world);
    archive = world->archive[0].store;
    sk_test_offer(archive, "f", 1, "F");
    assert_string_equal(receive(world, 0, "r1"), "f 1,");
    EXPECT_OK(sk_store_begin(&txn, archive, &sk_test_err));
    EXPECT_OK(sk_log_revoke(archive, 1, 1, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    sk_test_offer(archive, "g", 1, "G");
    assert_string_equal(receive(world, 0, "r2"), "-f,");
    assert_int_equal(sk_test_sql_int(world->device[0].store, "SELECT count(*) FROM form"), 1);
}

static void two_archives_with_one_name(void **state)
{
    struct sk_world *world = *state;
    struct sk_own_form *none = NULL;
    begin(world);
    world->archive[1] = (struct sk_test_store){world->dir, sk_temp_path(world->dir, "second"),
                                               SK_STORE_ARCHIVE, NULL};
    struct sk_store_options options = sk_test_options(world->archive[1].path, SK_STORE_ARCHIVE);
    options.name = "Second";
    EXPECT_OK(sk_store_create(&options, &sk_test_err));
    sk_test_open(&world->archive[1]);
    sk_world_invite(world, 1, "lark", "letter");
    sk_world_accept(world, 0, "letter");
    send(world, 1, "whole");
    sk_test_offer(world->archive[0].store, "f", 1, "F");
    sk_test_offer(world->archive[1].store, "f", 1, "F");
    assert_string_equal(receive(world, 0, "a1"), "f 1,");
    assert_string_equal(receive(world, 1, "b1"), "f 1,");
    struct sk_store *device = world->device[0].store;
    sk_auto_own_form same = usable(device, "f");
    sk_test_offer(world->archive[1].store, "f", 2, "Theirs");
    assert_string_equal(receive(world, 1, "b2"), "f 2,");
    EXPECT(SK_USAGE, sk_usable_form_find(device, "f", &none, &sk_test_err));
    EXPECT(SK_MISSING, sk_usable_form_find(device, "f@Third", &none, &sk_test_err));
    sk_auto_own_form theirs = usable(device, "f@Sec");
    assert_string_equal(sk_own_form_of(theirs)->label, "Theirs");
    stop(world->archive[1].store, "f");
    assert_string_equal(receive(world, 1, "b3"), "-f,");
    sk_auto_own_form again = usable(device, "f");
    assert_string_equal(sk_own_form_of(again)->label, "F");
}

/* ---- records ---- */

#define BUNDLES 3
#define ORDERS  6

static void export_one(struct sk_world *world, unsigned n)
{
    char name[8];
    (void)snprintf(name, sizeof(name), "b%u", n);
    (void)sk_world_export(world, 0, name);
}

/* The form; a record; an edit of it and another record: a bundle each. */
static void make_bundles(struct sk_world *world)
{
    struct sk_store *device = world->device[0].store;
    sk_auto_own_form own = sk_test_form("f", 2, "F");
    sk_test_log_form(device, own);
    export_one(world, 0);
    struct sk_id id = sk_test_add_under(device, own, "wordone");
    export_one(world, 1);
    sk_test_edit(device, &id, "wordtwo");
    (void)sk_test_add_under(device, own, "wordthree");
    export_one(world, 2);
}

static void permutation(unsigned n, unsigned out[static BUNDLES])
{
    for (unsigned i = 0; i < BUNDLES; i++) {
        unsigned at = n % (i + 1);
        n /= i + 1;
        out[i] = out[at];
        out[at] = i;
    }
}

static void every_order_ends_in_the_same_state(void **state)
{
    struct sk_world *world = *state;
    struct sk_test_store *at = &world->archive[0];
    uint8_t first[32];
    sk_world_pair(world);
    sk_test_close(at);
    sk_world_copy(at->path, sk_world_path(world, "fresh"));
    sk_test_open(at);
    make_bundles(world);
    for (unsigned n = 0; n < ORDERS; n++) {
        unsigned order[BUNDLES] = {0};
        uint8_t meaning[32];
        bool form = false;
        int64_t texts = 0;
        permutation(n, order);
        sk_test_close(at);
        sk_world_copy(sk_world_path(world, "fresh"), at->path);
        sk_test_open(at);
        for (unsigned i = 0; i < BUNDLES; i++) {
            char name[8];
            (void)snprintf(name, sizeof(name), "b%u", order[i]);
            import(world, 0, name);
            form = form || order[i] == 0;
            texts += order[i]; /* the second brings one, the third two */
            /* Nothing is shown before the form is here, and all that is here with it. */
            if (!form) {
                assert_int_equal(sk_test_sql_int(at->store, MARKS), texts);
                assert_int_equal(sk_test_sql_int(at->store, SHOWN), 0);
            } else {
                assert_int_equal(sk_test_sql_int(at->store, MARKS), 0);
            }
        }
        assert_int_equal(sk_test_sql_int(at->store, SHOWN), 2);
        assert_int_equal(
            sk_test_sql_int(at->store, "SELECT count(*) FROM search WHERE search MATCH 'word*'"),
            2);
        sk_world_meaning(at->store, meaning);
        if (n == 0)
            memcpy(first, meaning, sizeof(first));
        assert_memory_equal(first, meaning, sizeof(first));
    }
}

/* What a receipt says of a record without its form, and that it is not purged then. */
static void a_record_without_its_form_is_told(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    make_bundles(world);
    import(world, 0, "b1");
    assert_non_null(strstr(receive(world, 0, "r1"), "entry 1 was put aside: its form is not here"));
    import(world, 0, "b0");
    assert_string_equal(receive(world, 0, "r2"), "");
}

/* ---- an older log withdraws it, and its form goes ---- */

/* What the log that continues has made of a record is kept, and waits for its form: until that
 * comes, nothing is left of the record but what was withdrawn. */
static void what_waits_for_its_form_is_not_what_was_withdrawn(void **state)
{
    struct sk_world *world = *state;
    sk_auto_own_form own = sk_test_form("f", 2, "F");
    sk_world_pair(world);
    sk_test_log_form(world->device[0].store, own);
    struct sk_id id = sk_test_add_under(world->device[0].store, own, "rec-a");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    sk_test_edit(world->device[1].store, &id, "rec-a changed");
    (void)sk_world_export(world, 1, "new");
    sk_test_erase_form(world->device[1].store, own);
    (void)sk_world_export(world, 1, "formless");
    sk_test_log_form(world->device[1].store, own);
    (void)sk_world_export(world, 1, "form");
    (void)sk_test_withdraw(world->device[0].store, &id);
    (void)sk_world_export(world, 0, "gone");
    sk_test_close(&world->archive[0]);
    sk_world_copy(world->archive[0].path, sk_world_path(world, "fresh"));
    for (unsigned n = 0; n < 2; n++) {
        sk_world_copy(sk_world_path(world, "fresh"), world->archive[0].path);
        sk_test_open(&world->archive[0]);
        import(world, 0, "old");
        import(world, 0, "new");
        import(world, 0, n ? "gone" : "formless");
        import(world, 0, n ? "formless" : "gone");
        struct sk_store *archive = world->archive[0].store;
        assert_int_equal(sk_test_sql_int(archive, SHOWN), 0);
        assert_int_equal(sk_test_sql_int(archive, "SELECT count(*) FROM item WHERE type = 4 AND "
                                                  "erased"),
                         2);
        assert_int_equal(sk_test_sql_int(archive, "SELECT count(*) FROM payload WHERE "
                                                  "instr(text, 'rec-a changed') > 0"),
                         1);
        import(world, 0, "form");
        sk_lineage_list(world, "rec-a changed@2 ");
        sk_test_close(&world->archive[0]);
    }
    sk_test_open(&world->archive[0]);
}

/* ---- repair ---- */

/* A device whose store lost the form's text, and what becomes of its heir. */
static void a_lost_form_comes_back(void **state)
{
    struct sk_world *world = *state;
    struct sk_test_heir heir;
    begin(world);
    sk_test_offer(world->archive[0].store, "f", 2, "F");
    assert_string_equal(receive(world, 0, "r1"), "f 2,");
    sk_auto_own_form own = usable(world->device[0].store, "f");
    struct sk_id id = sk_test_add_under(world->device[0].store, own, "Kept");
    sk_test_edit(world->device[0].store, &id, "Kept again");
    sk_test_sql(world->device[0].store, "DELETE FROM payload WHERE id IN (SELECT entry FROM "
                                        "form_entry)");
    world->device[1] =
        (struct sk_test_store){world->dir, sk_temp_path(world->dir, "heir"), SK_STORE_DEVICE, NULL};
    sk_test_inherit(&world->device[0], world->device[1].path, &heir);
    assert_string_equal(heir.losses, "payload 1-2 ;");
    sk_test_open(&world->device[1]);
    struct sk_store *store = world->device[1].store;
    sk_world_verify(store);
    assert_int_equal(sk_test_sql_int(store, MARKS), 2);
    sk_auto_item hidden = sk_test_item(store, &id);
    sk_auto_record record = {.fields = NULL};
    EXPECT_OK(sk_record_load(store, &hidden, hidden.position, &record, &sk_test_err));
    assert_true(record.formless && !record.fields && !record.form);
    /* With a new invite, a bundle, and a receipt. */
    sk_world_invite(world, 0, "heir", "letter");
    sk_world_accept(world, 1, "letter");
    (void)sk_world_export(world, 1, "heir1");
    import(world, 0, "heir1");
    assert_int_equal(sk_test_sql_int(world->archive[0].store, MARKS), 2);
    struct sk_receipt_result result = sk_world_receipt(world, 0, 2, 1, "r2");
    sk_receipt_result_clear(&result);
    sk_world_verify(store);
    assert_int_equal(sk_test_sql_int(store, MARKS), 0);
    sk_test_edit(store, &id, "And more");
    (void)sk_world_export(world, 1, "heir2");
    import(world, 0, "heir2");
    assert_int_equal(sk_test_sql_int(world->archive[0].store, MARKS), 0);
    sk_auto_item shown = {.title = NULL};
    EXPECT_OK(sk_item_related(world->archive[0].store, 1, &id, &shown, &sk_test_err));
    assert_string_equal(shown.title, "And more");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(versions_never_go_back),
        TEST(an_older_receipt_brings_no_form),
        TEST(what_is_broken_costs_itself_alone),
        TEST(a_revoked_device_learns_of_none),
        TEST(two_archives_with_one_name),
        TEST(every_order_ends_in_the_same_state),
        TEST(a_record_without_its_form_is_told),
        TEST(what_waits_for_its_form_is_not_what_was_withdrawn),
        TEST(a_lost_form_comes_back),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
