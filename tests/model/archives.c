/*
 * What an archive does: imports, and approvals.
 */
#include "sync/import.h"
#include "sync/import_parts.h"
#include "tests/model/real.h"
#include "tests/support/sim/live.h"

#include <stdio.h>
#include <string.h>

/* Where a bit is flipped: in N0, in the header, in a chunk. */
enum place { IN_TAG, IN_HEADER, IN_CHUNK, PLACES };

int r_damaged_copy(int file, uint32_t by, char path[static 48])
{
    static const size_t from[PLACES] = {0, 1100, 65536};
    static const size_t count[PLACES] = {32, 64000, 65536};
    char whole[48];
    size_t len = 0;
    enum place place = (enum place)(by % PLACES);
    r_file_path(whole, file);
    uint8_t *bytes = sk_sim_file_bytes(whole, &len);
    size_t offset = from[place] + by / 8 % count[place];
    bytes[offset] ^= (uint8_t)(1u << by / 8 % 8);
    r_path(path, "stick", "damaged");
    sk_sim_make_file(path, bytes, len);
    sk_sim_free(bytes);
    return (int)place;
}

/* ---- what is to be expected of an import ---- */

struct expected {
    enum sk_status status;
    bool known, waiting, fork;
    int entries_new, entries_known, quarantined;
    struct m_log_at *log; /* NULL: of none */
    const char *reason;
};

const char *r_reason(const struct m_quarantined *q)
{
    static const char *const reasons[] = {
        [M_WAITS] = "another device came under this invite: it waits for `approve`",
        [M_FORK] = SK_REASON_FORK,
        [M_FROZEN] = SK_REASON_FROZEN,
    };
    static char revoked[128];
    if (q->reason != M_REVOKED)
        return reasons[q->reason];
    (void)snprintf(revoked, sizeof(revoked), SK_REASON_REVOKED, (uint64_t)q->from);
    return revoked;
}

static struct expected refuse(enum sk_status status, enum m_outcome met)
{
    m_met(met);
    return (struct expected){.status = status};
}

static const struct m_quarantined *quarantined(const struct m_archive *archive, int file)
{
    for (int i = 0; i < archive->quarantine_count; i++)
        if (archive->quarantine[i].file == file)
            return &archive->quarantine[i];
    return NULL;
}

static void put_aside(struct m_archive *archive, int file, enum m_reason reason,
                      struct expected *out)
{
    struct m_quarantined *aside = &archive->quarantine[archive->quarantine_count++];
    *aside = (struct m_quarantined){file, reason, out->log->revoked};
    out->waiting = true;
    out->quarantined = m.files[file].n1 - m.files[file].n0;
    out->reason = r_reason(aside);
}

/* The file that spent an index comes again, or another one under it. */
static struct expected meet_spent(struct m_archive *archive, struct m_pair_at *pair,
                                  const struct m_slot *slot, int file, int spent_by, int flip)
{
    const struct m_file *f = &m.files[file];
    const struct m_quarantined *aside = quarantined(archive, file);
    struct expected out = {.known = true, .log = m_log_find(archive, f->log)};
    if (spent_by != file) {
        bool told = false;
        for (int i = 0; i < pair->notice_count; i++)
            told = told || pair->notices[i] == slot->index;
        if (!told && pair->notice_count == M_NOTICES)
            memmove(pair->notices, pair->notices + 1,
                    (size_t)--pair->notice_count * sizeof(pair->notices[0]));
        if (!told)
            pair->notices[pair->notice_count++] = slot->index;
        return refuse(SK_REFUSED, M_USED_TWICE_MET);
    }
    if (flip != PLACES)
        return refuse(SK_REFUSED, M_DAMAGED_SPENT_MET);
    m_met(M_KNOWN_MET);
    out.fork = out.log->state == SK_LOG_STATE_FROZEN;
    out.waiting = aside != NULL;
    out.reason = aside ? r_reason(aside) : "";
    if (aside)
        out.quarantined = f->n1 - f->n0;
    else
        out.entries_known = f->n1 - f->n0;
    return out;
}

struct m_log_at *r_place_log(struct m_archive *archive, int pair, int log)
{
    struct m_log_at *at = m_log_find(archive, log);
    if (at)
        return at;
    at = &archive->logs[archive->log_count++];
    *at = (struct m_log_at){.log = log,
                            .pair = pair,
                            .state = SK_LOG_STATE_ENROLLED,
                            .revoked = M_NEVER,
                            .shown = M_NONE};
    for (int i = 0; i < M_LOG; i++)
        at->held[i] = M_NONE;
    if (archive->pairs[pair].log == M_NONE)
        archive->pairs[pair].log = log;
    else
        at->state = SK_LOG_STATE_WAITING;
    return at;
}

static bool has_gap(const struct m_log_at *log)
{
    for (int i = m_held_size(log); i < M_LOG; i++)
        if (log->held[i] != M_NONE)
            return true;
    return false;
}

static void take_into(struct m_archive *archive, struct m_log_at *log, int file,
                      struct expected *out)
{
    const struct m_file *f = &m.files[file];
    struct m_learned learned;
    bool gap = has_gap(log);
    int size = m_held_size(log);
    int malformed = m_malformed(archive, log, f->n0, f->n1);
    m_merge(archive, log, file, &learned);
    malformed = m_malformed(archive, log, f->n0, f->n1) - malformed;
    out->entries_new = learned.entries_new;
    out->entries_known = learned.entries_known;
    out->quarantined = malformed > 0 ? malformed : 0;
    m_met(M_TAKEN_MET);
    if (learned.entries_known > 0)
        m_met(M_AGAIN_MET);
    if (malformed > 0)
        m_met(M_MALFORMED_MET);
    if (has_gap(log) && (f->n0 > size))
        m_met(M_GAP_MET);
    if (gap && m_held_size(log) > f->n1)
        m_met(M_CLOSED_MET);
}

static struct expected take_ready(struct m_archive *archive, const struct m_slot *slot, int file,
                                  int key)
{
    const struct m_file *f = &m.files[file];
    struct expected out = {.reason = ""};
    out.log = r_place_log(archive, slot->pair, f->log);
    m_chain_spend(&archive->pairs[slot->pair].receive, slot->index, file);
    m_note_keys(archive, out.log, key);
    if (out.log->state == SK_LOG_STATE_WAITING) {
        put_aside(archive, file, M_WAITS, &out);
        m_met(M_WAITING_MET);
    } else if (out.log->state == SK_LOG_STATE_FROZEN) {
        put_aside(archive, file, M_FROZEN, &out);
        m_met(M_FROZEN_MET);
    } else if (f->n1 > out.log->revoked) {
        put_aside(archive, file, M_REVOKED, &out);
        m_met(f->n0 < out.log->revoked ? M_STRADDLES_MET : M_BEHIND_MET);
    } else if (m_forks(out.log, f)) {
        out.log->state = SK_LOG_STATE_FROZEN;
        put_aside(archive, file, M_FORK, &out);
        m_met(M_FORK_MET);
    } else {
        if (out.log->revoked != M_NEVER)
            m_met(M_BEFORE_MET);
        take_into(archive, out.log, file, &out);
    }
    out.fork = out.log->state == SK_LOG_STATE_FROZEN;
    return out;
}

const struct m_slot *r_slot_for(int archive, int file)
{
    const struct m_file *f = &m.files[file];
    for (int i = 0; i < f->slot_count && !f->receipt; i++) {
        int pair = f->slots[i].pair;
        if (m.pairs[pair].archive == archive && m.archives[archive].pairs[pair].there)
            return &f->slots[i];
    }
    return NULL;
}

static void note_window(const struct m_chain *chain, int index)
{
    int ahead = index - chain->next;
    if (ahead < 0)
        m_met(M_SKIPPED_MET);
    else if (ahead > 0 && ahead < M_NEAR)
        m_met(M_NEAR_MET);
    else if (ahead >= M_NEAR)
        m_met(M_FAR_MET);
}

/* flip: PLACES when the file is whole. */
static struct expected expect_import(int number, int file, int flip)
{
    struct m_archive *archive = &m.archives[number];
    const struct m_slot *slot = r_slot_for(number, file);
    int spent_by = M_NONE;
    if (!slot)
        return refuse(SK_REFUSED, M_NOT_FOR_MET);
    struct m_pair_at *pair = &archive->pairs[slot->pair];
    enum m_match match = m_chain_find(&pair->receive, slot->index, &spent_by);
    if (flip == IN_TAG)
        return refuse(SK_REFUSED, M_DAMAGED_TAG_MET);
    if (match == M_MATCH_NONE)
        return refuse(SK_REFUSED, M_BEYOND_MET);
    if (match == M_MATCH_SPENT)
        return meet_spent(archive, pair, slot, file, spent_by, flip);
    int key = m_opens(archive, slot);
    if (key == M_NONE)
        return archive->forgotten > 0 ? refuse(SK_REFUSED, M_SEALED_FORGOTTEN_MET)
                                      : refuse(SK_DAMAGED, M_SEALED_UNKNOWN_MET);
    if (flip != PLACES) {
        r.damaged[file][number] = true;
        return refuse(SK_DAMAGED, M_DAMAGED_MET);
    }
    note_window(&pair->receive, slot->index);
    if (r.damaged[file][number])
        m_met(M_INTACT_MET);
    return take_ready(archive, slot, file, key);
}

/* ---- importing ---- */

static int64_t row_of(const struct m_archive *archive, const struct m_log_at *log)
{
    return log - archive->logs + 1;
}

static void compare_gaps(const struct sk_ranges *gaps, const struct m_log_at *log)
{
    int last = M_LOG;
    while (last > 0 && log->held[last - 1] == M_NONE)
        last--;
    for (int i = 0; i < M_LOG; i++)
        r_equal("a position in a gap", sk_ranges_contain(gaps, (uint64_t)i),
                i < last && log->held[i] == M_NONE);
}

static void compare_result(const struct m_archive *archive, const struct expected *expected,
                           int number, const struct sk_import_result *result)
{
    r_equal("known", result->known_file, expected->known);
    r_equal("waiting", result->waiting, expected->waiting);
    r_equal("fork", result->fork, expected->fork);
    r_equal("new entries", (long long)result->entries_new, expected->entries_new);
    r_equal("known entries", (long long)result->entries_known, expected->entries_known);
    r_equal("quarantined", (long long)result->quarantined, expected->quarantined);
    r_equal("row of the log", result->log, row_of(archive, expected->log));
    r_equal("number of the bundle", (long long)result->bundle, number);
    if (strcmp(result->reason, expected->reason) != 0)
        r_fail("the reason is \"%s\" and not \"%s\"", result->reason, expected->reason);
    compare_gaps(&result->gaps, expected->log);
}

void r_import(int archive, int file, const char *path, int flip)
{
    struct expected expected = expect_import(archive, file, flip);
    struct sk_import_result result = {.gaps = SK_RANGES_INIT};
    EXPECT(expected.status,
           sk_import(r.archives[archive].store, path, NULL, NULL, &result, &sk_test_err));
    r.changes[archive]++;
    if (expected.status == SK_OK)
        compare_result(&m.archives[archive], &expected, m.files[file].number, &result);
    sk_import_result_clear(&result);
    r_compare_archive(archive);
}

int r_pick_file(int archive, uint32_t by)
{
    int found[M_FILES];
    int count = 0;
    for (int i = 0; i < m.file_count; i++)
        if (!m.files[i].lost && (archive == M_NONE || r_slot_for(archive, i)))
            found[count++] = i;
    if (count == 0)
        return M_NONE;
    /* Mostly one of the newest. */
    unsigned among = by % 3 && count > 8 ? 8 : (unsigned)count;
    return found[(unsigned)count - 1 - by / 3 % among];
}

static bool import(int archive, uint32_t by, bool damaged)
{
    char path[48];
    bool any =
        (by >> 16 & 7) == 0; /* each key is tried for what is for nobody here: that is dear */
    int file = r_pick_file(any ? M_NONE : archive, by);
    if (file == M_NONE)
        return false;
    int flip = PLACES;
    r_file_path(path, file);
    if (damaged)
        flip = r_damaged_copy(file, by >> 8, path);
    r_import(archive, file, path, flip);
    return true;
}

static bool lose(uint32_t by)
{
    int file = r_pick_file(M_NONE, by);
    if (file == M_NONE)
        return false;
    m.files[file].lost = true;
    return true;
}

/* ---- approving ---- */

/* What a log sent, in the order of its numbers. */
static int next_waiting(const struct m_archive *archive, int log)
{
    int next = M_NONE;
    for (int i = 0; i < archive->quarantine_count; i++) {
        const struct m_file *f = &m.files[archive->quarantine[i].file];
        if (f->log == log &&
            (next == M_NONE || f->number < m.files[archive->quarantine[next].file].number))
            next = i;
    }
    return next;
}

struct approving {
    struct m_archive *archive;
    struct m_log_at *log;
};

static void freeze(struct approving *a, int first, struct expected *out)
{
    const struct m_file *f = &m.files[a->archive->quarantine[first].file];
    a->log->state = SK_LOG_STATE_FROZEN;
    for (int i = 0; i < a->archive->quarantine_count; i++)
        if (m.files[a->archive->quarantine[i].file].log == a->log->log)
            a->archive->quarantine[i].reason = i == first ? M_FORK : M_FROZEN;
    out->fork = out->waiting = true;
    out->quarantined = f->n1 - f->n0;
    out->reason = SK_REASON_FORK;
    m_met(M_APPROVED_FORK_MET);
}

static enum sk_status approved(void *context, const struct sk_import_result *result,
                               struct sk_error *err)
{
    struct approving *a = context;
    struct m_archive *archive = a->archive;
    struct expected expected = {.log = a->log, .reason = ""};
    int next = next_waiting(archive, a->log->log);
    (void)err;
    if (next == M_NONE) {
        r_fail("more was approved than waited");
        return SK_INTERNAL;
    }
    int file = archive->quarantine[next].file;
    const struct m_file *f = &m.files[file];
    if (m_forks(a->log, f)) {
        freeze(a, next, &expected);
    } else {
        int malformed = m_malformed(archive, a->log, 0, M_LOG);
        take_into(archive, a->log, file, &expected);
        malformed = m_malformed(archive, a->log, 0, M_LOG) - malformed;
        expected.quarantined = malformed > 0 ? malformed : 0;
        memmove(archive->quarantine + next, archive->quarantine + next + 1,
                (size_t)(--archive->quarantine_count - next) * sizeof(archive->quarantine[0]));
    }
    if (expected.fork) /* what is missing is not told with it */
        r_equal("number of the bundle", (long long)result->bundle, f->number);
    else
        compare_result(archive, &expected, f->number, result);
    r_equal("fork", result->fork, expected.fork);
    return SK_OK;
}

static bool approve(int number, uint32_t by)
{
    struct m_archive *archive = &m.archives[number];
    struct approving a = {.archive = archive};
    if (archive->log_count == 0)
        return false;
    a.log = &archive->logs[by % (unsigned)archive->log_count];
    for (int i = 0; i < archive->log_count && by % 8; i++) /* mostly one that waits */
        if (archive->logs[i].state == SK_LOG_STATE_WAITING)
            a.log = &archive->logs[i];
    bool waits = a.log->state == SK_LOG_STATE_WAITING;
    r.changes[number] += waits;
    EXPECT(waits ? SK_OK : SK_REFUSED, sk_approve(r.archives[number].store, row_of(archive, a.log),
                                                  NULL, approved, &a, &sk_test_err));
    if (!waits) {
        m_met(M_NOT_APPROVED_MET);
        return true;
    }
    if (a.log->state == SK_LOG_STATE_WAITING) {
        r_equal("left waiting", next_waiting(archive, a.log->log), M_NONE);
        a.log->state = SK_LOG_STATE_ENROLLED;
        m_met(M_APPROVED_MET);
    }
    r_compare_archive(number);
    return true;
}

bool r_act_archive(const struct r_action *action)
{
    int archive = (int)(action->by[0] % M_ARCHIVES);
    uint32_t by = action->by[1];
    switch ((int)action->kind) {
    case R_IMPORT:
        return import(archive, by, false);
    case R_IMPORT_DAMAGED:
        return import(archive, by, true);
    case R_LOSE:
        return lose(by);
    case R_APPROVE:
        return approve(archive, by);
    default:
        return false;
    }
}
