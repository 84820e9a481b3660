/*
 * Goal of this test: months of three devices, with edits, withdrawals, attachments, links, forms in
 * several versions, a store that is put back from an older backup and goes on beside the old one,
 * and new keys of the archives in the middle, end the same at two archives: at one that got every
 * bundle in its turn, and at one that got them at the end, in random order, some of them twice.
 *
 * What is compared is what a person is shown: lists, what a search finds, records with their
 * history, links and attachments, devices, what is put aside, and what the receipts say. The number
 * of a log and of an item follow the order of arrival and are left out.
 *
 * Sequences are drawn from a seed, which a failure names. SK_LONG makes whole years of them.
 */
#include "core/continuation.h"
#include "core/record.h"
#include "core/renew.h"
#include "sync/peer.h"
#include "sync/renew.h"
#include "tests/support/effort.h"
#include "tests/support/exchange.h"
#include "tests/support/heir.h"
#include "tests/support/own_form.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES    3u
#define HEIR       DEVICES /* the device that is made of a backup of device 0 */
#define ARCHIVES   2u
#define RECORDS    600
#define BUNDLES    1200
#define LINES_MAX  60000
#define IN_TURN    0u
#define AT_THE_END 1u

struct record {
    struct sk_id id;
    unsigned device;
    bool withdrawn;
};

static struct {
    struct sk_world *world;
    uint64_t seed, random;
    struct record records[RECORDS];
    unsigned record_count, bundle_count, days, version;
    bool restored;
} s;

static uint32_t draw(uint32_t below)
{
    s.random = s.random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(s.random >> 33) % below;
}

static struct sk_store *device(unsigned n)
{
    return s.world->device[n].store;
}

static struct sk_store *archive(unsigned n)
{
    return s.world->archive[n].store;
}

/* ---- what travels ---- */

static const char *bundle_name(unsigned n)
{
    static char name[16];
    (void)snprintf(name, sizeof(name), "b%u", n);
    return name;
}

static void import(unsigned at, unsigned bundle)
{
    struct sk_import_result in = sk_world_import(s.world, at, bundle_name(bundle));
    assert_false(in.fork);
    assert_false(in.waiting);
    sk_import_result_clear(&in);
}

/* Both get the first bundle of each device, since there is no receipt before one. */
static void send(unsigned by, bool to_both)
{
    struct sk_export_result out;
    EXPECT_OK(sk_export(device(by), sk_world_path(s.world, bundle_name(s.bundle_count)),
                        SK_EXPORT_NEW, NULL, &out, &sk_test_err));
    if (out.nothing)
        return;
    assert_true(s.bundle_count < BUNDLES);
    import(IN_TURN, s.bundle_count);
    if (to_both)
        import(AT_THE_END, s.bundle_count);
    s.bundle_count++;
}

/* The log of a device at an archive. */
static int64_t log_at(unsigned at, unsigned by)
{
    struct sk_log log;
    bool found = false;
    EXPECT_OK(sk_log_find(archive(at), sk_store_id(device(by)), &log, &found, &sk_test_err));
    assert_true(found);
    return log.id;
}

static void answer(unsigned at, unsigned by)
{
    static unsigned number;
    char name[16];
    (void)snprintf(name, sizeof(name), "r%u", number++);
    struct sk_receipt_result out = sk_world_receipt(s.world, at, log_at(at, by), by, name);
    assert_false(out.older || out.rollback);
    sk_receipt_result_clear(&out);
}

/* ---- what people do ---- */

static struct record *pick(unsigned by)
{
    for (unsigned tries = 0; tries < 20 && s.record_count > 0; tries++) {
        struct record *record = &s.records[draw(s.record_count)];
        if (record->device == by && !record->withdrawn)
            return record;
    }
    return NULL;
}

static struct record *add_record(unsigned by)
{
    char title[32];
    struct record *record = &s.records[s.record_count];
    assert_true(s.record_count < RECORDS);
    (void)snprintf(title, sizeof(title), "word%u of %u", draw(20), s.record_count);
    record->device = by;
    record->withdrawn = false;
    if (draw(3) == 0) {
        sk_auto_own_form own = sk_test_form("visit", s.version, "Visit");
        record->id = sk_test_add_under(device(by), own, title);
    } else {
        record->id = sk_test_add(device(by), 1 + draw(SK_TYPE_RECORD_LAST), title);
    }
    s.record_count++;
    return record;
}

static void attach(unsigned by, const struct record *record)
{
    struct sk_id id;
    char name[16];
    static unsigned number;
    sk_auto_item item = sk_test_item(device(by), &record->id);
    (void)snprintf(name, sizeof(name), "word%u-%u", draw(20), number++);
    sk_test_write(sk_world_path(s.world, name), 1 + draw(5000));
    EXPECT_OK(sk_attachment_add(device(by), &item, sk_world_path(s.world, name), NULL, &id,
                                &sk_test_err));
}

static void link_two(unsigned by, const struct record *from, const struct record *to)
{
    struct sk_id id;
    struct sk_store *txn = NULL;
    sk_auto_item source = sk_test_item(device(by), &from->id);
    sk_auto_item target = sk_test_item(device(by), &to->id);
    EXPECT_OK(sk_store_begin(&txn, device(by), &sk_test_err));
    EXPECT_OK(sk_link_add(device(by), &source, "about", &target, &id, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

static void work(unsigned by)
{
    char title[32];
    struct record *record = draw(3) > 0 ? pick(by) : NULL;
    struct record *other = pick(by);
    if (s.record_count < RECORDS && (!record || s.record_count < 12)) {
        (void)add_record(by);
        return;
    }
    if (!record)
        return;
    (void)snprintf(title, sizeof(title), "word%u changed", draw(20));
    switch (draw(6)) {
    case 0:
        (void)sk_test_withdraw(device(by), &record->id);
        record->withdrawn = true;
        break;
    case 1:
        attach(by, record);
        break;
    case 2:
        if (other && other != record)
            link_two(by, record, other);
        break;
    default:
        sk_test_edit(device(by), &record->id, title);
    }
}

static void invite_at_both(unsigned who, const char *alias)
{
    for (unsigned at = 0; at < ARCHIVES; at++) {
        sk_world_invite(s.world, at, alias, "letter");
        sk_world_accept(s.world, who, "letter");
    }
}

/* A newer form; who has a receipt may record under it. */
static void offer(void)
{
    s.version++;
    for (unsigned at = 0; at < ARCHIVES; at++)
        sk_test_offer(archive(at), "visit", s.version, "Visit");
}

static void new_keys(void)
{
    for (unsigned at = 0; at < ARCHIVES; at++) {
        EXPECT_OK(sk_archive_renew(archive(at), &sk_test_err));
        for (unsigned by = 0; by < DEVICES; by++)
            answer(at, by);
    }
}

/* The backup of device 0 goes on as a store of its own; what was withdrawn since comes back there
 * for the time being. */
static void restore(void)
{
    struct sk_test_heir heir;
    struct sk_test_store backup = {s.world->dir, sk_temp_path(s.world->dir, "backup"),
                                   SK_STORE_DEVICE, NULL};
    struct sk_test_store *into = &s.world->device[HEIR];
    *into = (struct sk_test_store){s.world->dir, sk_temp_path(s.world->dir, "heir"),
                                   SK_STORE_DEVICE, NULL};
    sk_test_open(&backup);
    sk_test_inherit(&backup, into->path, &heir);
    sk_test_close(&backup);
    free(backup.path);
    assert_true(heir.result.continues);
    sk_test_open(into);
    invite_at_both(HEIR, "heir");
    for (unsigned i = 0; i < s.record_count; i++) {
        sk_auto_item item = {.title = NULL};
        bool here = sk_item_get(into->store, SK_LOG_OWN, &s.records[i].id, &item, NULL) == SK_OK;
        if (!here)
            continue;
        s.records[i].device = HEIR; /* device 0 does little more */
        s.records[i].withdrawn = item.erased;
    }
    s.restored = true;
    send(HEIR, true);
}

static void back_up(void)
{
    sk_test_close(&s.world->device[0]);
    sk_world_copy(s.world->device[0].path, sk_world_path(s.world, "backup"));
    sk_test_open(&s.world->device[0]);
}

static void one_day(unsigned day)
{
    if (day == s.days / 4 || day == s.days * 3 / 4)
        offer();
    if (day == s.days / 3)
        back_up();
    if (day == s.days / 2)
        new_keys();
    if (day == s.days * 2 / 3)
        restore();
    for (unsigned by = 0; by < DEVICES + s.restored; by++) {
        for (unsigned n = draw(4); n > 0; n--)
            work(by);
        if (draw(2) == 0)
            send(by, false);
        if (draw(8) == 0)
            answer(IN_TURN, by);
    }
}

static void begin(struct sk_world *world, uint64_t seed, unsigned days)
{
    memset(&s, 0, sizeof(s));
    s.world = world;
    s.seed = seed;
    s.random = seed;
    s.days = days;
    sk_world_devices(world, DEVICES);
    sk_world_archives(world, ARCHIVES);
    offer();
    for (unsigned by = 0; by < DEVICES; by++) {
        static const char *const names[] = {"zero", "one", "two"};
        invite_at_both(by, names[by]);
        (void)add_record(by);
        send(by, true);
    }
}

/* ---- in another order ---- */

static void arrive(void)
{
    unsigned order[2 * BUNDLES];
    unsigned count = 0;
    for (unsigned i = 0; i < s.bundle_count; i++) {
        order[count++] = i;
        if (draw(6) == 0)
            order[count++] = i;
    }
    for (unsigned i = count; i > 1; i--) {
        unsigned at = draw(i);
        unsigned kept = order[i - 1];
        order[i - 1] = order[at];
        order[at] = kept;
    }
    for (unsigned i = 0; i < count; i++)
        import(AT_THE_END, order[i]);
}

/* ---- what is shown ---- */

struct shown {
    struct sk_store *store;
    char **lines;
    size_t count;
    const char *what; /* what the lines of a list begin with */
    const struct sk_item *item;
};

static void add_line(struct shown *shown, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_line(struct shown *shown, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    assert_true(shown->count < LINES_MAX);
    assert_true(vasprintf(&shown->lines[shown->count], format, arguments) >= 0);
    shown->count++;
    va_end(arguments);
}

/* The name that both archives have for a log. */
static const char *alias_of(struct sk_store *store, int64_t log)
{
    static struct sk_log rows[4];
    static unsigned next;
    struct sk_log *row = &rows[next++ % 4];
    EXPECT_OK(sk_log_get(store, log, row, &sk_test_err));
    return row->alias;
}

static const char *hex_of(const struct sk_id *id)
{
    static char texts[4][SK_ID_TEXT_LEN];
    static unsigned next;
    char *text = texts[next++ % 4];
    sk_id_format(text, id);
    return text;
}

static enum sk_status show_entry(void *context, uint64_t position, const struct sk_entry *entry,
                                 struct sk_error *err)
{
    struct shown *shown = context;
    sk_auto_record record = {.fields = NULL};
    int64_t heir = 0;
    SK_TRY(sk_record_load(shown->store, shown->item, position, &record, err));
    SK_TRY(sk_entry_apart(shown->store, shown->item->log, position, &heir, err));
    char *fields = record.fields ? json_dumps(record.fields, JSON_SORT_KEYS) : NULL;
    add_line(shown, "history %s %s %" PRIu64 " %u %u %s%s%s%s %s", hex_of(&shown->item->id),
             alias_of(shown->store, shown->item->log), position, entry->type, entry->revision,
             fields ? fields : "-", record.malformed ? " malformed" : "",
             record.formless ? " formless" : "", record.lacking ? " lacking" : "",
             heir ? alias_of(shown->store, heir) : "");
    free(fields);
    return SK_OK;
}

static enum sk_status show_link(void *context, const struct sk_id *link, const char *role,
                                const struct sk_id *other, struct sk_error *err)
{
    struct shown *shown = context;
    (void)err;
    add_line(shown, "link of %s: %s %s %s", hex_of(&shown->item->id), hex_of(link), role,
             hex_of(other));
    return SK_OK;
}

static enum sk_status show_attachment(void *context, const struct sk_attachment *a,
                                      struct sk_error *err)
{
    struct shown *shown = context;
    (void)err;
    add_line(shown, "attachment of %s: %s %s %" PRIu64 " %02x%02x", hex_of(&shown->item->id),
             hex_of(&a->id), a->name, a->size, a->sha256[0], a->sha256[1]);
    return SK_OK;
}

static enum sk_status show_history(void *context, const struct sk_item *item, struct sk_error *err)
{
    struct shown *shown = context;
    const struct sk_item *before = shown->item;
    shown->item = item;
    enum sk_status status = sk_item_history(shown->store, item, show_entry, shown, err);
    shown->item = before;
    return status;
}

static enum sk_status show_item(void *context, const struct sk_item *item, struct sk_error *err)
{
    struct shown *shown = context;
    sk_auto_item found = {.title = NULL};
    shown->item = item;
    SK_TRY(sk_item_find(shown->store, hex_of(&item->id), &found, err));
    add_line(shown, "list %s %s %u %u %" PRIu64 " %s; by its id: %s %" PRIu64, hex_of(&item->id),
             alias_of(shown->store, item->log), item->type, item->revision, item->position,
             item->title, alias_of(shown->store, found.log), found.position);
    SK_TRY(show_history(shown, item, err));
    SK_TRY(sk_item_twins(shown->store, item, show_history, shown, err));
    SK_TRY(sk_link_each(shown->store, item, false, show_link, shown, err));
    SK_TRY(sk_link_each(shown->store, item, true, show_link, shown, err));
    return sk_attachment_each(shown->store, item, show_attachment, shown, err);
}

static enum sk_status show_found(void *context, const struct sk_item *item, struct sk_error *err)
{
    struct shown *shown = context;
    (void)err;
    add_line(shown, "search %s: %s %s", shown->what, hex_of(&item->id),
             alias_of(shown->store, item->log));
    return SK_OK;
}

static enum sk_status show_malformed(void *context, int64_t log, uint64_t position,
                                     const char *reason, struct sk_error *err)
{
    struct shown *shown = context;
    (void)err;
    add_line(shown, "malformed %s %" PRIu64 " %s", alias_of(shown->store, log), position, reason);
    return SK_OK;
}

static enum sk_status show_log(void *context, const struct sk_log *log, struct sk_error *err)
{
    struct shown *shown = context;
    struct sk_continuation of = {.size = 0};
    bool continues = false;
    uint64_t apart = 0;
    int64_t heir = 0;
    enum sk_keys_state keys = SK_KEYS_LOST;
    SK_TRY(sk_log_apart(shown->store, log->id, &apart, &heir, err));
    SK_TRY(sk_continuation_of(shown->store, log, &of, &continues, err));
    SK_TRY(sk_keys_state(shown->store, log->id, &keys, err));
    add_line(shown, "device %s %s %" PRIu64 " apart %" PRIu64 " continues %d %" PRIu64 " keys %d",
             log->alias, sk_log_state_name(log->state), log->size, apart, continues, of.size,
             (int)keys);
    return sk_malformed_each(shown->store, log->id, show_malformed, shown, err);
}

/* The lines of the receipt that is written now, but for those that name archive, number and day. */
static void show_receipt(struct shown *shown, unsigned at, unsigned by)
{
    sk_auto_buf text = SK_BUF_INIT;
    sk_auto_stmt stmt = NULL;
    bool row = false;
    answer(at, by);
    EXPECT_OK(sk_db_prepare(sk_store_db(device(by)), &stmt,
                            "SELECT receipt FROM peer WHERE archive_id = ?1", &sk_test_err));
    sk_bind_bytes(stmt, 1, sk_store_id(archive(at)), SK_HASH_LEN);
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    EXPECT_OK(sk_buf_add_text(&text, sk_column_text(stmt, 0), &sk_test_err));
    const char *line = sk_buf_text(&text);
    for (size_t len = strcspn(line, "\n"); *line;
         line += len + (line[len] == '\n'), len = strcspn(line, "\n")) {
        static const char *const compared[] = {"log ",    "size ", "root ",        "stored ",
                                               "wanted ", "bare ", "quarantined ", "malformed "};
        for (size_t i = 0; i < sizeof(compared) / sizeof(compared[0]); i++)
            if (strncmp(line, compared[i], strlen(compared[i])) == 0)
                add_line(shown, "receipt %u: %.*s", by, (int)len, line);
    }
}

/* What is withdrawn, whichever log did it. */
static void show_withdrawn(struct shown *shown)
{
    sk_auto_stmt stmt = NULL;
    EXPECT_OK(sk_db_prepare(sk_store_db(shown->store), &stmt,
                            "SELECT hex(uid), log.alias, erased FROM item JOIN log ON "
                            "log.id = item.log WHERE erased",
                            &sk_test_err));
    for (;;) {
        bool row = false;
        EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
        if (!row)
            return;
        add_line(shown, "withdrawn %s %s %d", sk_column_text(stmt, 0), sk_column_text(stmt, 1),
                 (int)sk_column_int(stmt, 2));
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void look(struct shown *shown, unsigned at)
{
    shown->store = archive(at);
    shown->lines = calloc(LINES_MAX, sizeof(*shown->lines));
    assert_non_null(shown->lines);
    EXPECT_OK(sk_item_each(shown->store, 0, show_item, shown, &sk_test_err));
    EXPECT_OK(sk_log_each(shown->store, show_log, shown, &sk_test_err));
    for (unsigned n = 0; n < 20; n++) {
        char word[16];
        (void)snprintf(word, sizeof(word), "\"word%u\"", n);
        shown->what = word;
        EXPECT_OK(sk_item_search(shown->store, word, show_found, shown, &sk_test_err));
    }
    for (unsigned by = 0; by < DEVICES + s.restored; by++)
        show_receipt(shown, at, by);
    show_withdrawn(shown);
    qsort(shown->lines, shown->count, sizeof(*shown->lines), by_text);
}

static void shown_clear(struct shown *shown)
{
    for (size_t i = 0; i < shown->count; i++)
        free(shown->lines[i]);
    free(shown->lines);
}

static void compare(void)
{
    struct shown a = {.count = 0};
    struct shown b = {.count = 0};
    look(&a, IN_TURN);
    look(&b, AT_THE_END);
    for (size_t i = 0; i < a.count || i < b.count; i++) {
        const char *x = i < a.count ? a.lines[i] : "(nothing)";
        const char *y = i < b.count ? b.lines[i] : "(nothing)";
        if (strcmp(x, y) != 0)
            fail_msg("seed %" PRIu64 ": in turn \"%s\", at the end \"%s\"", s.seed, x, y);
    }
    /* What was to happen has happened. */
    static const struct {
        const char *beginning;
        size_t least;
    } expected[] = {{"list ", 20},  {"history ", 30},  {"attachment ", 3}, {"link ", 3},
                    {"search ", 5}, {"withdrawn ", 4}, {"device ", 4},     {"receipt ", 12}};
    for (size_t n = 0; n < sizeof(expected) / sizeof(expected[0]); n++) {
        size_t count = 0;
        for (size_t i = 0; i < a.count; i++)
            count += strncmp(a.lines[i], expected[n].beginning, strlen(expected[n].beginning)) == 0;
        if (count < expected[n].least)
            fail_msg("seed %" PRIu64 ": only %zu lines \"%s\"", s.seed, count,
                     expected[n].beginning);
    }
    shown_clear(&a);
    shown_clear(&b);
}

static void run(struct sk_world *world, uint64_t seed, unsigned days)
{
    begin(world, seed, days);
    for (unsigned day = 0; day < days; day++)
        one_day(day);
    for (unsigned by = 0; by < DEVICES + s.restored; by++)
        send(by, false);
    EXPECT_OK(sk_keys_forget(archive(IN_TURN), false, &sk_test_err));
    arrive();
    EXPECT_OK(sk_keys_forget(archive(AT_THE_END), false, &sk_test_err));
    compare();
    for (unsigned at = 0; at < ARCHIVES; at++)
        sk_world_verify(archive(at));
}

static void the_order_of_a_year_makes_no_difference(void **state)
{
    (void)state;
    unsigned sequences = sk_test_effort(1, 1, 6);
    unsigned days = getenv("SK_LONG") ? 365 : 30;
    for (unsigned i = 0; i < sequences; i++) {
        void *world = NULL;
        assert_int_equal(sk_world_setup(&world), 0);
        run(world, 1 + i, days);
        assert_int_equal(sk_world_teardown(&world), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_order_of_a_year_makes_no_difference)};
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
