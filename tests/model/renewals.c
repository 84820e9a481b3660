/*
 * Keys of archives that are renewed and forgotten: what both ends make of it, by sync/FORMAT.md,
 * "Renewed keys"; and, of who is waited for before old ones are forgotten, sync/renew.h. The
 * actions stand below.
 */
#include "sync/peer.h"
#include "sync/receipt.h"
#include "sync/renew.h"
#include "tests/model/real.h"

#include <string.h>

/* ---- at the archive ---- */

int m_newest_keys(const struct m_archive *archive)
{
    return archive->key_count - 1;
}

static bool has_next(const struct m_archive *archive)
{
    return m_newest_keys(archive) > archive->forgotten;
}

int m_opens(const struct m_archive *archive, const struct m_slot *slot)
{
    for (int i = archive->forgotten; i < archive->key_count; i++)
        if (archive->keys[i] == slot->key)
            return i;
    return M_NONE;
}

int m_known_keys(const struct m_archive *archive, int pair, const struct m_log_at *log)
{
    int carried = archive->pairs[pair].carried;
    return log && log->shown > carried ? log->shown : carried;
}

bool m_left_behind(const struct m_archive *archive, int pair, const struct m_log_at *log)
{
    return m_known_keys(archive, pair, log) < archive->forgotten;
}

void m_note_keys(const struct m_archive *archive, struct m_log_at *log, int key)
{
    int known = m_known_keys(archive, log->pair, log);
    if (key == archive->forgotten && has_next(archive))
        m_met(M_SEALED_OLD_MET);
    if (key < known)
        m_met(M_SEALED_LATE_MET);
    if (key <= known)
        return;
    m_met(known < archive->forgotten ? M_LEFT_ANSWERED_MET : M_SEALED_NEXT_MET);
    log->shown = key;
}

void m_sign(const struct m_archive *archive, const struct m_log_at *log, struct m_file *receipt)
{
    int known = m_known_keys(archive, log->pair, log);
    int newest = m_newest_keys(archive);
    receipt->signer = archive->keys[known];
    receipt->next = known < newest ? archive->keys[newest] : M_NONE;
}

/* ---- at the device ---- */

int m_seals_to(const struct m_end *end)
{
    return end->announced != M_NONE ? end->announced : end->in_force;
}

enum sk_status m_check_keys(const struct m_end *end, const struct m_file *receipt)
{
    if (receipt->signer == end->announced)
        return SK_OK;
    if (receipt->signer != end->in_force) {
        bool given_up = receipt->signer == end->before;
        m_met(given_up ? M_GIVEN_UP_MET : M_SIGNED_UNKNOWN_MET);
        return given_up ? SK_REFUSED : SK_DAMAGED;
    }
    if (end->announced == M_NONE || receipt->number <= end->number ||
        receipt->next == end->announced)
        return SK_OK;
    m_met(M_NOT_NAMED_MET);
    return SK_REFUSED;
}

bool m_keep_keys(struct m_end *end, const struct m_file *receipt)
{
    if (receipt->signer == end->announced) {
        m_met(M_IN_FORCE_MET);
        if (receipt->next != M_NONE)
            m_met(M_IN_FORCE_NEXT_MET);
        end->before = end->in_force;
        end->in_force = end->announced;
        end->announced = M_NONE;
    }
    if (receipt->next == M_NONE || end->announced != M_NONE)
        return false;
    m_met(M_ANNOUNCED_MET);
    end->announced = receipt->next;
    return true;
}

/* ---- comparing ---- */

static void compare_pair(const char *what, const uint8_t *dh, const uint8_t *sign, int key)
{
    r_equal(what, memcmp(dh, r.keys[key].dh_public, SK_DH_LEN), 0);
    r_equal(what, memcmp(sign, r.keys[key].sign_public, SK_SIGN_PUBLIC_LEN), 0);
}

void r_compare_end_keys(const struct sk_peer *peer, const struct m_end *end)
{
    const struct sk_known_keys *known = &peer->known;
    compare_pair("keys in force", peer->dh_public, peer->sign_public, end->in_force);
    r_equal("keys are announced", known->announced, end->announced != M_NONE);
    if (known->announced)
        compare_pair("they are", known->next.dh_public, known->next.sign_public, end->announced);
    r_equal("keys were given up", known->renewed, end->before != M_NONE);
    if (known->renewed)
        compare_pair("they were", known->before.dh_public, known->before.sign_public, end->before);
}

void r_compare_new_keys(const struct sk_receipt_result *result, int keys)
{
    uint8_t id[SK_HASH_LEN];
    r_equal("new keys told", result->new_keys, keys != M_NONE);
    if (keys == M_NONE)
        return;
    sk_archive_keys_id(id, r.keys[keys].sign_public, r.keys[keys].dh_public);
    r_equal("their safety number", memcmp(id, result->keys_id, sizeof(id)), 0);
}

static enum sk_keys_state state_of(const struct m_archive *archive, int pair,
                                   const struct m_log_at *log)
{
    if (m_left_behind(archive, pair, log))
        return SK_KEYS_LOST;
    return m_known_keys(archive, pair, log) < m_newest_keys(archive) ? SK_KEYS_NOT_TAKEN
                                                                     : SK_KEYS_TAKEN;
}

struct walk {
    const struct m_archive *archive;
    int logs;   /* seen so far */
    int pair;   /* the next one without a log */
    int waited; /* for how many */
};

/* Logs come first, in the order of their rows; then invites under which nothing came. */
static enum sk_status see_device(void *context, const struct sk_keys_device *device,
                                 struct sk_error *err)
{
    struct walk *walk = context;
    const struct m_archive *archive = walk->archive;
    const struct m_log_at *log = NULL;
    (void)err;
    if (device->log != 0) {
        r_equal("a device's log", device->log, ++walk->logs);
        log = &archive->logs[walk->logs - 1];
        r_equal("it is revoked", device->revoked, log->revoked != M_NEVER);
    } else {
        while (walk->pair < M_PAIRS &&
               (!archive->pairs[walk->pair].there || archive->pairs[walk->pair].log != M_NONE))
            walk->pair++;
        r_equal("more invites than in the model", walk->pair < M_PAIRS, true);
    }
    int pair = log ? log->pair : walk->pair++;
    enum sk_keys_state expected = state_of(archive, pair, log);
    r_equal("keys that a device has shown", device->state, expected);
    walk->waited += expected == SK_KEYS_NOT_TAKEN && !(log && log->revoked != M_NEVER);
    return SK_OK;
}

/* Returns for how many devices a forgetting would wait. */
static int compare_devices(int number)
{
    struct walk walk = {.archive = &m.archives[number]};
    EXPECT_OK(sk_keys_each(r.archives[number].store, see_device, &walk, &sk_test_err));
    r_equal("logs of devices", walk.logs, walk.archive->log_count);
    for (int pair = walk.pair; pair < M_PAIRS; pair++)
        r_equal("an invite that is not told",
                walk.archive->pairs[pair].there && walk.archive->pairs[pair].log == M_NONE, false);
    return walk.waited;
}

void r_compare_keys(int number)
{
    const struct m_archive *archive = &m.archives[number];
    struct sk_archive_keys keys;
    sk_archive_keys(r.archives[number].store, &keys);
    r_equal("number of the keys in force", (long long)keys.number, archive->forgotten);
    compare_pair("an archive's keys", keys.dh_public, keys.sign_public,
                 archive->keys[archive->forgotten]);
    r_equal("an archive has next keys", sk_archive_next_keys(r.archives[number].store, &keys),
            has_next(archive));
    if (has_next(archive))
        compare_pair("its next keys", keys.dh_public, keys.sign_public,
                     archive->keys[m_newest_keys(archive)]);
    (void)compare_devices(number);
}

/* ---- the actions ---- */

void r_note_keys(int number)
{
    struct m_archive *archive = &m.archives[number];
    sk_archive_newest_keys(r.archives[number].store, &r.keys[m.key_count]);
    archive->keys[archive->key_count++] = m.key_count++;
}

static bool renew(int number)
{
    struct m_archive *archive = &m.archives[number];
    bool may = !has_next(archive);
    if (archive->key_count == M_RENEWALS || m.key_count == M_KEYS)
        return false;
    EXPECT(may ? SK_OK : SK_REFUSED, sk_archive_renew(r.archives[number].store, &sk_test_err));
    m_met(may ? M_RENEWED_MET : M_RENEW_REFUSED_MET);
    if (may)
        r_note_keys(number);
    return true;
}

static void note_left_behind(const struct m_archive *archive)
{
    for (int i = 0; i < archive->log_count; i++)
        if (m_known_keys(archive, archive->logs[i].pair, &archive->logs[i]) ==
            archive->forgotten - 1)
            m_met(M_LEFT_BEHIND_MET);
}

static bool forget(int number, bool leave_behind)
{
    struct m_archive *archive = &m.archives[number];
    bool any = has_next(archive);
    bool may = any && (leave_behind || compare_devices(number) == 0);
    EXPECT(may ? SK_OK : SK_REFUSED,
           sk_keys_forget(r.archives[number].store, leave_behind, &sk_test_err));
    if (!may) {
        m_met(any ? M_FORGET_WAITS_MET : M_FORGET_NONE_MET);
        return true;
    }
    archive->forgotten++;
    note_left_behind(archive);
    m_met(M_FORGOT_KEYS_MET);
    return true;
}

bool r_act_renew(const struct r_action *action)
{
    int archive = (int)(action->by[0] % M_ARCHIVES);
    bool done = false;
    if (action->kind == R_RENEW)
        done = renew(archive);
    if (action->kind == R_FORGET)
        done = forget(archive, action->by[1] % 4 == 0);
    if (done)
        r_compare_archive(archive);
    return done;
}
