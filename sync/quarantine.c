/*
 * Quarantine: bundles that were opened and verified, but wait for a person. The inner stream is
 * kept as it came, since the keys of its envelope are gone; when it is approved it is read again,
 * through the same checks.
 */
#include "crypto/bytes.h"
#include "sync/import_parts.h"

#include <stdio.h>
#include <string.h>

/* ---- putting in ---- */

static enum sk_status media_write(void *context, const void *bytes, size_t len,
                                  struct sk_error *err)
{
    return sk_media_write(context, bytes, len, err);
}

/* Brings the second reading to its first entry: it goes over the same manifest. */
static enum sk_status skip_manifest(struct sk_unpack *unpack, struct sk_error *err)
{
    struct sk_source from = sk_unpack_source(unpack);
    const struct sk_source *source = &from;
    uint8_t len_bytes[4];
    uint8_t piece[512];
    SK_TRY(sk_source_read(source, len_bytes, sizeof(len_bytes), err));
    size_t left = (size_t)sk_get_u32(len_bytes) + SK_SIGNATURE_LEN;
    if (left > SK_MANIFEST_MAX + SK_SIGNATURE_LEN)
        return sk_fail(err, SK_LIMIT, "the manifest is too long");
    while (left > 0) {
        size_t part = left < sizeof(piece) ? left : sizeof(piece);
        SK_TRY(sk_source_read(source, piece, part, err));
        left -= part;
    }
    return SK_OK;
}

static enum sk_status insert_row(const struct sk_intake *in, int64_t log, int64_t peer,
                                 const char *reason, int64_t media, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(in->store), &stmt,
                         "INSERT INTO quarantine(log, peer, number, n0, n1, reason, header_hash, "
                         "media) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                         err));
    sk_bind_int(stmt, 1, log);
    sk_bind_int(stmt, 2, peer);
    sk_bind_int(stmt, 3, (int64_t)in->manifest.number);
    sk_bind_int(stmt, 4, (int64_t)in->manifest.n0);
    sk_bind_int(stmt, 5, (int64_t)in->manifest.n1);
    sk_bind_text(stmt, 6, reason);
    sk_bind_bytes(stmt, 7, in->header_hash, SK_HASH_LEN);
    sk_bind_int(stmt, 8, media);
    return sk_run(stmt, err);
}

static enum sk_status verify(struct sk_intake *in, const struct sk_unpack_from *from,
                             struct sk_error *err)
{
    const struct sk_intake_envelope envelope = {from->unlocked->header_hash,
                                                from->unlocked->set_id};
    SK_TRY(sk_intake_manifest(in, &envelope, err));
    SK_TRY(skip_manifest(in->again, err));
    SK_TRY(sk_intake_entries(in, err));
    return sk_intake_payloads(in, err);
}

enum sk_status sk_quarantine_add(struct sk_intake *in, const struct sk_unpack_from *from,
                                 const struct sk_worker *worker, int64_t log, int64_t peer,
                                 const char *reason, uint8_t file_hash[static 32],
                                 struct sk_error *err)
{
    sk_auto_media_writer media = NULL;
    sk_auto_unpack unpack = NULL;
    sk_auto_unpack again = NULL;
    struct sk_unpack_from first = *from;
    struct sk_unpack_from second = *from;
    int64_t row = 0;
    SK_TRY(sk_media_create(in->store, &media, err));
    first.raw = (struct sk_sink){media_write, media};
    second.progress = NULL;
    SK_TRY(sk_unpack_open(&unpack, &first, worker, err));
    SK_TRY(sk_unpack_open(&again, &second, worker, err));
    in->unpack = unpack;
    in->again = again;
    in->keep = false;
    enum sk_status status = verify(in, from, err);
    if (status == SK_OK)
        status = sk_unpack_end(unpack, file_hash, err);
    in->unpack = in->again = NULL;
    SK_TRY(status);
    SK_TRY(sk_media_finish(media, err));
    SK_TRY(sk_media_keep(media, &row, err));
    return insert_row(in, log, peer, reason, row, err);
}

/* ---- listing ---- */

enum sk_status sk_quarantined_each(struct sk_store *store, sk_quarantined_each_fn *each,
                                   void *context, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT quarantine.id, quarantine.log, log.alias, number, n0, n1, reason "
                         "FROM quarantine JOIN log ON log.id = quarantine.log "
                         "ORDER BY quarantine.id",
                         err));
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        struct sk_quarantined q = {
            .id = sk_column_int(stmt, 0),
            .log = sk_column_int(stmt, 1),
            .device = sk_column_text(stmt, 2),
            .bundle = (uint64_t)sk_column_int(stmt, 3),
            .n0 = (uint64_t)sk_column_int(stmt, 4),
            .n1 = (uint64_t)sk_column_int(stmt, 5),
            .reason = sk_column_text(stmt, 6),
        };
        SK_TRY(each(context, &q, err));
    }
}

/* ---- taking out ---- */

struct waiting {
    int64_t id; /* 0: none is left */
    uint8_t header_hash[SK_HASH_LEN];
    int64_t media;
};

static enum sk_status next_waiting(struct sk_store *store, int64_t log, struct waiting *out,
                                   struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    *out = (struct waiting){.id = 0};
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT id, header_hash, media FROM quarantine WHERE log = ?1 "
                         "ORDER BY number, id LIMIT 1",
                         err));
    sk_bind_int(stmt, 1, log);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return SK_OK;
    SK_TRY(sk_column_copy(stmt, 1, out->header_hash, SK_HASH_LEN, err));
    out->media = sk_column_int(stmt, 2);
    out->id = sk_column_int(stmt, 0);
    return SK_OK;
}

static enum sk_status media_source_read(void *context, void *out, size_t len, struct sk_error *err)
{
    size_t got = 0;
    SK_TRY(sk_media_read(context, out, len, &got, err));
    return got == len ? SK_OK : sk_fail(err, SK_DAMAGED, "a bundle in quarantine ends too early");
}

static enum sk_status remove_row(struct sk_store *store, const struct waiting *waiting,
                                 struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt, "DELETE FROM quarantine WHERE id = ?1", err));
    sk_bind_int(stmt, 1, waiting->id);
    SK_TRY(sk_run(stmt, err));
    return sk_media_erase(store, waiting->media, err);
}

static enum sk_status read_intake(struct sk_intake *in, const struct waiting *waiting,
                                  struct sk_error *err)
{
    const struct sk_intake_envelope envelope = {waiting->header_hash, NULL};
    SK_TRY(sk_intake_manifest(in, &envelope, err));
    if (memcmp(in->log_id, in->log.log_id, SK_HASH_LEN) != 0)
        return sk_fail(err, SK_DAMAGED, "a bundle in quarantine is of another log");
    SK_TRY(sk_intake_entries(in, err));
    return in->fork ? SK_OK : sk_intake_payloads(in, err);
}

static enum sk_status read_stream(struct sk_intake *in, const struct waiting *waiting,
                                  const struct sk_worker *worker, struct sk_error *err)
{
    sk_auto_media_reader reader = NULL;
    sk_auto_unpack unpack = NULL;
    SK_TRY(sk_media_open(in->store, waiting->media, &reader, err));
    const struct sk_unpack_from from = {.stream = {media_source_read, reader},
                                        .stream_len = sk_media_size(reader)};
    SK_TRY(sk_unpack_open(&unpack, &from, worker, err));
    in->unpack = unpack;
    enum sk_status status = read_intake(in, waiting, err);
    in->unpack = NULL;
    return status;
}

static void fill_result(struct sk_import_result *result, const struct sk_intake *in)
{
    (void)snprintf(result->device, sizeof(result->device), "%s", in->log.alias);
    result->log = in->log.id;
    result->bundle = in->manifest.number;
}

/* In the current transaction. in->fork: roll it back. */
static enum sk_status take_one(struct sk_intake *in, const struct waiting *waiting,
                               const struct sk_worker *worker, struct sk_import_result *result,
                               struct sk_error *err)
{
    uint64_t before = 0;
    uint64_t after = 0;
    SK_TRY(sk_malformed_count(in->store, in->log.id, 0, SK_POSITION_MAX - 1, &before, err));
    SK_TRY(read_stream(in, waiting, worker, err));
    if (!in->fork)
        SK_TRY(sk_intake_finish(in, err));
    if (in->fork)
        return SK_OK;
    SK_TRY(remove_row(in->store, waiting, err));
    SK_TRY(sk_malformed_count(in->store, in->log.id, 0, SK_POSITION_MAX - 1, &after, err));
    fill_result(result, in);
    result->entries_new = in->entries_new;
    result->entries_known = in->entries_known;
    result->quarantined = after > before ? after - before : 0; /* some were withdrawn */
    return sk_log_gaps(in->store, in->log.id, &result->gaps, err);
}

/* This bundle is evidence now, and whatever waits behind it has nothing to wait for. */
static enum sk_status freeze(struct sk_intake *in, const struct waiting *waiting,
                             struct sk_import_result *result, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_log_set_state(in->store, in->log.id, SK_LOG_STATE_FROZEN, err));
    SK_TRY(sk_db_prepare(sk_store_db(in->store), &stmt,
                         "UPDATE quarantine SET reason = iif(id = ?2, ?3, ?4) WHERE log = ?1",
                         err));
    sk_bind_int(stmt, 1, in->log.id);
    sk_bind_int(stmt, 2, waiting->id);
    sk_bind_text(stmt, 3, SK_REASON_FORK);
    sk_bind_text(stmt, 4, SK_REASON_FROZEN);
    SK_TRY(sk_run(stmt, err));
    fill_result(result, in);
    result->fork = true;
    result->waiting = true;
    result->quarantined = in->manifest.n1 - in->manifest.n0;
    (void)snprintf(result->reason, sizeof(result->reason), "%s", SK_REASON_FORK);
    return SK_OK;
}

static enum sk_status approve_one(struct sk_store *store, int64_t log,
                                  const struct waiting *waiting, const struct sk_worker *worker,
                                  struct sk_import_result *result, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    struct sk_intake in = {.store = store, .keep = true};
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(sk_log_get(store, log, &in.log, err));
    SK_TRY(take_one(&in, waiting, worker, result, err));
    if (in.fork) {
        sk_store_rollback(store);
        txn = NULL;
        SK_TRY(sk_store_begin(&txn, store, err));
        SK_TRY(freeze(&in, waiting, result, err));
    }
    return sk_store_commit_step(&txn, err);
}

static enum sk_status set_enrolled(struct sk_store *store, int64_t log, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(sk_log_set_state(store, log, SK_LOG_STATE_ENROLLED, err));
    return sk_store_commit(&txn, err);
}

/* The log counts as enrolled when all that waited is in: an attempt that was cut off can be
 * repeated. */
static enum sk_status approve_all(struct sk_store *store, int64_t log,
                                  const struct sk_worker *worker, sk_import_each_fn *each,
                                  void *context, struct sk_error *err)
{
    for (;;) {
        struct waiting waiting;
        SK_TRY(next_waiting(store, log, &waiting, err));
        if (!waiting.id)
            return set_enrolled(store, log, err);
        __attribute__((cleanup(sk_import_result_clear))) struct sk_import_result result = {
            .gaps = SK_RANGES_INIT};
        SK_TRY(approve_one(store, log, &waiting, worker, &result, err));
        SK_TRY(each(context, &result, err));
        if (result.fork)
            return SK_OK;
    }
}

enum sk_status sk_approve(struct sk_store *store, int64_t log, const struct sk_worker *worker,
                          sk_import_each_fn *each, void *context, struct sk_error *err)
{
    struct sk_log row;
    SK_TRY(sk_log_get(store, log, &row, err));
    if (row.state != SK_LOG_STATE_WAITING)
        return sk_fail(err, SK_REFUSED, "\"%s\" does not wait for approval", row.alias);
    return approve_all(store, log, worker, each, context, err);
}
