#include "sync/export.h"

#include "core/purge.h"
#include "core/text.h"
#include "sync/deliver.h"
#include "sync/export_parts.h"
#include "sync/peer.h"

#include <stdio.h>
#include <string.h>

/* ---- from where ---- */

/* What an archive was never sent, or asks for and was not sent since; added to `unsent`. */
static enum sk_status add_unsent(const struct sk_peer *peer, uint64_t size,
                                 struct sk_ranges *unsent, struct sk_error *err)
{
    sk_auto_ranges sent = SK_RANGES_INIT;
    sk_auto_ranges never = SK_RANGES_INIT;
    sk_auto_ranges asked = SK_RANGES_INIT;
    SK_TRY(sk_ranges_unite(&sent, &peer->exported, err));
    SK_TRY(sk_ranges_unite(&sent, &peer->acknowledged, err));
    SK_TRY(sk_ranges_missing(&never, &sent, size, err));
    SK_TRY(sk_ranges_without(&asked, &peer->wanted, &peer->exported, err));
    SK_TRY(sk_ranges_unite(unsent, &never, err));
    return sk_ranges_unite(unsent, &asked, err);
}

/* From the first position that some archive lacks to the last one: one bundle, if it holds them. */
static enum sk_status range_of(const struct sk_peers *peers, uint64_t since, uint64_t size,
                               uint64_t *n0, uint64_t *end, struct sk_error *err)
{
    *n0 = *end = size;
    if (since == SK_EXPORT_NEW) {
        sk_auto_ranges unsent = SK_RANGES_INIT;
        for (size_t i = 0; i < peers->count; i++)
            SK_TRY(add_unsent(&peers->items[i], size, &unsent, err));
        if (unsent.count == 0)
            return SK_OK;
        *n0 = unsent.items[0].from;
        *end = unsent.items[unsent.count - 1].to;
        return SK_OK;
    }
    if (since > size && size == 0)
        return sk_fail(err, SK_USAGE, "nothing is recorded yet");
    if (since > size)
        return sk_fail(err, SK_USAGE, "the last position is %llu: there is nothing from %llu on",
                       (unsigned long long)size - 1, (unsigned long long)since);
    *n0 = since;
    return SK_OK;
}

/* ---- number and indexes ---- */

/* Wiped when it goes out of scope: a slot's keys open the bundle. */
struct recipients {
    struct sk_recipient items[SK_ARCHIVES_MAX];
    size_t count;
};
static void recipients_wipe(struct recipients *recipients)
{
    sk_wipe(recipients, sizeof(*recipients));
}

static enum sk_status next_number(struct sk_store *store, uint64_t *number, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(
        sk_db_prepare(sk_store_db(store), &stmt, "SELECT ifnull(max(number), 0) FROM export", err));
    SK_TRY(sk_step(stmt, &row, err));
    *number = (uint64_t)sk_column_int(stmt, 0) + 1;
    return SK_OK;
}

static enum sk_status insert_export(struct sk_store *store, uint64_t number,
                                    const struct sk_export_plan *plan, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "INSERT INTO export(number, n0, n1, done) VALUES(?1, ?2, ?3, 0)", err));
    sk_bind_int(stmt, 1, (int64_t)number);
    sk_bind_int(stmt, 2, (int64_t)plan->n0);
    sk_bind_int(stmt, 3, (int64_t)plan->n1);
    return sk_run(stmt, err);
}

/* Takes a number and an index of every archive's chain; both are durable when this returns. */
static enum sk_status reserve(struct sk_store *store, const struct sk_peers *peers,
                              const struct sk_export_plan *plan, struct recipients *out,
                              uint64_t *number, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(next_number(store, number, err));
    SK_TRY(insert_export(store, *number, plan, err));
    for (size_t i = 0; i < peers->count; i++) {
        uint64_t index = 0;
        SK_TRY(sk_chain_take(store, peers->items[i].send, &index, &out->items[i].keys, err));
        memcpy(out->items[i].dh_public, sk_peer_seal_key(&peers->items[i]), SK_DH_LEN);
    }
    out->count = peers->count;
    return sk_store_commit_step(&txn, err);
}

/* ---- the bundle ---- */

static enum sk_status fill_head(struct sk_store *store, const struct sk_export_plan *plan,
                                uint64_t size, struct sk_manifest *m, struct sk_error *err)
{
    struct sk_merkle tree;
    SK_TRY(sk_log_tree(store, SK_LOG_OWN, plan->n0, &tree, err));
    memcpy(m->peaks, tree.peaks, sk_merkle_peak_count(plan->n0) * SK_MERKLE_LEN);
    SK_TRY(sk_log_tree(store, SK_LOG_OWN, plan->n1, &tree, err));
    sk_merkle_root(&tree, m->root);
    if (plan->n1 < size)
        return sk_log_sign_note(store, m->note, &tree, err);
    sk_auto_buf note = SK_BUF_INIT;
    SK_TRY(sk_log_note(store, SK_LOG_OWN, &note, err));
    if (note.len >= sizeof(m->note))
        return sk_fail(err, SK_DAMAGED, "the log's signed head is too long");
    memcpy(m->note, sk_buf_text(&note), note.len + 1);
    return SK_OK;
}

static enum sk_status fill_manifest(struct sk_store *store, const struct sk_export_plan *plan,
                                    uint64_t size, const struct sk_peers *peers, uint64_t number,
                                    const struct sk_envelope_writer *writer, struct sk_manifest *m,
                                    struct sk_error *err)
{
    *m = (struct sk_manifest){.number = number,
                              .k = 1,
                              .n = 1,
                              .recipient_count = (uint8_t)peers->count,
                              .n0 = plan->n0,
                              .n1 = plan->n1,
                              .payload_count = plan->payloads,
                              .plain_bytes = plan->plain_bytes,
                              .day = sk_day_now()};
    memcpy(m->sign_public, sk_store_sign_public(store), sizeof(m->sign_public));
    memcpy(m->dh_public, sk_store_dh_public(store), sizeof(m->dh_public));
    memcpy(m->set_id, sk_envelope_set_id(writer), sizeof(m->set_id));
    memcpy(m->header_hashes[0], sk_envelope_header_hash(writer), sizeof(m->header_hashes[0]));
    memcpy(m->indices_hash, plan->indices_hash, sizeof(m->indices_hash));
    for (size_t i = 0; i < peers->count; i++)
        memcpy(m->recipients[i], peers->items[i].archive_id, sizeof(m->recipients[i]));
    return fill_head(store, plan, size, m, err);
}

/* The positions count as sent only now, that the file is known to be there. */
static enum sk_status mark_done(struct sk_store *store, struct sk_peers *peers,
                                const struct sk_export_plan *plan, uint64_t number,
                                struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt, "UPDATE export SET done = 1 WHERE number = ?1",
                         err));
    sk_bind_int(stmt, 1, (int64_t)number);
    SK_TRY(sk_run(stmt, err));
    for (size_t i = 0; i < peers->count; i++) {
        SK_TRY(sk_ranges_add(&peers->items[i].exported, plan->n0, plan->n1, err));
        SK_TRY(sk_peer_save_ranges(store, &peers->items[i], err));
    }
    return sk_store_commit(&txn, err);
}

struct job {
    struct sk_store *store;
    const char *path;
    const struct sk_progress *progress;
    uint64_t size; /* of the log */
    uint64_t since;
    enum sk_effort effort;
    struct sk_export_plan plan;
    struct sk_peers *peers;
};

static enum sk_status write_bundle(const struct job *job, struct sk_file **file,
                                   struct sk_export_result *result, uint8_t hash[static 32],
                                   struct sk_error *err)
{
    sk_auto_envelope_writer writer = NULL;
    struct sk_manifest manifest;
    {
        __attribute__((cleanup(recipients_wipe))) struct recipients recipients = {.count = 0};
        SK_TRY(reserve(job->store, job->peers, &job->plan, &recipients, &result->number, err));
        SK_TRY(sk_envelope_create(&writer, *file, recipients.items, recipients.count, err));
    }
    SK_TRY(fill_manifest(job->store, &job->plan, job->size, job->peers, result->number, writer,
                         &manifest, err));
    SK_TRY(sk_export_stream(job->store, &job->plan, &manifest, sk_envelope_sink(writer),
                            job->progress, err));
    struct sk_delivered delivered = {.bytes = 0};
    SK_TRY(sk_deliver(writer, file, job->path, hash, &delivered, err));
    result->bytes = delivered.bytes;
    result->from_medium = delivered.from_medium;
    return SK_OK;
}

/* How many of the entries go without what they say, since it was purged here. */
static enum sk_status count_purged(const struct job *job, uint64_t *out, struct sk_error *err)
{
    sk_auto_ranges purged = SK_RANGES_INIT;
    sk_auto_ranges carried = SK_RANGES_INIT;
    sk_auto_ranges both = SK_RANGES_INIT;
    SK_TRY(sk_purged_ranges(job->store, &purged, err));
    SK_TRY(sk_ranges_add(&carried, job->plan.n0, job->plan.n1, err));
    SK_TRY(sk_ranges_common(&both, &purged, &carried, err));
    *out = sk_ranges_total(&both);
    return SK_OK;
}

/*
 * The empty file is made first, so that a folder that is not there costs no index; its first byte
 * is written after number and index are durable.
 */
static enum sk_status run(struct job *job, struct sk_export_result *out, struct sk_error *err)
{
    struct sk_export_result result = {
        .n0 = job->plan.n0, .n1 = job->plan.n1, .left = job->plan.left};
    sk_auto_file file = NULL;
    uint8_t hash[32];
    if (sk_file_exists(job->path))
        return sk_fail(err, SK_CREATE, "%s: a file of this name is there already", job->path);
    SK_TRY(sk_file_try_name(job->path, err));
    SK_TRY(count_purged(job, &result.purged, err));
    SK_TRY(sk_file_create_beside(&file, job->path, err));
    SK_TRY(write_bundle(job, &file, &result, hash, err));
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = mark_done(job->store, job->peers, &job->plan, result.number, &why);
    if (status != SK_OK)
        return sk_fail(err, status, "%s. %s is whole, but may not count as sent", why.text,
                       job->path);
    sk_code_format(result.code, hash);
    *out = result;
    return SK_OK;
}

/* With a copy of the job, to which it adds. */
static enum sk_status run_job(struct job job, struct sk_export_result *out, struct sk_error *err)
{
    sk_auto_peers peers = {.count = 0};
    struct sk_log log;
    uint64_t n0 = 0;
    uint64_t end = 0;
    SK_TRY(sk_peers_load(job.store, &peers, err));
    if (peers.count == 0)
        return sk_fail(err, SK_CONFIG,
                       "no archive has invited this store: ask one for an invite, and take it "
                       "with 'receive FILE'");
    sk_peers_drop_revoked(&peers);
    if (peers.count == 0)
        return sk_fail(err, SK_REFUSED,
                       "every archive that invited this store has revoked it: nothing that it "
                       "sends would be taken");
    SK_TRY(sk_log_get(job.store, SK_LOG_OWN, &log, err));
    SK_TRY(range_of(&peers, job.since, log.size, &n0, &end, err));
    if (n0 == log.size) {
        *out = (struct sk_export_result){.nothing = true, .n0 = n0, .n1 = n0};
        return SK_OK;
    }
    job.peers = &peers;
    job.size = log.size;
    SK_TRY(sk_export_plan(job.store, n0, end, &job.plan, err));
    job.plan.effort = job.effort;
    return run(&job, out, err);
}

enum sk_status sk_export(struct sk_store *store, const char *path, uint64_t since,
                         const struct sk_progress *progress, struct sk_export_result *out,
                         struct sk_error *err)
{
    const struct job job = {.store = store, .path = path, .since = since, .progress = progress};
    return run_job(job, out, err);
}

enum sk_status sk_export_small(struct sk_store *store, const char *path, uint64_t since,
                               const struct sk_progress *progress, struct sk_export_result *out,
                               struct sk_error *err)
{
    const struct job job = {.store = store,
                            .path = path,
                            .since = since,
                            .progress = progress,
                            .effort = SK_EFFORT_SMALL};
    return run_job(job, out, err);
}
