/*
 * Damaged bundles of which an archive keeps what verifies. By sync/FORMAT.md, "Salvage". Which
 * payloads a hole costs follows from how they lie in the stream, which the model does not know: it
 * looks which of them came, and foretells everything else.
 */
#include "sync/import.h"
#include "tests/model/real.h"
#include "tests/support/sim/live.h"

#include <string.h>

#define CHUNK     65536u
#define PLAIN     65520
#define HEAD_MAX  3000 /* manifest and END, of a log of this size */
#define ENTRY_MAX 1000 /* an entry with head, hashes and text of its payload */

/* ---- the damaged copy ---- */

/* Flips a bit in one chunk; which one. */
static unsigned make_copy(int file, uint32_t by, char path[static 48])
{
    char whole[48];
    size_t len = 0;
    r_file_path(whole, file);
    uint8_t *bytes = sk_sim_file_bytes(whole, &len);
    unsigned chunk = by >> 8 & 0xf;
    chunk %= (unsigned)(len / CHUNK - 1);
    bytes[CHUNK * (chunk + 1) + (by >> 12) % CHUNK] ^= 1;
    r_path(path, "stick", "torn");
    sk_sim_make_file(path, bytes, len);
    sk_sim_free(bytes);
    return chunk;
}

/* Whether all that a bundle says stands in its first chunk. */
static bool is_short(const struct m_file *file)
{
    int len = HEAD_MAX + ENTRY_MAX * (file->n1 - file->n0);
    for (int p = file->n0; p < file->n1; p++)
        len += m.entries[file->history.at[p]].len;
    return len < PLAIN;
}

/* ---- what is to be expected ---- */

/* Whether the whole bundle would be taken, and not put into quarantine. */
static bool is_taken(struct m_archive *archive, const struct m_slot *slot, int file)
{
    const struct m_file *f = &m.files[file];
    const struct m_log_at *log = m_log_find(archive, f->log);
    if (!log)
        return archive->pairs[slot->pair].log == M_NONE;
    return log->state == SK_LOG_STATE_ENROLLED && f->n1 <= log->revoked && !m_forks(log, f);
}

/* Whether it does not show what came: something hangs on what a log that continues its own has
 * withdrawn, which its payload alone says; or what comes refutes a log that has. */
static bool is_unclear(const struct m_archive *archive, int file)
{
    static struct m_archive probe;
    const struct m_file *f = &m.files[file];
    static struct m_believed believed;
    struct m_kin kin;
    m_note_believed(archive, &believed);
    probe = *archive;
    struct m_log_at *log = m_log_find(&probe, f->log);
    for (int p = f->n0; log && p < f->n1; p++) {
        log->held[p] = f->history.at[p];
        log->payload[p] = log->payload[p] || f->payload[p];
    }
    if (m_is_refuted(&probe, &believed))
        return true;
    m_kin_of(&probe, &kin);
    for (int p = f->n0; log && p < f->n1; p++)
        if (m_gone(&probe, &kin, log, p) != m_gone_itself(&probe, &kin, log, p))
            return true;
    return false;
}

/* ---- what came ---- */

struct torn {
    struct m_log_at *log;
    const struct m_file *file;
    struct m_marks before, came;
    int kept;
    bool lost;
};

static void see_payloads(struct sk_store *store, int row, struct torn *torn)
{
    for (int p = torn->file->n0; p < torn->file->n1; p++) {
        sk_auto_payload payload = SK_PAYLOAD_INIT;
        bool found = false;
        EXPECT_OK(sk_payload_load(store, row + 1, (uint64_t)p, &payload, &found, &sk_test_err));
        torn->came.at[p] = torn->file->payload[p] && found && !torn->before.at[p];
        torn->kept += torn->came.at[p];
    }
}

/* Whether a payload is known to be lost: it was sent, is not here, and was not withdrawn. */
static bool is_lost(const struct m_archive *archive, const struct torn *torn)
{
    struct m_kin kin;
    m_kin_of(archive, &kin);
    for (int p = torn->file->n0; p < torn->file->n1; p++)
        if (torn->file->payload[p] && !torn->log->payload[p] &&
            m_gone(archive, &kin, torn->log, p) == M_GONE_NOT)
            return true;
    return false;
}

/* How many may have come and gone again, since related logs withdrew them: their number is told
 * before that is settled. */
static int count_gone(const struct m_archive *archive, const struct torn *torn)
{
    struct m_kin kin;
    int count = 0;
    m_kin_of(archive, &kin);
    for (int p = torn->file->n0; p < torn->file->n1; p++) {
        enum m_gone gone = m_gone(archive, &kin, torn->log, p);
        count += torn->file->payload[p] && (gone == M_GONE_LATER || gone == M_GONE_BEFORE);
    }
    return count;
}

static void compare_result(const struct torn *torn, const struct m_learned *learned, int row,
                           int malformed, const struct sk_import_result *result)
{
    r_equal("salvaged", result->salvaged, true);
    r_equal("waiting", result->waiting || result->known_file || result->fork, false);
    r_equal("new entries", (long long)result->entries_new, learned->entries_new);
    r_equal("known entries", (long long)result->entries_known, learned->entries_known);
    r_equal("put aside", (long long)result->quarantined, malformed);
    r_equal("row of the log", result->log, row + 1);
    r_equal("number of the bundle", (long long)result->bundle, torn->file->number);
    for (int p = 0; p < M_LOG; p++)
        r_equal("lacking of the bundle", sk_ranges_contain(&result->lacking, (uint64_t)p),
                p >= torn->file->n0 && p < torn->file->n1 && torn->log->lacking[p]);
}

/* ---- salvaging ---- */

static void keep(int number, const struct m_slot *slot, int file, const char *path)
{
    struct m_archive *archive = &m.archives[number];
    struct sk_store *store = r.archives[number].store;
    struct sk_import_result result = {.gaps = SK_RANGES_INIT};
    struct m_learned learned;
    struct torn torn = {.file = &m.files[file]};
    torn.log = r_place_log(archive, slot->pair, torn.file->log);
    int row = (int)(torn.log - archive->logs);
    int malformed = m_malformed(archive, torn.log, torn.file->n0, torn.file->n1);
    memcpy(torn.before.at, torn.log->payload, sizeof(torn.before.at));
    EXPECT_OK(sk_import_salvage(store, path, NULL, NULL, &result, &sk_test_err));
    see_payloads(store, row, &torn);
    torn.lost = !is_short(torn.file) && result.lacking.count > 0;
    struct m_archive before = *archive;
    m_salvage(archive, torn.log, file, &torn.came, torn.lost, &learned);
    if (!torn.lost && is_lost(archive, &torn)) {
        if (is_short(torn.file))
            r_fail("a payload was lost to a hole behind it");
        *archive = before;
        m_salvage(archive, torn.log, file, &torn.came, true, &learned);
    }
    malformed = m_malformed(archive, torn.log, torn.file->n0, torn.file->n1) - malformed;
    compare_result(&torn, &learned, row, malformed > 0 ? malformed : 0, &result);
    int more = (int)result.payloads - torn.kept;
    if (more < 0 || more > count_gone(archive, &torn))
        r_fail("%d payloads are told as kept, and %d were", torn.kept + more, torn.kept);
    m_met(is_lost(archive, &torn) ? M_SALVAGED_MET : M_SALVAGED_ALL_MET);
    sk_import_result_clear(&result);
}

/* It is sealed to keys that the archive has forgotten, or never had. */
static void fail_closed(int number, const char *path)
{
    struct sk_import_result result = {.gaps = SK_RANGES_INIT};
    bool forgot = m.archives[number].forgotten > 0;
    EXPECT(forgot ? SK_REFUSED : SK_DAMAGED,
           sk_import_salvage(r.archives[number].store, path, NULL, NULL, &result, &sk_test_err));
    m_met(M_SALVAGED_KEYS_MET);
}

bool r_act_salvage(const struct r_action *action)
{
    int number = (int)(action->by[0] % M_ARCHIVES);
    uint32_t by = action->by[1];
    struct m_archive *archive = &m.archives[number];
    char path[48];
    int spent_by = M_NONE;
    if (action->kind != R_SALVAGE)
        return false;
    int file = r_pick_file(number, by & 0xff);
    if (file == M_NONE)
        return false;
    const struct m_slot *slot = r_slot_for(number, file);
    if (m_chain_find(&archive->pairs[slot->pair].receive, slot->index, &spent_by) !=
            M_MATCH_READY ||
        is_unclear(archive, file))
        return false;
    unsigned chunk = make_copy(file, by, path);
    r.damaged[file][number] = true;
    r.changes[number]++;
    if (m_opens(archive, slot) == M_NONE) {
        fail_closed(number, path);
    } else if (chunk > 0 && is_taken(archive, slot, file)) {
        keep(number, slot, file, path);
    } else {
        struct sk_import_result result = {.gaps = SK_RANGES_INIT};
        m_met(chunk > 0 ? M_SALVAGED_BARRED_MET : M_SALVAGED_NOT_MET);
        EXPECT(SK_DAMAGED, sk_import_salvage(r.archives[number].store, path, NULL, NULL, &result,
                                             &sk_test_err));
    }
    r_compare_archive(number);
    return true;
}
