/*
 * One action after the other, and the end of a sequence.
 */
#include "tests/model/real.h"

#include <string.h>

#define WHOLE  3
#define ROUNDS 6

static const char *const kind_names[] = {
#define R_KIND_NAME(name, weight) #name,
    R_ACTIONS(R_KIND_NAME)
#undef R_KIND_NAME
};
static const unsigned weights[] = {
#define R_KIND_WEIGHT(name, weight) weight,
    R_ACTIONS(R_KIND_WEIGHT)
#undef R_KIND_WEIGHT
};

const char *r_kind_name(enum r_kind kind)
{
    return kind_names[kind];
}

unsigned r_weight(enum r_kind kind)
{
    return weights[kind];
}

bool r_act(const struct r_action *action)
{
    if (m.file_count >= M_FILES - 2 * ROUNDS * M_DEVICES)
        return false; /* the end wants some */
    return r_act_device(action) || r_act_export(action) || r_act_archive(action) ||
           r_act_receipt(action) || r_act_copy(action) || r_act_revoke(action) ||
           r_act_purge(action) || r_act_salvage(action) || r_act_renew(action) ||
           r_act_form(action);
}

/* ---- the end ---- */

/* Whether the archive has not had that file, and could. */
static bool deliverable(int archive, int file)
{
    const struct m_file *f = &m.files[file];
    for (int i = 0; i < f->slot_count && !f->receipt && !f->lost; i++) {
        const struct m_slot *slot = &f->slots[i];
        const struct m_pair_at *pair = &m.archives[archive].pairs[slot->pair];
        int spent_by = M_NONE;
        if (m.pairs[slot->pair].archive == archive && pair->there)
            return m_opens(&m.archives[archive], slot) != M_NONE &&
                   m_chain_find(&pair->receive, slot->index, &spent_by) == M_MATCH_READY;
    }
    return false;
}

static void deliver_bundles(void)
{
    char path[48];
    for (int archive = 0; archive < M_ARCHIVES; archive++) {
        for (int file = 0; file < m.file_count; file++)
            if (deliverable(archive, file)) {
                r_file_path(path, file);
                r_import(archive, file, path, WHOLE);
            }
        for (int i = 0; i < m.archives[archive].log_count; i++) {
            const struct r_action approve = {R_APPROVE,
                                             {(uint32_t)archive, 8 * (uint32_t)i + 1, 0}};
            if (m.archives[archive].logs[i].state == SK_LOG_STATE_WAITING)
                (void)r_act_archive(&approve);
        }
    }
}

/* Archives answer where something came since they did. */
static void deliver_receipts(void)
{
    static int answered[M_DEVICES][M_ARCHIVES]; /* changes of the archive then, and 1 */
    char path[48];
    for (int device = 0; device < M_DEVICES; device++)
        for (int archive = 0; archive < M_ARCHIVES; archive++) {
            struct m_log_at *log = m_log_find(&m.archives[archive], m.devices[device].log);
            int receipt = m.file_count;
            if (!log || !m.devices[device].ends[archive].there ||
                answered[device][archive] == r.changes[archive] + 1 ||
                !r_receipt(archive, (int)(log - m.archives[archive].logs)))
                continue;
            answered[device][archive] = r.changes[archive] + 1;
            r_file_path(path, receipt);
            r_take(device, receipt, path, WHOLE);
        }
}

static bool sends_to(const struct m_end *end)
{
    return end->there && end->revoked == M_NEVER;
}

static bool all_acknowledged(int device)
{
    const struct m_device *d = &m.devices[device];
    for (int archive = 0; archive < M_ARCHIVES; archive++)
        for (int p = 0; sends_to(&d->ends[archive]) && p < d->history.size; p++)
            if (!d->ends[archive].acknowledged.at[p])
                return false;
    return true;
}

/* A documenter sends what is new or asked for; and, since nobody asks for a last bundle that was
 * lost, nor an archive that was put back for what it lacks, whatever is not acknowledged. */
static bool export_all(int round)
{
    int before = m.file_count;
    bool behind = r.behind[0] || r.behind[1];
    for (int device = 0; device < M_DEVICES; device++) {
        bool everything = round == 0 ? behind : round == 1 && !all_acknowledged(device);
        if (m.file_count < M_FILES)
            (void)r_export(device, everything);
    }
    return m.file_count > before || round == 0;
}

/* ---- what an honest device may rely on ---- */

/* Whether keys of both sides are still within what the other searches. */
static bool in_reach(const struct m_end *end, const struct m_pair_at *pair, int archive)
{
    return pair->there && end->send <= pair->receive.next + M_FAR &&
           pair->send <= end->receive.next + M_FAR && !r.behind[archive];
}

/* And has no newer keys that the archive has not seen. */
static bool was_left_behind(const struct m_end *end, const struct m_archive *archive,
                            const struct m_log_at *log)
{
    const struct m_slot slot = {.key = m_seals_to(end)};
    return m_left_behind(archive, end->pair, log) && m_opens(archive, &slot) == M_NONE;
}

static void check_complete(int number, int archive)
{
    const struct m_device *device = &m.devices[number];
    const struct m_end *end = &device->ends[archive];
    const struct m_log_at *log = m_log_find(&m.archives[archive], device->log);
    if (!sends_to(end) || device->history.size == 0 || (log && log->revoked != M_NEVER) ||
        !in_reach(end, &m.archives[archive].pairs[end->pair], archive) ||
        was_left_behind(end, &m.archives[archive], log))
        return;
    if (!log || log->state != SK_LOG_STATE_ENROLLED)
        r_fail("archive %d has not taken the log of device %d", archive, number);
    for (int p = 0; p < device->history.size; p++) {
        r_equal("an entry that is missing at the end", log->held[p], device->history.at[p]);
        r_equal("acknowledged at the end", end->acknowledged.at[p], true);
        r_equal("wanted at the end", end->wanted.at[p], false);
        if (m_has(device, p))
            r_equal("with what it commits to", log->payload[p] || log->gone[p], true);
    }
    if (m.archives[archive].forgotten > 0)
        m_met(M_COMPLETE_KEYS_MET);
    m_met(M_COMPLETE_MET);
}

/* What an archive acknowledged is there, with what it commits to unless that was withdrawn, or was
 * purged before it came (then a receipt says so, and who has it sends it; check_complete() looks at
 * that). An archive that was put back may have lost it. */
static void check_acknowledged(int number, int archive)
{
    const struct m_device *device = &m.devices[number];
    const struct m_end *end = &device->ends[archive];
    const struct m_log_at *log = m_log_find(&m.archives[archive], device->log);
    for (int p = 0; end->there && !r.behind[archive] && p < device->history.size; p++) {
        if (!end->acknowledged.at[p])
            continue;
        r_equal("what was acknowledged is held", log ? log->held[p] : M_NONE,
                device->history.at[p]);
        if (log && m_has(device, p) && !m.bare[device->log].at[p])
            r_equal("with its payload", log->payload[p] || log->gone[p], true);
    }
}

/* Whether an archive has what an entry commits to, in any log, or had it and it was withdrawn. */
static bool has_somewhere(const struct m_archive *archive, int entry)
{
    for (int i = 0; i < archive->log_count; i++)
        for (int p = 0; p < M_LOG; p++)
            if (archive->logs[i].held[p] == entry &&
                (archive->logs[i].payload[p] || archive->logs[i].gone[p]))
                return true;
    return false;
}

/* Nothing that a device purged is missing where it was promised to be. */
static void check_purged(int number, int archive)
{
    const struct m_device *device = &m.devices[number];
    for (int p = 0; p < device->history.size; p++) {
        if (!(device->promised[p] & 1u << archive) || r.behind[archive])
            continue;
        r_equal("what was purged is at an archive",
                has_somewhere(&m.archives[archive], device->history.at[p]), true);
        m_met(M_PURGED_SAFE_MET);
    }
}

void r_end(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        deliver_bundles();
        deliver_receipts();
        if (!export_all(round))
            break;
    }
    for (int device = 0; device < M_DEVICES; device++) {
        r_verify(r.devices[device].store);
        for (int archive = 0; archive < M_ARCHIVES && r.clean[device]; archive++)
            check_complete(device, archive);
        for (int archive = 0; archive < M_ARCHIVES; archive++) {
            check_acknowledged(device, archive);
            check_purged(device, archive);
        }
    }
    for (int archive = 0; archive < M_ARCHIVES; archive++) {
        r_compare_words(archive);
        r_verify(r.archives[archive].store);
    }
}
