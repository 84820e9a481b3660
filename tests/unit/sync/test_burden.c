/*
 * Goal of this test: what a device signs to burden an archive costs it no more than its length:
 * four times as many such entries take about four times as long to import, to verify, to list and
 * to answer, and never sixteen times.
 */
#include "core/item_internal.h"
#include "tests/support/effort.h"
#include "tests/support/exchange.h"
#include "tests/support/liar.h"
#include "tests/support/own_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* ---- shapes ---- */

/* One record that is withdrawn again and again. */
static void withdrawn_again(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    (void)heir;
    sk_liar_put(liar, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "a"));
    for (unsigned i = 1; i < n; i++)
        sk_liar_erase(liar, SK_TYPE_SOURCE, 1, i + 1);
    sk_liar_bundle(liar, "b", 0, n);
}

static const char *form(unsigned i)
{
    return sk_test_form_text("f", i + 1, "L");
}

/* Revisions of one record, each under a form of its own, and then these forms. */
static void a_form_each(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    (void)heir;
    for (unsigned i = 0; i < n / 2; i++)
        sk_liar_put(liar, SK_TYPE_TESTIMONY, 1, i + 1, sk_liar_under(form(i), "a"));
    for (unsigned i = 0; i < n / 2; i++)
        sk_liar_put(liar, SK_TYPE_FORM, 2 + i, 1, form(i));
    sk_liar_bundle(liar, "b", 0, n);
}

/* The same, with forms that are revisions of one, which is withdrawn. */
static void a_form_each_gone(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    (void)heir;
    for (unsigned i = 0; i < n / 2; i++)
        sk_liar_put(liar, SK_TYPE_FORM, 2, i + 1, form(i));
    for (unsigned i = 0; i < n / 2; i++)
        sk_liar_put(liar, SK_TYPE_TESTIMONY, 1, i + 1, sk_liar_under(form(i), "a"));
    sk_liar_erase(liar, SK_TYPE_SOURCE, 2, n / 2 + 1);
    sk_liar_bundle(liar, "b", 0, n / 2 * 2);
    sk_liar_bundle(liar, "c", n / 2 * 2, n / 2 * 2 + 1);
}

static void two_types(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    (void)heir;
    for (unsigned i = 0; i < n; i++)
        sk_liar_put(liar, i % 2 ? SK_TYPE_SOURCE : SK_TYPE_CASE, 1, i + 1,
                    sk_liar_record(i % 2 ? SK_TYPE_SOURCE : SK_TYPE_CASE, "a"));
    sk_liar_bundle(liar, "b", 0, n);
}

static void every_second_bare(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    (void)heir;
    for (unsigned i = 0; i < n; i++)
        sk_liar_put(liar, SK_TYPE_SOURCE, i % 4 < 2 ? 1 : i, i + 1,
                    i % 2 ? NULL : sk_liar_record(SK_TYPE_SOURCE, "a"));
    sk_liar_bundle(liar, "b", 0, n);
}

static void of_no_kind(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    uint8_t bytes[SK_ENTRY_LEN] = {9};
    (void)heir;
    for (unsigned i = 0; i < n; i++)
        sk_liar_bytes(liar, bytes);
    sk_liar_bundle(liar, "b", 0, n);
}

#define RECORD_1 "da7a0000000000000000000001000000"

static void links_on_one(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    static const char link[] = "{\"recorded\":\"2026-01-02T03:04:05+00:00\",\"source\":\"" RECORD_1
                               "\",\"target\":\"" RECORD_1 "\",\"role\":\"r\"}";
    (void)heir;
    sk_liar_put(liar, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "a"));
    for (unsigned i = 1; i < n; i++)
        sk_liar_put(liar, SK_TYPE_LINK, 1 + i, 1, link);
    sk_liar_bundle(liar, "b", 0, n);
}

static void one_links_often(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    static const char link[] = "{\"recorded\":\"2026-01-02T03:04:05+00:00\",\"source\":\"" RECORD_1
                               "\",\"target\":\"" RECORD_1 "\",\"role\":\"r\"}";
    (void)heir;
    sk_liar_put(liar, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "a"));
    for (unsigned i = 1; i < n; i++)
        sk_liar_put(liar, SK_TYPE_LINK, 2, i, link);
    sk_liar_bundle(liar, "b", 0, n);
}

/* ---- shapes of two logs, one of which continues the other ---- */

static void continue_it(struct sk_liar *liar, struct sk_liar *heir, uint64_t size)
{
    sk_liar_continue(heir, sk_store_id(heir->world->device[1].store), liar, size);
}

/* Revisions of one record that stand in both logs, of which the new one continues the old. */
static void hold_both(struct sk_liar *liar, struct sk_liar *heir, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sk_liar_put(liar, SK_TYPE_SOURCE, 1, i + 1, sk_liar_record(SK_TYPE_SOURCE, "a"));
    continue_it(liar, heir, count);
    for (unsigned i = 0; i < count; i++)
        sk_liar_bytes(heir, liar->entries.bytes + i * SK_ENTRY_LEN);
}

/* Both have the same revisions of one record; the old one withdrew it. */
static void withdrawn_in_the_old(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    hold_both(liar, heir, n / 2);
    sk_liar_erase(liar, SK_TYPE_SOURCE, 1, n / 2 + 1);
    sk_liar_bundle(liar, "b", 0, n / 2 + 1);
    sk_liar_bundle(heir, "c", 0, n / 2 + 1);
}

/* The other way round. */
static void withdrawn_in_the_new(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    hold_both(liar, heir, n / 2);
    sk_liar_erase(heir, SK_TYPE_SOURCE, 1, n / 2 + 1);
    sk_liar_bundle(heir, "b", 0, n / 2 + 2);
    sk_liar_bundle(liar, "c", 0, n / 2);
}

/* Revisions of one record that differ, all of them behind where the logs part. */
static void apart(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    for (unsigned i = 0; i < n / 2; i++)
        sk_liar_put(liar, SK_TYPE_SOURCE, 1, i + 1, sk_liar_record(SK_TYPE_SOURCE, "a"));
    continue_it(liar, heir, 1);
    for (unsigned i = 0; i < n / 2; i++)
        sk_liar_put(heir, SK_TYPE_SOURCE, 1, i + 1, sk_liar_record(SK_TYPE_SOURCE, "b"));
    sk_liar_bundle(liar, "b", 0, n / 2);
    sk_liar_bundle(heir, "c", 0, n / 2 + 1);
}

/* The old log withdrew other revisions than the new one has. */
static void withdrawn_others(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    sk_liar_put(liar, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "a"));
    for (unsigned i = 1; i < n / 2; i++)
        sk_liar_erase(liar, SK_TYPE_SOURCE, 1, i + 1);
    continue_it(liar, heir, 1);
    for (unsigned i = 0; i < n / 2; i++)
        sk_liar_put(heir, SK_TYPE_SOURCE, 1, i + 1, sk_liar_record(SK_TYPE_SOURCE, "b"));
    sk_liar_bundle(liar, "b", 0, n / 2);
    sk_liar_bundle(heir, "c", 0, n / 2 + 1);
}

/* The withdrawal comes first, and what both logs hold last; the new log has a later revision. */
static void withdrawn_before(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    hold_both(liar, heir, n / 2);
    sk_liar_put(heir, SK_TYPE_SOURCE, 1, n / 2 + 1, sk_liar_record(SK_TYPE_SOURCE, "b"));
    sk_liar_erase(liar, SK_TYPE_SOURCE, 1, n / 2 + 1);
    sk_liar_bundle(liar, "b", n / 2, n / 2 + 1);
    sk_liar_bundle(heir, "c", 0, n / 2 + 2);
    sk_liar_bundle(liar, "d", 0, n / 2);
}

/* Withdrawn again and again in the new log, where very much hangs on it. */
static void hanging(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    static const char link[] = "{\"recorded\":\"2026-01-02T03:04:05+00:00\",\"source\":\"" RECORD_1
                               "\",\"target\":\"" RECORD_1 "\",\"role\":\"r\"}";
    sk_liar_put(liar, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "a"));
    continue_it(liar, heir, 1);
    for (unsigned i = 0; i < n / 2; i++)
        sk_liar_put(heir, SK_TYPE_LINK, 2 + i, 1, link);
    for (unsigned i = 0; i < n / 2; i++)
        sk_liar_erase(heir, SK_TYPE_SOURCE, 1, i + 2);
    sk_liar_bundle(liar, "b", 0, 1);
    sk_liar_bundle(heir, "c", 0, n / 2 + 1);
    sk_liar_bundle(heir, "d", n / 2 + 1, n / 2 * 2 + 1);
}

#define RING 62

/* Sixty-three statements, each of which leads to the next and to the first. */
static void a_ring(struct sk_liar *liar, struct sk_liar *heir, unsigned n)
{
    uint8_t id[SK_HASH_LEN];
    (void)heir;
    (void)n;
    sk_liar_continue_made(liar, sk_store_id(liar->world->device[0].store), 0, 1);
    for (unsigned i = 1; i < 64; i++) {
        sk_liar_made_id((i - 1) % RING, id);
        sk_liar_continue_made(liar, id, i % RING, 1 + i);
    }
    sk_liar_bundle(liar, "b", 0, liar->count);
}

/* ---- the measure ---- */

typedef void shape_fn(struct sk_liar *liar, struct sk_liar *heir, unsigned n);

static enum sk_status pass(void *context, const struct sk_item *item, struct sk_error *err)
{
    (void)context, (void)item, (void)err;
    return SK_OK;
}

/* One item's history, as a command shows it. */
struct history {
    struct sk_store *store;
    const struct sk_item *item;
    struct sk_ranges apart;
};

static enum sk_status see_revision(void *context, uint64_t position, const struct sk_entry *entry,
                                   struct sk_error *err)
{
    const struct history *history = context;
    sk_auto_record record = {.fields = NULL};
    (void)entry;
    (void)sk_ranges_contain(&history->apart, position);
    return sk_record_load(history->store, history->item, position, &record, err);
}

static enum sk_status see_history(void *context, const struct sk_item *item, struct sk_error *err)
{
    struct history history = {.store = context, .item = item};
    uint64_t below = 0;
    int64_t log = 0;
    SK_TRY(sk_item_withdrawn(history.store, item->row, &below, &log, err));
    SK_TRY(sk_item_apart(history.store, item, &history.apart, &log, err));
    enum sk_status status = sk_item_history(history.store, item, see_revision, &history, err);
    sk_ranges_clear(&history.apart);
    return status;
}

static enum sk_status pass_link(void *context, const struct sk_id *link, const char *role,
                                const struct sk_id *other, struct sk_error *err)
{
    (void)context, (void)link, (void)role, (void)other, (void)err;
    return SK_OK;
}

static void look_at_log(struct sk_world *world, int64_t log)
{
    uint64_t count = 0;
    int64_t heir = 0;
    char code[SK_CODE_LEN];
    char name[16];
    (void)snprintf(name, sizeof(name), "r%d", (int)log);
    EXPECT_OK(sk_log_apart(world->archive[0].store, log, &count, &heir, &sk_test_err));
    EXPECT_OK(sk_receipt_write(world->archive[0].store, log, sk_world_path(world, name), code,
                               &sk_test_err));
}

#define STEPS 4
static const char *const step_names[STEPS] = {"import", "verify", "list", "receipt"};

/* Both devices are pairs with the archive; their bundles are "b", "c" and "d". */
static void make(struct sk_world *world, shape_fn *shape, unsigned n)
{
    sk_world_devices(world, 2);
    sk_world_archives(world, 1);
    for (unsigned i = 0; i < 2; i++) {
        sk_world_invite(world, 0, i ? "heir" : "liar", "letter");
        sk_world_accept(world, i, "letter");
    }
    sk_auto_liar liar;
    sk_auto_liar heir;
    sk_liar_init(&liar, world, 0);
    sk_liar_init(&heir, world, 1);
    shape(&liar, &heir, n);
}

static void import_all(struct sk_world *world)
{
    static const char *const names[] = {"b", "c", "d"};
    for (unsigned i = 0; i < 3; i++) {
        if (!sk_file_exists(sk_world_path(world, names[i])))
            continue;
        struct sk_import_result in = sk_world_import(world, 0, names[i]);
        assert_true(in.entries_new > 0);
        sk_import_result_clear(&in);
    }
}

static void list_all(struct sk_store *archive)
{
    const struct sk_id id = sk_liar_id(1);
    sk_auto_item item = {.title = NULL};
    EXPECT_OK(sk_item_each(archive, 0, pass, NULL, &sk_test_err));
    EXPECT_OK(sk_item_search(archive, "a", pass, NULL, &sk_test_err));
    if (sk_item_get(archive, 1, &id, &item, NULL) != SK_OK)
        return;
    EXPECT_OK(sk_link_each(archive, &item, false, pass_link, NULL, &sk_test_err));
    EXPECT_OK(sk_item_twins(archive, &item, see_history, archive, &sk_test_err));
    EXPECT_OK(see_history(archive, &item, &sk_test_err));
}

/* Seconds of this process for each step. */
static void measure(shape_fn *shape, unsigned n, double out[static STEPS])
{
    void *state = NULL;
    double at[STEPS + 1];
    assert_int_equal(sk_world_setup(&state), 0);
    struct sk_world *world = state;
    make(world, shape, n);
    struct sk_store *archive = world->archive[0].store;
    at[0] = now();
    import_all(world);
    at[1] = now();
    sk_world_verify(archive);
    at[2] = now();
    list_all(archive);
    at[3] = now();
    for (int64_t log = 1; log <= sk_test_sql_int(archive, "SELECT count(*) FROM log"); log++)
        look_at_log(world, log);
    at[4] = now();
    for (unsigned i = 0; i < STEPS; i++)
        out[i] = at[i + 1] - at[i];
    assert_int_equal(sk_world_teardown(&state), 0);
}

#define NOTICED 0.1 /* seconds: of less nobody knows what they were for */

static void assert_in_proportion(const char *name, shape_fn *shape, unsigned n)
{
    double few[STEPS] = {0};
    double many[STEPS];
    bool noticed = false;
    measure(shape, 4 * n, many);
    for (unsigned step = 0; step < STEPS; step++)
        noticed = noticed || many[step] > NOTICED;
    if (noticed)
        measure(shape, n, few);
    for (unsigned step = 0; step < STEPS; step++)
        if (many[step] > NOTICED && many[step] > 9 * few[step])
            fail_msg("%s, %s: %.3f s of %u entries, %.3f s of %u", name, step_names[step],
                     few[step], n, many[step], 4 * n);
}

static void four_times_as_many_take_four_times_as_long(void **state)
{
    static const struct {
        const char *name;
        shape_fn *shape;
    } shapes[] = {
        {"withdrawn again", withdrawn_again},
        {"a form each", a_form_each},
        {"a form each, gone", a_form_each_gone},
        {"two types", two_types},
        {"every second bare", every_second_bare},
        {"of no kind", of_no_kind},
        {"links on one", links_on_one},
        {"one links often", one_links_often},
        {"withdrawn in the old", withdrawn_in_the_old},
        {"withdrawn in the new", withdrawn_in_the_new},
        {"apart", apart},
        {"withdrawn others", withdrawn_others},
        {"withdrawn before", withdrawn_before},
        {"hanging", hanging},
    };
    unsigned n = sk_test_effort(100, 250, 1000);
    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        assert_in_proportion(shapes[i].name, shapes[i].shape, n);
}

/* Where an entry alone is compared with all that the other log has of the record, that tells only
 * with more of them. */
static void the_history_of_a_record_in_two_logs(void **state)
{
    (void)state;
    assert_in_proportion("apart", apart, sk_test_effort(250, 1000, 2000));
}

/* What one device says of what continues what takes time once, and not in everybody's imports. */
static void others_do_not_pay_for_a_ring(void **state)
{
    struct sk_world *world = *state;
    make(world, a_ring, 0);
    double first = now();
    import_all(world);
    first = now() - first;
    sk_auto_liar other;
    sk_liar_init(&other, world, 1);
    sk_liar_put(&other, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "a"));
    sk_liar_put(&other, SK_TYPE_SOURCE, 2, 1, sk_liar_record(SK_TYPE_SOURCE, "b"));
    struct sk_import_result in = sk_liar_send(&other, "honest", 0, 1); /* a log that is new here */
    sk_import_result_clear(&in);
    sk_liar_bundle(&other, "honest again", 1, 2);
    double second = now();
    in = sk_world_import(world, 0, "honest again");
    second = now() - second;
    sk_import_result_clear(&in);
    sk_world_verify(world->archive[0].store);
    if (second > NOTICED && second > first / 4)
        fail_msg("%.3f s, and then still %.3f s", first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_times_as_many_take_four_times_as_long),
        cmocka_unit_test(the_history_of_a_record_in_two_logs),
        cmocka_unit_test_setup_teardown(others_do_not_pay_for_a_ring, sk_world_setup,
                                        sk_world_teardown),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
