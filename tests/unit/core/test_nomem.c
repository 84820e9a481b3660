/*
 * Goal of this test: whichever allocation fails, ours or that of a library, the work in hand ends
 * with a clear status, nothing leaks, what was saved stays, and the same work succeeds when it is
 * tried again.
 */
#include "core/form.h"
#include "core/item.h"
#include "core/verify.h"
#include "tests/support/famine.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The work: what a documenter does in a day. */

struct day {
    struct sk_test_store *at;
    struct sk_error err;
    unsigned saved; /* how many of the steps below were acknowledged */
    struct sk_id id, attachment;
};

static enum sk_status ignore_item(void *context, const struct sk_item *item, struct sk_error *err)
{
    (void)context, (void)item, (void)err;
    return SK_OK;
}

static enum sk_status ignore_revision(void *context, uint64_t position,
                                      const struct sk_entry *entry, struct sk_error *err)
{
    (void)context, (void)position, (void)entry, (void)err;
    return SK_OK;
}

static void no_problem(void *context, const char *sentence)
{
    (void)context;
    sk_famine_end();
    fail_msg("%s", sentence);
}

static enum sk_status fields(json_t **out, const char *title)
{
    static const char format[] = "{\"title\": \"%s\", \"text\": \"One two three, ЧАТЫРЫ пяць.\"}";
    char text[200];
    int len = snprintf(text, sizeof(text), format, title);
    return sk_json_parse(out, text, (size_t)len, NULL);
}

static enum sk_status add(struct day *day)
{
    sk_auto_json json = NULL;
    sk_auto_store_txn txn = NULL;
    SK_TRY(fields(&json, "Heron"));
    SK_TRY(sk_store_begin(&txn, day->at->store, &day->err));
    SK_TRY(sk_record_add(day->at->store, SK_TYPE_TESTIMONY, json, &day->id, &day->err));
    return sk_store_commit(&txn, &day->err);
}

static enum sk_status edit(struct day *day)
{
    sk_auto_json json = NULL;
    sk_auto_item item = {.title = NULL};
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_item_get(day->at->store, SK_LOG_OWN, &day->id, &item, &day->err));
    SK_TRY(fields(&json, "Stork"));
    SK_TRY(sk_store_begin(&txn, day->at->store, &day->err));
    SK_TRY(sk_record_edit(day->at->store, &item, json, &day->err));
    return sk_store_commit(&txn, &day->err);
}

static enum sk_status attach(struct day *day)
{
    sk_auto_item item = {.title = NULL};
    SK_TRY(sk_item_get(day->at->store, SK_LOG_OWN, &day->id, &item, &day->err));
    return sk_attachment_add(day->at->store, &item, sk_test_path(day->at, "in"), NULL,
                             &day->attachment, &day->err);
}

static enum sk_status look(struct day *day)
{
    struct sk_store *store = day->at->store;
    sk_auto_item item = {.title = NULL};
    sk_auto_record record = {.fields = NULL};
    SK_TRY(sk_item_get(store, SK_LOG_OWN, &day->id, &item, &day->err));
    SK_TRY(sk_record_load(store, &item, item.position, &record, &day->err));
    SK_TRY(sk_item_search(store, "чатыры \"two three\"", ignore_item, NULL, &day->err));
    SK_TRY(sk_item_each(store, 0, ignore_item, NULL, &day->err));
    SK_TRY(sk_item_history(store, &item, ignore_revision, NULL, &day->err));
    return sk_verify(store, no_problem, NULL, NULL, &day->err);
}

static enum sk_status extract(struct day *day)
{
    sk_auto_item item = {.title = NULL};
    SK_TRY(sk_item_get(day->at->store, SK_LOG_OWN, &day->attachment, &item, &day->err));
    return sk_attachment_extract(day->at->store, &item, sk_test_path(day->at, "out"), NULL,
                                 &day->err);
}

static enum sk_status withdraw(struct day *day)
{
    unsigned count = 0;
    sk_auto_item item = {.title = NULL};
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_item_get(day->at->store, SK_LOG_OWN, &day->id, &item, &day->err));
    SK_TRY(sk_store_begin(&txn, day->at->store, &day->err));
    SK_TRY(sk_record_withdraw(day->at->store, &item, &count, &day->err));
    return sk_store_commit(&txn, &day->err);
}

static enum sk_status open_store(struct day *day)
{
    struct sk_store_options options = sk_test_options(day->at->path, day->at->kind);
    return sk_store_open(&day->at->store, &options, &day->err);
}

static enum sk_status run_steps(struct day *day)
{
    static enum sk_status (*const steps[])(struct day * day) = {
        open_store, add, edit, attach, look, extract, withdraw};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        SK_TRY(steps[i](day));
        day->saved++;
    }
    return SK_OK;
}

static enum sk_status run_day(struct day *day)
{
    enum sk_status status = run_steps(day);
    struct sk_store *store = day->at->store;
    day->at->store = NULL;
    enum sk_status closed = sk_store_close(store, status == SK_OK ? &day->err : NULL);
    return status == SK_OK ? closed : status;
}

/* What was acknowledged is there, and nothing is half. */
static void assert_after(struct sk_test_store *at, const struct day *day)
{
    sk_test_open(at);
    EXPECT_OK(sk_verify(at->store, no_problem, NULL, NULL, &sk_test_err));
    if (day->saved >= 2) {
        sk_auto_item item = sk_test_item(at->store, &day->id);
        assert_true(item.revision >= day->saved - 1 || day->saved > 3);
        assert_true(item.erased || day->saved < 7);
        if (!item.erased)
            (void)sk_test_withdraw(at->store, &day->id);
    }
    assert_int_equal(sk_test_count_files(sk_test_path(at, "store/media")),
                     sk_test_sql_int(at->store, "SELECT count(*) FROM media"));
    sk_test_close(at);
}

/* One day in which an allocation fails. Returns whether there were so many. */
static bool day_with_failure(struct sk_test_store *at, struct sk_famine famine)
{
    struct day day = {.at = at, .err = SK_ERROR_INIT};
    (void)unlink(sk_test_path(at, "out"));
    int64_t before = sk_famine_live();
    sk_famine_begin(&famine);
    enum sk_status status = run_day(&day);
    sk_famine_end();
    if (sk_famine_live() != before)
        fail_msg("%lld blocks are left after allocation %llu failed",
                 (long long)(sk_famine_live() - before), (unsigned long long)famine.number);
    if (status != SK_OK && status != SK_NOMEM)
        fail_msg("allocation %llu gave %s: %s", (unsigned long long)famine.number,
                 sk_status_name(status), day.err.text);
    assert_after(at, &day);
    return sk_famine_counted() >= famine.number;
}

static int begin(void **state)
{
    if (sk_test_device(state) != 0)
        return -1;
    struct sk_test_store *at = *state;
    sk_test_write(sk_test_path(at, "in"), 70000);
    sk_test_close(at);
    /* What the libraries keep for good is there after two days. */
    for (int i = 0; i < 2; i++) {
        struct day day = {.at = at, .err = SK_ERROR_INIT};
        (void)unlink(sk_test_path(at, "out"));
        if (run_day(&day) != SK_OK)
            return -1;
    }
    return 0;
}

/* Every allocation of the first ones, then one in ever more, each once or from then on. */
static void test_each_allocation(void **state)
{
    struct sk_famine famine = {.kinds = SK_FAMINE_HEAP | SK_FAMINE_SECRETS, .number = 1};
    if (!SK_FAMINE_HEAP)
        skip();
    while (day_with_failure(*state, famine)) {
        famine.number += 1 + famine.number / 25;
        famine.lasting = famine.number % 3 == 0;
    }
}

/* Every secret, each once and from then on. */
static void test_each_secret(void **state)
{
    for (int lasting = 0; lasting < 2; lasting++) {
        struct sk_famine famine = {.kinds = SK_FAMINE_SECRETS, .lasting = lasting == 1};
        do
            famine.number++;
        while (day_with_failure(*state, famine));
        assert_true(famine.number > 1);
    }
}

/* The forms that are compiled in are not called broken. */
static void test_forms(void **state)
{
    (void)state;
    sk_forms_clear();
    for (int lasting = 0; SK_FAMINE_HEAP && lasting < 2; lasting++) {
        struct sk_famine famine = {.kinds = SK_FAMINE_HEAP, .lasting = lasting == 1};
        enum sk_status status = SK_NOMEM;
        while (status != SK_OK) {
            struct sk_error err = SK_ERROR_INIT;
            famine.number++;
            int64_t before = sk_famine_live();
            sk_famine_begin(&famine);
            status = sk_forms_init(&err);
            sk_famine_end();
            if (status != SK_OK && (status != SK_NOMEM || err.text[0] == '\0'))
                fail_msg("allocation %llu gave %s: %s", (unsigned long long)famine.number,
                         sk_status_name(status), err.text);
            sk_forms_clear();
            assert_int_equal(sk_famine_live(), before);
        }
        assert_true(famine.number > 100);
    }
    assert_int_equal(sk_forms_init(NULL), SK_OK);
}

/* A text that is written is whole, or it is told that it is not: the library says nothing of a
 * piece of a key that found no room. */
static void test_written_text(void **state)
{
    char key[64];
    sk_auto_json json = json_object();
    sk_auto_buf whole = SK_BUF_INIT;
    (void)state;
    for (int i = 0; i < 200; i++) {
        (void)snprintf(key, sizeof(key), "a name that is %d and so long that it needs room", i);
        assert_int_equal(json_object_set_new(json, key, json_integer(i)), 0);
    }
    EXPECT_OK(sk_json_write(&whole, json, &sk_test_err));
    /* Text before it: another piece each time is the one that finds no room. */
    for (size_t before = 0; SK_FAMINE_HEAP && before < 64; before++) {
        struct sk_famine famine = {.kinds = SK_FAMINE_HEAP, .number = 1};
        enum sk_status status = SK_NOMEM;
        for (; status != SK_OK; famine.number++) {
            struct sk_error err = SK_ERROR_INIT;
            sk_auto_buf out = SK_BUF_INIT;
            EXPECT_OK(sk_buf_add(&out, key, before % sizeof(key), &sk_test_err));
            sk_famine_begin(&famine);
            status = sk_json_write(&out, json, &err);
            sk_famine_end();
            assert_int_equal(err.status, status);
            assert_true(status == SK_OK || (status == SK_NOMEM && err.text[0] != '\0'));
            assert_int_equal(out.len, status == SK_OK ? before + whole.len : before);
        }
        assert_true(famine.number > 3);
    }
}

/* A copy has all that was there: one that lacks a field would be saved as the next revision. */
static void test_copy(void **state)
{
    struct sk_famine famine = {.kinds = SK_FAMINE_HEAP, .number = 1};
    enum sk_status status = SK_NOMEM;
    sk_auto_json json = json_pack("{s:s, s:{s:s, s:[s, i]}, s:s}", "title", "Heron", "place",
                                  "town", "Minsk", "days", "one", 2, "text", "One two three");
    (void)state;
    assert_non_null(json);
    for (; SK_FAMINE_HEAP && status != SK_OK; famine.number++) {
        struct sk_error err = SK_ERROR_INIT;
        sk_auto_json copy = NULL;
        int64_t before = sk_famine_live();
        sk_famine_begin(&famine);
        status = sk_json_copy(&copy, json, &err);
        sk_famine_end();
        assert_int_equal(err.status, status);
        assert_true(status == SK_OK || status == SK_NOMEM);
        assert_true(status != SK_OK || json_equal(copy, json));
        assert_true(status == SK_OK || sk_famine_live() == before);
    }
    assert_true(famine.number > 10 || !SK_FAMINE_HEAP);
}

/* What could not even be undone for lack of memory is called that, and is not there. */
static void test_undone(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_famine famine = {.kinds = SK_FAMINE_HEAP, .number = 1, .lasting = true};
    struct sk_error err = SK_ERROR_INIT;
    struct sk_id id;
    struct sk_store *txn = NULL;
    sk_auto_json json = NULL;
    if (!SK_FAMINE_HEAP)
        skip();
    sk_test_open(at);
    int64_t before = sk_test_sql_int(at->store, "SELECT count(*) FROM entry");
    EXPECT_OK(fields(&json, "Heron"));
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_record_add(at->store, SK_TYPE_TESTIMONY, json, &id, &sk_test_err));
    sk_famine_begin(&famine);
    sk_store_rollback(txn);
    sk_famine_end();
    assert_int_equal(sk_store_begin(&txn, at->store, &err), SK_NOMEM);
    assert_non_null(strstr(err.text, "was not saved; open it again"));
    sk_test_close(at);
    sk_test_open(at);
    EXPECT_OK(sk_verify(at->store, no_problem, NULL, NULL, &sk_test_err));
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM entry"), before);
    sk_test_close(at);
}

/* What is printed has all its members, or is not there. */
static void test_members(void **state)
{
    struct sk_famine famine = {.kinds = SK_FAMINE_HEAP, .number = 1};
    bool whole = false;
    unsigned refused = 0;
    (void)state;
    for (; !whole; famine.number++) {
        int64_t before = sk_famine_live();
        sk_famine_begin(&famine);
        json_t *json = json_pack("{s:s}", "title", "Heron");
        sk_json_put(&json, "withdrawn", json_true());
        sk_json_put(&json, "withdrawn_in", json_string("the log of another device"));
        sk_json_put(&json, "position", json_integer(7));
        sk_famine_end();
        whole = sk_famine_counted() < famine.number || !SK_FAMINE_HEAP;
        refused += json == NULL;
        assert_true(!json || json_object_size(json) == 4);
        assert_true(!whole || json);
        json_decref(json);
        assert_int_equal(sk_famine_live(), before);
    }
    assert_true(refused > 6 || !SK_FAMINE_HEAP);
    json_t *json = json_object();
    sk_json_put(&json, "nothing", NULL);
    assert_null(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_allocation, begin, sk_test_remove),
        cmocka_unit_test_setup_teardown(test_each_secret, begin, sk_test_remove),
        cmocka_unit_test_setup_teardown(test_undone, begin, sk_test_remove),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_written_text),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_members),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
