/*
 * What stores show, held against the model.
 */
#include "core/item_internal.h"
#include "core/lacking.h"
#include "core/purge.h"
#include "core/verify.h"
#include "sync/export.h"
#include "sync/import.h"
#include "sync/peer.h"
#include "tests/model/real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int r_revoked(uint64_t from)
{
    return from == SK_NOT_REVOKED ? M_NEVER : (int)from;
}

/* ---- a device ---- */

static void compare_marks(const char *what, const struct sk_ranges *ranges,
                          const struct m_marks *marks)
{
    for (int p = 0; p < M_LOG; p++)
        r_equal(what, sk_ranges_contain(ranges, (uint64_t)p), marks->at[p]);
}

static int newest(const struct m_history *history, const struct sk_id *id)
{
    for (int p = history->size - 1; p >= 0; p--)
        if (m_same_id(&m.entries[history->at[p]].id, id))
            return p;
    r_fail("the model lacks an entry");
}

static void compare_item(struct sk_store *store, const struct m_device *device,
                         const struct m_entry *entry)
{
    const struct m_history *history = &device->history;
    int position = newest(history, &entry->id);
    const struct m_entry *last = &m.entries[history->at[position]];
    bool purged = device->purged.at[position];
    sk_auto_item item = sk_test_item(store, &entry->id);
    r_equal("revision", item.revision, last->revision);
    r_equal("withdrawn", item.erased, last->type == SK_TYPE_ERASURE);
    r_equal("purged", item.purged, purged);
    const char *title = purged || m_formless(device, position) ? "" : last->title;
    if (sk_type_is_record(entry->type) && strcmp(item.title, title) != 0)
        r_fail("a device shows \"%s\" and not \"%s\"", item.title, title);
}

/* What its entries commit to, and what is noted as purged. */
static void compare_purged(struct sk_store *store, const struct m_device *device)
{
    sk_auto_ranges purged = SK_RANGES_INIT;
    EXPECT_OK(sk_purged_ranges(store, &purged, &sk_test_err));
    compare_marks("noted as purged", &purged, &device->purged);
    for (int p = 0; p < device->history.size; p++) {
        sk_auto_payload payload = SK_PAYLOAD_INIT;
        bool found = false;
        EXPECT_OK(sk_payload_load(store, SK_LOG_OWN, (uint64_t)p, &payload, &found, &sk_test_err));
        if (found != m_has(device, p))
            r_fail("what entry %d of a device commits to is %s", p, found ? "there" : "not there");
    }
}

void r_compare_device(int number)
{
    const struct m_device *device = &m.devices[number];
    struct sk_store *store = r.devices[number].store;
    sk_auto_peers peers = {.count = 0};
    struct sk_log log;
    size_t ends = 0;
    EXPECT_OK(sk_log_get(store, SK_LOG_OWN, &log, &sk_test_err));
    r_equal("entries of a device", (long long)log.size, device->history.size);
    EXPECT_OK(sk_peers_load(store, &peers, &sk_test_err));
    for (int i = 0; i < M_ARCHIVES; i++) {
        const struct m_end *end = &device->ends[i];
        for (size_t p = 0; end->there && p < peers.count; p++) {
            const struct sk_peer *peer = &peers.items[p];
            if (memcmp(peer->archive_id, sk_store_id(r.archives[i].store), SK_HASH_LEN) != 0)
                continue;
            compare_marks("exported", &peer->exported, &end->exported);
            compare_marks("acknowledged", &peer->acknowledged, &end->acknowledged);
            compare_marks("wanted", &peer->wanted, &end->wanted);
            r_equal("newest receipt", (long long)peer->number, end->number);
            r_equal("revoked from", r_revoked(peer->revoked), end->revoked);
            r_compare_end_keys(peer, end);
            r_compare_offers(store, peer->id, end->offers);
            ends++;
        }
    }
    r_equal("archives of a device", (long long)peers.count, (long long)ends);
    for (int p = 0; p < device->history.size; p++)
        compare_item(store, device, &m.entries[device->history.at[p]]);
    compare_purged(store, device);
}

/* ---- the lists of an archive ---- */

struct listing {
    int archive;
    const struct m_log_at *log;
    int count;
};

static enum sk_status see_quarantined(void *context, const struct sk_quarantined *q,
                                      struct sk_error *err)
{
    struct listing *listing = context;
    const struct m_archive *archive = &m.archives[listing->archive];
    (void)err;
    if (listing->count == archive->quarantine_count)
        r_fail("more bundles are in quarantine than in the model");
    const struct m_quarantined *expected = &archive->quarantine[listing->count++];
    const struct m_file *file = &m.files[expected->file];
    r_equal("number in quarantine", (long long)q->bundle, file->number);
    r_equal("its beginning", (long long)q->n0, file->n0);
    r_equal("its end", (long long)q->n1, file->n1);
    r_equal("its log", q->log,
            m_log_find(&m.archives[listing->archive], file->log) - archive->logs + 1);
    if (strcmp(q->reason, r_reason(expected)) != 0)
        r_fail("it waits since \"%s\", and not \"%s\"", q->reason, r_reason(expected));
    return SK_OK;
}

static enum sk_status see_malformed(void *context, int64_t log, uint64_t position,
                                    const char *reason, struct sk_error *err)
{
    struct listing *listing = context;
    (void)log, (void)reason, (void)err;
    listing->count++;
    if (!m_is_malformed(&m.archives[listing->archive], listing->log, (int)position))
        r_fail("entry %llu is listed as malformed", (unsigned long long)position);
    if (m.entries[listing->log->held[position]].type == SK_TYPE_CONTINUATION)
        m_met(M_CONTINUES_NOT_MET);
    if (m_is_astray(listing->log, (int)position))
        m_met(M_ASTRAY_MET);
    else if (m.entries[listing->log->held[position]].form)
        m_met(M_FORM_LACKS_MET);
    return SK_OK;
}

/* A title's own word stands for the entry. */
static bool title_of(const struct sk_item *item, const struct m_entry *entry)
{
    return m_same_id(&item->id, &entry->id) && strcmp(item->title, entry->title) == 0;
}

static enum sk_status see_item(void *context, const struct sk_item *item, struct sk_error *err)
{
    struct listing *listing = context;
    const struct m_archive *archive = &m.archives[listing->archive];
    struct m_kin kin;
    (void)err;
    m_kin_of(archive, &kin);
    int log = (int)item->log - 1;
    struct m_item expected = m_item_at(archive, &kin, &archive->logs[log], &item->id);
    listing->count++;
    r_equal("listed and withdrawn", expected.erased, false);
    if (expected.shown == M_NONE)
        r_fail("\"%s\" is listed", item->title);
    if (!title_of(item, &m.entries[archive->logs[log].held[expected.shown]]))
        r_fail("\"%s\" is listed in the place of another revision", item->title);
    return SK_OK;
}

/* ---- the items of one log ---- */

static bool first_of_item(const struct m_log_at *log, int position)
{
    for (int p = 0; p < position; p++)
        if (log->held[p] != M_NONE &&
            m_same_id(&m.entries[log->held[p]].id, &m.entries[log->held[position]].id))
            return false;
    return true;
}

/* Whether something of an item is here, though nothing is shown of it. */
static bool has_text(const struct m_log_at *log, const struct sk_id *id)
{
    for (int p = 0; p < M_LOG; p++)
        if (log->held[p] != M_NONE && log->payload[p] && m_same_id(&m.entries[log->held[p]].id, id))
            return true;
    return false;
}

/* Returns whether it is listed. */
static bool compare_item_at(int number, const struct m_kin *kin, int log, int position)
{
    const struct m_archive *archive = &m.archives[number];
    const struct m_log_at *at = &archive->logs[log];
    const struct sk_id *id = &m.entries[at->held[position]].id;
    struct m_item expected = m_item_at(archive, kin, at, id);
    sk_auto_item item = {.title = NULL};
    EXPECT_OK(sk_item_get(r.archives[number].store, log + 1, id, &item, &sk_test_err));
    r_equal("revision at an archive", item.revision, expected.revision);
    if (item.erased != expected.erased)
        r_fail("archive %d, log %d, item at %d: %s, and the model says %s", number, at->log,
               position, item.erased ? "withdrawn" : "there",
               expected.erased ? "withdrawn" : "there");
    if (expected.erased && has_text(at, id)) /* it is kept, and waits for its form */
        m_met(M_FORM_WITHDRAWN_MET);
    if (expected.shown == M_NONE || expected.erased)
        return false;
    const struct m_entry *shown = &m.entries[at->held[expected.shown]];
    r_equal("position shown", (long long)item.position, expected.shown);
    if (!sk_type_is_record(shown->type))
        return false;
    if (strcmp(item.title, shown->title) != 0)
        r_fail("an archive shows \"%s\" and not \"%s\"", item.title, shown->title);
    bool listed = m_listed(archive, kin, log, id);
    if (!listed)
        m_met(M_HIDDEN_MET);
    return listed;
}

static void compare_payloads(int number, int log)
{
    const struct m_log_at *at = &m.archives[number].logs[log];
    for (int p = 0; p < M_LOG; p++) {
        bool found = false;
        if (at->held[p] == M_NONE)
            continue;
        sk_auto_payload payload = SK_PAYLOAD_INIT;
        EXPECT_OK(sk_payload_load(r.archives[number].store, log + 1, (uint64_t)p, &payload, &found,
                                  &sk_test_err));
        if (found != at->payload[p])
            r_fail("archive %d, log %d, what entry %d commits to is %s", number, at->log, p,
                   found ? "there" : "not there");
    }
}

static void compare_lacking(struct sk_store *store, int row, const struct m_log_at *at)
{
    sk_auto_ranges lacking = SK_RANGES_INIT;
    EXPECT_OK(sk_lacking_ranges(store, row + 1, &lacking, &sk_test_err));
    for (int p = 0; p < M_LOG; p++)
        r_equal("lacking", sk_ranges_contain(&lacking, (uint64_t)p), at->lacking[p]);
}

static void compare_revoked(struct sk_store *store, int row, const struct m_log_at *at)
{
    uint64_t from = 0;
    uint64_t marked = 0;
    int held = 0;
    EXPECT_OK(sk_log_revoked(store, row + 1, &from, &sk_test_err));
    r_equal("a log is revoked from", r_revoked(from), at->revoked);
    EXPECT_OK(sk_log_held_from(store, row + 1, from, &marked, &sk_test_err));
    for (int p = at->revoked; p < M_LOG; p++)
        held += at->held[p] != M_NONE;
    r_equal("entries with a mark", (long long)marked, held);
}

/* Returns how many of its records are listed. */
static int compare_log(int number, const struct m_kin *kin, int row)
{
    const struct m_archive *archive = &m.archives[number];
    struct sk_store *store = r.archives[number].store;
    const struct m_log_at *at = &archive->logs[row];
    struct listing malformed = {.archive = number, .log = at};
    sk_auto_ranges held = SK_RANGES_INIT;
    uint64_t apart = 0;
    int64_t heir = 0;
    struct sk_log log;
    int listed = 0;
    EXPECT_OK(sk_log_get(store, row + 1, &log, &sk_test_err));
    r_equal("which log it is", memcmp(log.log_id, r.log_ids[at->log], SK_HASH_LEN), 0);
    r_equal("its state", log.state, at->state);
    r_equal("its size", (long long)log.size, m_held_size(at));
    EXPECT_OK(sk_log_ranges(store, row + 1, &held, &sk_test_err));
    for (int p = 0; p < M_LOG; p++)
        r_equal("held", sk_ranges_contain(&held, (uint64_t)p), at->held[p] != M_NONE);
    compare_payloads(number, row);
    compare_revoked(store, row, at);
    compare_lacking(store, row, at);
    for (int p = 0; p < M_LOG; p++)
        if (at->held[p] != M_NONE && first_of_item(at, p))
            listed += compare_item_at(number, kin, row, p);
    EXPECT_OK(sk_malformed_each(store, row + 1, see_malformed, &malformed, &sk_test_err));
    r_equal("malformed", malformed.count, m_malformed(archive, at, 0, M_LOG));
    EXPECT_OK(sk_log_apart(store, row + 1, &apart, &heir, &sk_test_err));
    r_equal("entries that stand apart", (long long)apart, m_apart(archive, kin, row));
    if (apart > 0)
        m_met(M_APART_MET);
    return listed;
}

void r_compare_archive(int number)
{
    const struct m_archive *archive = &m.archives[number];
    struct sk_store *store = r.archives[number].store;
    struct listing quarantine = {.archive = number};
    struct listing items = {.archive = number};
    struct m_kin kin;
    int listed = 0;
    m_kin_of(archive, &kin);
    r_equal("logs of an archive", sk_test_sql_int(store, "SELECT count(*) FROM log"),
            archive->log_count);
    for (int i = 0; i < archive->log_count; i++) {
        listed += compare_log(number, &kin, i);
        for (int j = 0; j < archive->log_count; j++)
            if (kin.size[i][j] != M_NONE)
                m_met(M_CONTINUES_MET);
    }
    r_compare_keys(number);
    r_compare_offers(store, 0, archive->offers);
    EXPECT_OK(sk_quarantined_each(store, see_quarantined, &quarantine, &sk_test_err));
    r_equal("bundles in quarantine", quarantine.count, archive->quarantine_count);
    EXPECT_OK(sk_item_each(store, 0, see_item, &items, &sk_test_err));
    r_equal("records listed", items.count, listed);
}

/* ---- words ---- */

static enum sk_status count_item(void *context, const struct sk_item *item, struct sk_error *err)
{
    (void)item, (void)err;
    ++*(int *)context;
    return SK_OK;
}

/* In how many logs the archive holds what an entry says, and whether it is listed. */
static int holds(const struct m_archive *archive, int entry, bool *shown)
{
    struct m_kin kin;
    int count = 0;
    m_kin_of(archive, &kin);
    *shown = false;
    for (int i = 0; i < archive->log_count; i++)
        for (int p = 0; p < M_LOG; p++) {
            const struct m_log_at *log = &archive->logs[i];
            if (log->held[p] != entry || !log->payload[p])
                continue;
            count++;
            struct m_item item = m_item_at(archive, &kin, log, &m.entries[entry].id);
            *shown = *shown || (item.shown == p && !item.erased &&
                                m_listed(archive, &kin, i, &m.entries[entry].id));
        }
    return count;
}

static int count_text(struct sk_store *store, const char *sql, const char *word)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt, sql, &sk_test_err));
    sk_bind_text(stmt, 1, word);
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    return (int)sk_column_int(stmt, 0);
}

/* Each word that was ever written stands where the model says, and nowhere else. */
void r_compare_words(int number)
{
    struct sk_store *store = r.archives[number].store;
    for (int i = 0; i < m.entry_count; i++) {
        const struct m_entry *entry = &m.entries[i];
        char word[32];
        bool shown = false;
        int found = 0;
        if (!sk_type_is_record(entry->type))
            continue;
        (void)snprintf(word, sizeof(word), "tok%dq", i);
        int count = holds(&m.archives[number], i, &shown);
        r_equal("texts with a word",
                count_text(store, "SELECT count(*) FROM payload WHERE instr(text, ?1) > 0", word),
                count);
        EXPECT_OK(sk_item_search(store, word, count_item, &found, &sk_test_err));
        r_equal("found by a word", found > 0, shown);
        if (count == 0)
            r_equal("titles with it",
                    count_text(store, "SELECT count(*) FROM item WHERE instr(title, ?1) > 0", word),
                    0);
        if (count == 0)
            r_equal("reasons with it",
                    count_text(store, "SELECT count(*) FROM malformed WHERE instr(reason, ?1) > 0",
                               word),
                    0);
    }
}

static void report(void *context, const char *sentence)
{
    ++*(int *)context;
    (void)fprintf(stderr, "    verify: %s\n", sentence);
}

void r_verify(struct sk_store *store)
{
    int problems = 0;
    EXPECT_OK(sk_verify(store, report, &problems, NULL, &sk_test_err));
    r_equal("problems that verify finds", problems, 0);
}
