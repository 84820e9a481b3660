/*
 * Receipts, at both ends; invites; and a whole round of what people do with them.
 */
#include "sync/invite_parts.h"
#include "sync/peer.h"
#include "sync/receipt.h"
#include "tests/model/real.h"
#include "tests/support/sim/live.h"

#include <stdio.h>
#include <string.h>

#define WHOLE 3 /* no bit is flipped */

/* ---- writing ---- */

static int count_words(const struct m_archive *archive, const struct m_log_at *log)
{
    int count = archive->pairs[log->pair].notice_count;
    for (int i = 0; i < archive->quarantine_count; i++)
        count += m.files[archive->quarantine[i].file].log == log->log;
    return count + m_malformed(archive, log, 0, M_LOG);
}

static bool is_stored(const struct m_log_at *log, int position)
{
    return position < M_LOG && log->held[position] != M_NONE && !log->lacking[position];
}

static void fill_stored(const struct m_log_at *log, struct m_file *file)
{
    int last = 0;
    for (int p = 0; p < M_LOG; p++) {
        file->lacking.at[p] = log->lacking[p];
        file->stored.at[p] = is_stored(log, p);
        if (log->held[p] != M_NONE)
            last = p + 1;
        if (!is_stored(log, p) || is_stored(log, p + 1))
            continue;
        if (!m_known_at(log, p + 1, &file->ends[file->stored_count++]))
            r_fail("nothing is known of the end of what is held");
    }
    for (int p = 0; p < last; p++)
        file->wanted.at[p] = log->held[p] == M_NONE || log->lacking[p];
}

/* What would not be taken is not asked for. */
static void cut_wanted(const struct m_log_at *log, struct m_file *file)
{
    file->revoked = log->revoked;
    for (int p = 0; p < M_LOG; p++) {
        if (log->lacking[p])
            m_met(M_LACKING_ASKED_MET);
        if (log->revoked == M_NEVER || !file->wanted.at[p])
            continue;
        m_met(p < log->revoked ? M_WANTED_BEFORE_MET : M_WANTED_CUT_MET);
        file->wanted.at[p] = p < log->revoked;
    }
}

/* Whether what an entry commits to is not here and would not be taken, though its own log has not
 * withdrawn it. */
static bool is_elsewhere(const struct m_archive *archive, const struct m_kin *kin,
                         const struct m_log_at *log, int p)
{
    return is_stored(log, p) && !log->payload[p] &&
           m.entries[log->held[p]].type != SK_TYPE_ERASURE && !m_would_take(archive, kin, log, p) &&
           m_gone(archive, kin, log, p) != M_GONE_OWN;
}

/* Entries of which what they commit to would still be taken, or would not. */
static void fill_only(const struct m_archive *archive, const struct m_log_at *log,
                      struct m_file *file)
{
    struct m_kin kin;
    m_kin_of(archive, &kin);
    for (int p = 0; p < M_LOG; p++) {
        file->only.at[p] = is_stored(log, p) && m_would_take(archive, &kin, log, p);
        if (file->only.at[p])
            m_met(M_BARE_MET);
        file->elsewhere.at[p] = is_elsewhere(archive, &kin, log, p);
    }
}

bool r_receipt(int number, int row)
{
    struct m_archive *archive = &m.archives[number];
    char path[48];
    char code[SK_CODE_LEN];
    if (m.file_count == M_FILES)
        return false;
    const struct m_log_at *log = &archive->logs[row];
    struct m_pair_at *pair = &archive->pairs[log->pair];
    bool left = m_left_behind(archive, log->pair, log);
    r_file_path(path, m.file_count);
    EXPECT(left ? SK_REFUSED : SK_OK,
           sk_receipt_write(r.archives[number].store, row + 1, path, code, &sk_test_err));
    r_equal("a receipt is there", sk_file_exists(path), !left);
    if (left) {
        m_met(M_NO_RECEIPT_MET);
        return false;
    }
    struct m_file *file = &m.files[m.file_count++];
    *file = (struct m_file){.receipt = true, .log = log->log, .archive = number};
    file->slot_count = 1;
    file->slots[0] = (struct m_slot){log->pair, pair->send++, M_NONE};
    file->number = ++pair->number;
    file->words = count_words(archive, log);
    m_sign(archive, log, file);
    m_fill_offers(archive, log, file);
    (void)m_known_at(log, m_held_size(log), &file->history);
    fill_stored(log, file);
    cut_wanted(log, file);
    fill_only(archive, log, file);
    for (int p = 0; p < M_LOG; p++)
        file->malformed.at[p] = m_is_malformed(archive, log, p);
    return true;
}

/* Many receipts that could not be written. */
static bool burn(int number, uint32_t by)
{
    static const int counts[] = {1, 63, 64, 65, 200, 4094, 4096};
    struct m_archive *archive = &m.archives[number];
    struct sk_store *store = r.archives[number].store;
    struct sk_store *txn = NULL;
    sk_auto_peer peer = {.id = 0};
    if (archive->log_count == 0)
        return false;
    const struct m_log_at *log = &archive->logs[by % (unsigned)archive->log_count];
    int count = counts[by / 64 % (sizeof(counts) / sizeof(counts[0]))];
    struct sk_log row;
    EXPECT_OK(sk_log_get(store, log - archive->logs + 1, &row, &sk_test_err));
    EXPECT_OK(sk_peer_load(store, row.peer, &peer, &sk_test_err));
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    for (int i = 0; i < count; i++) {
        struct sk_slot_keys keys;
        uint64_t index = 0;
        EXPECT_OK(sk_chain_take(store, peer.send, &index, &keys, &sk_test_err));
    }
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    archive->pairs[log->pair].send += count;
    return true;
}

/* ---- taking ---- */

struct expected {
    enum sk_status status;
    bool again; /* this very file */
    bool older, rollback;
    bool new_keys;
    struct r_forms forms;
    int revoked, lost, purged, bare, withdrawn;
};

static struct expected refuse(enum sk_status status, enum m_outcome met)
{
    m_met(met);
    return (struct expected){.status = status};
}

/* Whether the device never held what the archive says it stores. */
static bool is_rollback(const struct m_device *device, const struct m_file *file)
{
    if (!m_same(&file->history, &device->history, file->history.size))
        return true;
    for (int i = 0; i < file->stored_count; i++)
        if (!m_same(&file->ends[i], &device->history, file->ends[i].size))
            return true;
    return false;
}

/* What the archive had acknowledged, and does not store any more, or asks for. */
static int count_lost(const struct m_end *end, const struct m_file *file)
{
    int count = 0;
    for (int p = 0; p < M_LOG; p++)
        count += end->acknowledged.at[p] &&
                 ((!file->stored.at[p] && !end->wanted.at[p]) || file->wanted.at[p]);
    if (count > 0)
        m_met(M_LOST_MET);
    return count;
}

static int count_asked(const struct m_marks *purged, const struct m_file *file)
{
    int count = 0;
    for (int p = 0; p < M_LOG; p++)
        count += purged->at[p] && file->wanted.at[p];
    if (count > 0)
        m_met(M_PURGED_ASKED_MET);
    return count;
}

static void keep_revoked(struct m_end *end, const struct m_file *file)
{
    if (end->revoked == M_NEVER && file->revoked != M_NEVER)
        m_met(M_TOLD_MET);
    if (end->revoked < file->revoked)
        m_met(file->revoked == M_NEVER ? M_TOLD_KEPT_MET : M_TOLD_LATER_MET);
    else
        end->revoked = file->revoked;
}

/* What neither side has. */
static int count_bare(const struct m_marks *purged, const struct m_file *file)
{
    int count = 0;
    for (int p = 0; p < M_LOG; p++)
        count += purged->at[p] && file->only.at[p];
    return count;
}

/* What the archive has erased by the word of a related log, and the device has. */
static int count_elsewhere(const struct m_device *device, const struct m_file *file)
{
    int count = 0;
    for (int p = 0; p < device->history.size; p++)
        count += file->elsewhere.at[p] && m_has(device, p);
    if (count > 0)
        m_met(M_ELSEWHERE_MET);
    return count;
}

/* Whether the device sends it again: it is asked for, or the archive has the entry alone. */
static bool is_wanted(const struct m_device *device, const struct m_file *file, int p)
{
    if (p >= device->history.size)
        return false;
    if (file->only.at[p] && m_has(device, p))
        m_met(M_BARE_SENT_MET);
    return file->wanted.at[p] || (file->only.at[p] && m_has(device, p));
}

static void keep(const struct m_device *device, struct m_end *end, int number)
{
    const struct m_file *file = &m.files[number];
    end->number = file->number;
    end->newest = number;
    keep_revoked(end, file);
    for (int p = 0; p < M_LOG; p++) {
        bool wanted = is_wanted(device, file, p);
        end->acknowledged.at[p] = end->acknowledged.at[p] || file->stored.at[p];
        end->wanted.at[p] = wanted;
        end->exported.at[p] = end->exported.at[p] && !wanted;
        if (wanted)
            m_met(M_WANTED_MET);
    }
}

static struct expected meet_spent(const struct m_end *end, int spent_by, int file, int flip)
{
    if (spent_by != file || flip != WHOLE)
        return refuse(SK_REFUSED, spent_by != file ? M_RECEIPT_SPENT_MET : M_RECEIPT_DAMAGED_MET);
    m_met(M_RECEIPT_AGAIN_MET);
    return (struct expected){.again = true, .older = true, .revoked = end->revoked};
}

static struct expected read_receipt(struct m_device *device, struct m_end *end, int number,
                                    int flip)
{
    const struct m_file *file = &m.files[number];
    int index = file->slots[0].index;
    struct expected out = {.status = SK_OK};
    if (flip != WHOLE)
        return refuse(SK_DAMAGED, M_RECEIPT_DAMAGED_MET);
    if (file->log != device->log)
        return refuse(SK_DAMAGED, M_RECEIPT_OTHERS_MET);
    out.status = m_check_keys(end, file);
    if (out.status != SK_OK)
        return out;
    if (index - end->receive.next >= M_NEAR)
        m_met(M_RECEIPT_FAR_MET);
    out.older = file->number <= end->number;
    out.rollback = is_rollback(device, file);
    if (out.older)
        m_met(M_RECEIPT_OLDER_MET);
    if (out.rollback)
        m_met(M_ROLLBACK_MET);
    out.revoked = end->revoked;
    if (!out.older && file->revoked < end->revoked)
        out.revoked = file->revoked;
    if (out.rollback && out.revoked < end->revoked)
        m_met(M_TOLD_ONLY_MET);
    if (out.older || out.rollback)
        return out;
    m_met(M_RECEIPT_MET);
    m_chain_spend(&end->receive, index, number);
    out.lost = count_lost(end, file);
    out.purged = count_asked(&device->purged, file);
    out.bare = count_bare(&device->purged, file);
    out.withdrawn = count_elsewhere(device, file);
    out.new_keys = m_keep_keys(end, file);
    keep(device, end, number);
    out.forms = r_keep_forms(device, end, file);
    return out;
}

static struct expected expect_take(int number, int file, int flip)
{
    struct m_device *device = &m.devices[number];
    const struct m_file *f = &m.files[file];
    struct m_end *end = &device->ends[f->archive];
    int spent_by = M_NONE;
    if (!f->receipt || !end->there || end->pair != f->slots[0].pair || flip == 0)
        return refuse(SK_REFUSED, M_RECEIPT_NOT_FOR_MET);
    switch (m_chain_find(&end->receive, f->slots[0].index, &spent_by)) {
    case M_MATCH_NONE:
        return refuse(SK_REFUSED, M_RECEIPT_BEYOND_MET);
    case M_MATCH_SPENT:
        return meet_spent(end, spent_by, file, flip);
    case M_MATCH_READY:
        break;
    }
    return read_receipt(device, end, file, flip);
}

static int lines(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

/* What left and was neither acknowledged nor asked for. */
static int count_on_way(const struct m_end *end)
{
    int count = 0;
    for (int p = 0; p < M_LOG; p++)
        count += end->exported.at[p] && !end->acknowledged.at[p];
    return count;
}

static int total(const struct m_marks *marks)
{
    int count = 0;
    for (int p = 0; p < M_LOG; p++)
        count += marks->at[p];
    return count;
}

void r_take(int device, int file, const char *path, int flip)
{
    struct expected expected = expect_take(device, file, flip);
    struct sk_receipt_result result = {.notes = NULL};
    EXPECT(expected.status, sk_receipt_take(r.devices[device].store, path, &result, &sk_test_err));
    if (expected.status == SK_OK) {
        const struct m_file *f = &m.files[file];
        const struct m_end *end = &m.devices[device].ends[f->archive];
        r_equal("older", result.older, expected.older);
        r_equal("rollback", result.rollback, expected.rollback);
        r_equal("its number", (long long)result.number, expected.again ? 0 : f->number);
        r_equal("newest receipt", (long long)result.newest, end->number);
        r_equal("arrived", (long long)result.arrived, total(&end->acknowledged));
        r_equal("wanted", (long long)result.wanted, total(&end->wanted));
        r_equal("revoked from", r_revoked(result.revoked), expected.revoked);
        r_equal("lost", (long long)result.lost, expected.lost);
        r_equal("asked for and purged", (long long)result.purged, expected.purged);
        r_equal("nowhere but elsewhere", (long long)result.bare, expected.bare);
        r_equal("withdrawn elsewhere", (long long)sk_ranges_total(&result.withdrawn),
                expected.withdrawn);
        r_equal("on its way", (long long)result.on_way,
                expected.again || expected.older || expected.rollback ? 0 : count_on_way(end));
        r_compare_new_keys(&result, expected.new_keys ? end->announced : M_NONE);
        r_equal("lines for a person", lines(result.notes),
                expected.again ? 0 : f->words + expected.rollback + expected.forms.words);
        r_compare_forms(device, &expected.forms, &result);
    }
    sk_receipt_result_clear(&result);
    r_compare_device(device);
}

/* Mostly a receipt for this device, else any file at all. */
static int pick_receipt(int device, uint32_t by)
{
    int found[M_FILES];
    int count = 0;
    for (int i = 0; i < m.file_count; i++) {
        const struct m_file *f = &m.files[i];
        if (!f->lost &&
            (by % 16 == 0 || (f->receipt && (by % 8 == 1 || f->log == m.devices[device].log))))
            found[count++] = i;
    }
    unsigned among = by / 8 % 3 && count > 2 ? 2 : (unsigned)count;
    return count > 0 ? found[(unsigned)count - 1 - by / 24 % among] : M_NONE;
}

static bool take(int device, uint32_t by, bool damaged)
{
    char path[48];
    int file = pick_receipt(device, by);
    if (file == M_NONE)
        return false;
    int flip = WHOLE;
    r_file_path(path, file);
    if (damaged)
        flip = r_damaged_copy(file, by >> 8, path);
    r_take(device, file, path, flip);
    return true;
}

/* ---- invites ---- */

void r_invite(int archive, int device)
{
    struct sk_store *store = r.archives[archive].store;
    uint8_t content[SK_INVITE_PLAIN_LEN];
    sk_auto_invite made = {.alias = ""};
    char alias[32];
    int64_t peer = 0;
    struct r_invite *invite = &r.invites[r.invite_count++];
    *invite = (struct r_invite){.pair = m.pair_count++, .device = device};
    r_path(invite->path, "far", "invite");
    (void)snprintf(alias, sizeof(alias), "device %d, invite %d", device, invite->pair);
    sk_invite_fill(&made, store, alias);
    sk_invite_encode(content, &made, sk_invite_seed(store));
    EXPECT_OK(sk_invite_add_device(store, &made, &peer, &sk_test_err));
    sk_sim_make_file(invite->path, content, sizeof(content));
    struct m_archive *at = &m.archives[archive];
    int newest = m_newest_keys(at);
    m.pairs[invite->pair].archive = archive;
    m.pairs[invite->pair].key = at->keys[newest];
    at->pairs[invite->pair] = (struct m_pair_at){.there = true, .log = M_NONE, .carried = newest};
    if (newest > at->forgotten)
        m_met(M_INVITED_NEXT_MET);
}

bool r_accept(int device, const struct r_invite *invite)
{
    struct m_end *end = &m.devices[device].ends[m.pairs[invite->pair].archive];
    sk_auto_invite taken = {.alias = ""};
    size_t len = 0;
    if (end->there)
        return false;
    uint8_t *content = sk_sim_file_bytes(invite->path, &len);
    EXPECT_OK(sk_invite_decode(&taken, content, &sk_test_err));
    EXPECT_OK(sk_invite_add_archive(r.devices[device].store, &taken, &sk_test_err));
    sk_sim_free(content);
    *end = (struct m_end){.there = true,
                          .pair = invite->pair,
                          .newest = M_NONE,
                          .revoked = M_NEVER,
                          .in_force = m.pairs[invite->pair].key,
                          .announced = M_NONE,
                          .before = M_NONE};
    const struct m_archive *at = &m.archives[m.pairs[invite->pair].archive];
    if (at->pairs[invite->pair].there && m_left_behind(at, invite->pair, NULL))
        m_met(M_INVITED_OLD_MET);
    return true;
}

static bool invite(int archive, int device)
{
    if (m.devices[device].ends[archive].there || m.pair_count == M_PAIRS)
        return false;
    r_invite(archive, device);
    return r_accept(device, &r.invites[r.invite_count - 1]);
}

/* ---- a round of all ---- */

/* A device sends, every archive takes and answers, and the device takes the answers. */
static bool round_of(int device)
{
    char path[48];
    int first = m.file_count;
    if (!r_export(device, false) || m.file_count == first)
        return false;
    for (int i = 0; i < M_ARCHIVES; i++) {
        if (!m.devices[device].ends[i].there)
            continue;
        r_file_path(path, first);
        if (m.devices[device].ends[i].revoked == M_NEVER)
            r_import(i, first, path, WHOLE);
        struct m_log_at *log = m_log_find(&m.archives[i], m.devices[device].log);
        int receipt = m.file_count;
        if (!log || !r_receipt(i, (int)(log - m.archives[i].logs)))
            continue;
        r_file_path(path, receipt);
        r_take(device, receipt, path, WHOLE);
    }
    return true;
}

bool r_act_receipt(const struct r_action *action)
{
    uint32_t by = action->by[1];
    int archive = (int)(by >> 16) % M_ARCHIVES;
    int device = (int)(action->by[0] % M_DEVICES);
    int logs = m.archives[archive].log_count;
    switch ((int)action->kind) {
    case R_RECEIPT:
        return logs > 0 && r_receipt(archive, (int)(by % (unsigned)logs));
    case R_BURN_RECEIPTS:
        return burn(archive, by);
    case R_TAKE:
        return take(device, by, false);
    case R_TAKE_DAMAGED:
        return take(device, by, true);
    case R_INVITE:
        return invite(archive, device);
    case R_ROUND:
        return round_of(device);
    default:
        return false;
    }
}
