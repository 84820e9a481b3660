#include "sync/import.h"

#include "core/continuation.h"
#include "sync/deliver.h"
#include "sync/import_parts.h"
#include "sync/peer.h"
#include "sync/renew.h"
#include "sync/volume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_WAITS "another device came under this invite: it waits for `approve`"

static void arrival_clear(struct sk_arrival *a)
{
    sk_wipe(&a->found, sizeof(a->found));
    sk_wipe(&a->unlocked, sizeof(a->unlocked));
    free(a->header);
}

void sk_import_result_clear(struct sk_import_result *result)
{
    sk_ranges_clear(&result->gaps);
    sk_ranges_clear(&result->lacking);
}

/* ---- opening ---- */

static enum sk_status agree(void *context, uint8_t shared[static SK_DH_LEN],
                            const uint8_t public_key[static SK_DH_LEN])
{
    const struct sk_arrival *a = context;
    return sk_archive_dh(a->store, a->keys.number, shared, public_key);
}

static bool slot_opens(struct sk_arrival *a)
{
    return sk_volume_try_slot(a->header, a->found.slot, &a->found.keys, agree, a,
                              a->keys.dh_public) == SK_OK;
}

/* Under which of this archive's keys the slot opens: the next, or those in force. Where none does,
 * the envelope says that it is damaged, if there never were others. */
static enum sk_status find_keys(struct sk_arrival *a, struct sk_error *err)
{
    if (sk_archive_next_keys(a->store, &a->keys) && slot_opens(a))
        return SK_OK;
    sk_archive_keys(a->store, &a->keys);
    if (a->keys.number == 0 || slot_opens(a))
        return SK_OK;
    return sk_fail(err, SK_REFUSED,
                   "%s: it is sealed to keys that this archive has forgotten or never had, or its "
                   "beginning is damaged. Its device sends what is in it again once a receipt asks "
                   "for it",
                   a->path);
}

/* All that this process reads of a bundle itself: a header of a fixed size. What lies behind it
 * goes through a worker. */
static enum sk_status unlock(struct sk_arrival *a, struct sk_error *err)
{
    return sk_envelope_unlock(&a->unlocked, a->file, a->header, a->found.slot, &a->found.keys,
                              agree, a, a->keys.dh_public, err);
}

static struct sk_unpack_from from_file(const struct sk_arrival *a)
{
    return (struct sk_unpack_from){
        .file = a->file, .header = a->header, .unlocked = &a->unlocked, .progress = a->progress};
}

/* A file of any length may be salvaged, once it was seen that this one is for this archive. */
static enum sk_status open_arrival(struct sk_arrival *a, struct sk_error *err)
{
    a->header = malloc(SK_VOLUME_HEADER_LEN);
    if (!a->header)
        return sk_fail_status(err, SK_NOMEM);
    if (a->salvage)
        SK_TRY(sk_envelope_load_any(a->file, a->header, err));
    else
        SK_TRY(sk_envelope_load_header(a->file, a->header, err));
    return sk_peer_match(a->store, a->header, &a->found, &a->peer, err);
}

/* ---- which log it is for ---- */

static enum sk_status enrol(struct sk_store *store, int64_t peer, int64_t log, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt, "UPDATE peer SET log = ?2 WHERE id = ?1", err));
    sk_bind_int(stmt, 1, peer);
    sk_bind_int(stmt, 2, log);
    return sk_run(stmt, err);
}

/* A log that was not known: the first one under an invite is enrolled, a further one waits. */
static enum sk_status new_log(struct sk_arrival *a, struct sk_intake *in, struct sk_error *err)
{
    sk_auto_peer peer = {.id = 0};
    SK_TRY(sk_peer_load(a->store, a->peer, &peer, err));
    struct sk_log log = {.peer = peer.id,
                         .state = peer.log ? SK_LOG_STATE_WAITING : SK_LOG_STATE_ENROLLED};
    memcpy(log.log_id, in->log_id, sizeof(log.log_id));
    memcpy(log.sign_public, in->manifest.sign_public, sizeof(log.sign_public));
    memcpy(log.dh_public, in->manifest.dh_public, sizeof(log.dh_public));
    memcpy(log.alias, peer.alias, sizeof(log.alias));
    SK_TRY(sk_log_create(a->store, &log, err));
    if (!peer.log)
        SK_TRY(enrol(a->store, peer.id, log.id, err));
    in->log = log;
    return SK_OK;
}

/* A bundle that reaches behind the position from which its log is revoked is not taken. */
static enum sk_status check_revoked(struct sk_arrival *a, const struct sk_intake *in,
                                    const char **reason, struct sk_error *err)
{
    uint64_t from = SK_NOT_REVOKED;
    SK_TRY(sk_log_revoked(a->store, in->log.id, &from, err));
    if (in->manifest.n1 <= from)
        return SK_OK;
    (void)snprintf(a->revoked, sizeof(a->revoked), SK_REASON_REVOKED, from);
    *reason = a->revoked;
    return SK_OK;
}

/* Finds or makes the log; *reason tells why the bundle goes to quarantine, NULL if it does not. */
static enum sk_status place(struct sk_arrival *a, struct sk_intake *in, const char **reason,
                            struct sk_error *err)
{
    bool found = false;
    SK_TRY(sk_log_find(a->store, in->log_id, &in->log, &found, err));
    if (!found)
        SK_TRY(new_log(a, in, err));
    *reason = in->log.state == SK_LOG_STATE_WAITING  ? REASON_WAITS
              : in->log.state == SK_LOG_STATE_FROZEN ? SK_REASON_FROZEN
                                                     : NULL;
    return *reason ? SK_OK : check_revoked(a, in, reason, err);
}

/* ---- one bundle, inside a transaction ---- */

/* The bundle was verified to its last byte: which keys its device has is known as well. */
static enum sk_status spend(struct sk_arrival *a, int64_t log, const uint8_t file_hash[static 32],
                            const uint8_t header_hash[static 32], struct sk_error *err)
{
    sk_auto_peer peer = {.id = 0};
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_peer_load(a->store, a->peer, &peer, err));
    SK_TRY(sk_keys_note(a->store, a->peer, log, a->keys.number, err));
    SK_TRY(sk_chain_spend(a->store, peer.receive, a->found.index, file_hash, header_hash, err));
    SK_TRY(sk_db_prepare(sk_store_db(a->store), &stmt,
                         "UPDATE chain_index SET n0 = ?3 WHERE chain = ?1 AND idx = ?2", err));
    sk_bind_int(stmt, 1, peer.receive);
    sk_bind_int(stmt, 2, (int64_t)a->found.index);
    sk_bind_bytes(stmt, 3, a->header, SK_N0_KEPT);
    return sk_run(stmt, err);
}

static void fill_result(struct sk_import_result *result, const struct sk_intake *in)
{
    (void)snprintf(result->device, sizeof(result->device), "%s", in->log.alias);
    result->log = in->log.id;
    result->bundle = in->manifest.number;
    result->fork = in->log.state == SK_LOG_STATE_FROZEN;
}

/* Verifies the bundle from its first byte again and keeps it whole. */
static enum sk_status put_aside(struct sk_arrival *a, const struct sk_log *log, const char *reason,
                                struct sk_import_result *result, struct sk_error *err)
{
    const struct sk_unpack_from from = from_file(a);
    struct sk_intake in = {.store = a->store};
    uint8_t file_hash[32];
    SK_TRY(sk_quarantine_add(&in, &from, a->worker, log->id, a->peer, reason, file_hash, err));
    SK_TRY(spend(a, log->id, file_hash, a->unlocked.header_hash, err));
    in.log = *log;
    fill_result(result, &in);
    result->waiting = true;
    result->quarantined = in.manifest.n1 - in.manifest.n0;
    (void)snprintf(result->reason, sizeof(result->reason), "%s", reason);
    SK_TRY(sk_continuation_settle(a->store, log->log_id, err)); /* it is known, though it waits */
    return sk_log_gaps(a->store, log->id, &result->gaps, err);
}

/* Reads into the log. in->fork: nothing of it may be committed. */
static enum sk_status take_into_log(struct sk_arrival *a, struct sk_intake *in,
                                    struct sk_import_result *result, struct sk_error *err)
{
    const struct sk_manifest *m = &in->manifest;
    uint64_t before = 0;
    uint64_t after = 0;
    uint8_t file_hash[32];
    SK_TRY(sk_malformed_count(a->store, in->log.id, m->n0, m->n1, &before, err));
    SK_TRY(sk_intake_entries(in, err));
    if (in->fork)
        return SK_OK;
    SK_TRY(sk_intake_payloads(in, err));
    SK_TRY(sk_unpack_end(in->unpack, file_hash, err));
    SK_TRY(sk_intake_finish(in, err));
    if (in->fork)
        return SK_OK;
    SK_TRY(spend(a, in->log.id, file_hash, in->header_hash, err));
    SK_TRY(sk_malformed_count(a->store, in->log.id, m->n0, m->n1, &after, err));
    fill_result(result, in);
    result->entries_new = in->entries_new;
    result->entries_known = in->entries_known;
    result->quarantined = after > before ? after - before : 0; /* some were withdrawn */
    return sk_log_gaps(a->store, in->log.id, &result->gaps, err);
}

static enum sk_status take(struct sk_arrival *a, struct sk_intake *in,
                           struct sk_import_result *result, struct sk_error *err)
{
    sk_auto_unpack unpack = NULL;
    const struct sk_unpack_from from = from_file(a);
    const struct sk_intake_envelope envelope = {a->unlocked.header_hash, a->unlocked.set_id};
    const char *reason = NULL;
    SK_TRY(sk_unpack_open(&unpack, &from, a->worker, err));
    *in = (struct sk_intake){.store = a->store, .unpack = unpack, .keep = true};
    SK_TRY(sk_intake_manifest(in, &envelope, err));
    SK_TRY(place(a, in, &reason, err));
    return reason ? put_aside(a, &in->log, reason, result, err) : take_into_log(a, in, result, err);
}

/* Both histories are kept: the log as it is, frozen, and the bundle as evidence. */
static enum sk_status freeze(struct sk_arrival *a, const struct sk_intake *in,
                             struct sk_import_result *result, struct sk_error *err)
{
    struct sk_log log;
    bool found = false;
    SK_TRY(sk_log_find(a->store, in->log_id, &log, &found, err));
    if (!found)
        return sk_fail(err, SK_INTERNAL, "a log that is not there has two histories");
    SK_TRY(sk_log_set_state(a->store, log.id, SK_LOG_STATE_FROZEN, err));
    log.state = SK_LOG_STATE_FROZEN;
    return put_aside(a, &log, SK_REASON_FORK, result, err);
}

static enum sk_status take_ready(struct sk_arrival *a, struct sk_import_result *result,
                                 struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    struct sk_intake in = {.store = a->store};
    SK_TRY(unlock(a, err));
    SK_TRY(sk_store_begin(&txn, a->store, err));
    SK_TRY(take(a, &in, result, err));
    if (in.fork) {
        sk_store_rollback(a->store);
        txn = NULL;
        SK_TRY(sk_store_begin(&txn, a->store, err));
        SK_TRY(freeze(a, &in, result, err));
    }
    return sk_store_commit(&txn, err);
}

/* ---- what is left of a damaged one ---- */

/* What was kept, and what its device still has to send. */
static enum sk_status tell_salvaged(struct sk_arrival *a, const struct sk_intake *in,
                                    struct sk_import_result *result, struct sk_error *err)
{
    sk_auto_ranges bundle = SK_RANGES_INIT;
    sk_auto_ranges lacking = SK_RANGES_INIT;
    fill_result(result, in);
    result->salvaged = true;
    result->entries_new = in->entries_new;
    result->entries_known = in->entries_known;
    result->payloads = in->payloads_kept;
    SK_TRY(sk_ranges_add(&bundle, in->manifest.n0, in->manifest.n1, err));
    SK_TRY(sk_lacking_ranges(a->store, in->log.id, &lacking, err));
    SK_TRY(sk_ranges_common(&result->lacking, &lacking, &bundle, err));
    return sk_log_gaps(a->store, in->log.id, &result->gaps, err);
}

#define MAY_BE_FORK                                                                               \
    "its entries are not those that are here: if a whole copy says the same, the device has two " \
    "histories"

/*
 * Manifest and entries have to be whole, since nothing tells one entry without the others from one
 * that somebody made. A damaged bundle puts nothing into quarantine and freezes no log: it could
 * not be verified to its last byte.
 */
static enum sk_status salvage_into_log(struct sk_arrival *a, struct sk_intake *in,
                                       struct sk_import_result *result, struct sk_error *err)
{
    const struct sk_intake_envelope envelope = {a->unlocked.header_hash, a->unlocked.set_id};
    const struct sk_manifest *m = &in->manifest;
    const char *reason = NULL;
    uint64_t before = 0;
    uint64_t after = 0;
    SK_TRY(sk_intake_manifest(in, &envelope, err));
    SK_TRY(place(a, in, &reason, err));
    if (reason)
        return sk_fail(err, SK_DAMAGED, "%s", reason);
    SK_TRY(sk_malformed_count(a->store, in->log.id, m->n0, m->n1, &before, err));
    SK_TRY(sk_intake_entries(in, err));
    if (!in->fork)
        SK_TRY(sk_intake_payloads(in, err));
    if (!in->fork)
        SK_TRY(sk_intake_finish(in, err));
    if (in->fork)
        return sk_fail(err, SK_DAMAGED, MAY_BE_FORK);
    SK_TRY(sk_malformed_count(a->store, in->log.id, m->n0, m->n1, &after, err));
    result->quarantined = after > before ? after - before : 0; /* a form may have come */
    return tell_salvaged(a, in, result, err);
}

static enum sk_status salvage_ready(struct sk_arrival *a, struct sk_import_result *result,
                                    struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    sk_auto_unpack unpack = NULL;
    struct sk_unpack_from from = from_file(a);
    struct sk_intake in = {.store = a->store, .keep = true, .salvage = true};
    from.salvage = true;
    SK_TRY(sk_envelope_unlock_any(&a->unlocked, a->file, a->header, a->found.slot, &a->found.keys,
                                  agree, a, a->keys.dh_public, err));
    SK_TRY(sk_store_begin(&txn, a->store, err));
    SK_TRY(sk_unpack_open(&unpack, &from, a->worker, err));
    in.unpack = unpack;
    SK_TRY(salvage_into_log(a, &in, result, err));
    return sk_store_commit(&txn, err);
}

/* Whole if it can be had whole. What cannot be read is damaged too: sticks fail in places. */
static enum sk_status take_or_salvage(struct sk_arrival *a, struct sk_import_result *result,
                                      struct sk_error *err)
{
    struct sk_error damage = SK_ERROR_INIT;
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status first = take_ready(a, result, &damage);
    if (first == SK_OK)
        return SK_OK;
    if (!a->salvage || (first != SK_DAMAGED && first != SK_IO))
        return sk_fail(err, first, "%s", damage.text);
    sk_import_result_clear(result);
    *result = (struct sk_import_result){.gaps = SK_RANGES_INIT};
    enum sk_status status = salvage_ready(a, result, &why);
    if (status == SK_DAMAGED)
        return strcmp(why.text, damage.text) == 0
                   ? sk_fail(err, first, "%s; nothing of it can be kept", damage.text)
                   : sk_fail(err, first, "%s; nothing of it can be kept: %s", damage.text,
                             why.text);
    if (status != SK_OK)
        return sk_fail(err, status, "%s", why.text);
    (void)snprintf(result->reason, sizeof(result->reason), "%s", damage.text);
    return SK_OK;
}

/* ---- the whole ---- */

static enum sk_status import_file(struct sk_arrival *a, struct sk_import_result *result,
                                  struct sk_error *err)
{
    SK_TRY(open_arrival(a, err));
    switch (a->found.match) {
    case SK_CHAIN_READY:
        SK_TRY(find_keys(a, err));
        return take_or_salvage(a, result, err);
    case SK_CHAIN_SPENT:
        return sk_arrival_spent(a, result, err);
    case SK_CHAIN_NONE:
        break;
    }
    return sk_fail(err, SK_REFUSED,
                   "%s: this is no bundle for this archive by a device it has invited, or its "
                   "beginning is damaged. Ask for it again",
                   a->path);
}

static enum sk_status import_arrival(struct sk_arrival *a, struct sk_import_result *out,
                                     struct sk_error *err)
{
    struct sk_import_result result = {.gaps = SK_RANGES_INIT};
    enum sk_status status = import_file(a, &result, err);
    if (status != SK_OK) {
        sk_import_result_clear(&result);
        return status;
    }
    *out = result;
    return SK_OK;
}

enum sk_status sk_import(struct sk_store *store, const char *path, const struct sk_worker *worker,
                         const struct sk_progress *progress, struct sk_import_result *out,
                         struct sk_error *err)
{
    sk_auto_file file = NULL;
    SK_TRY(sk_file_open_regular(&file, path, err));
    return sk_import_open(store, file, worker, progress, out, err);
}

enum sk_status sk_import_open(struct sk_store *store, struct sk_file *file,
                              const struct sk_worker *worker, const struct sk_progress *progress,
                              struct sk_import_result *out, struct sk_error *err)
{
    __attribute__((cleanup(arrival_clear))) struct sk_arrival a = {.store = store,
                                                                   .path = sk_file_path(file),
                                                                   .worker = worker,
                                                                   .progress = progress,
                                                                   .file = file};
    return import_arrival(&a, out, err);
}

enum sk_status sk_import_salvage(struct sk_store *store, const char *path,
                                 const struct sk_worker *worker, const struct sk_progress *progress,
                                 struct sk_import_result *out, struct sk_error *err)
{
    sk_auto_file file = NULL;
    SK_TRY(sk_file_open_regular(&file, path, err));
    __attribute__((cleanup(arrival_clear))) struct sk_arrival a = {.store = store,
                                                                   .path = path,
                                                                   .worker = worker,
                                                                   .progress = progress,
                                                                   .salvage = true,
                                                                   .file = file};
    return import_arrival(&a, out, err);
}
