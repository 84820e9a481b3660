/*
 * The inner stream of a bundle (sync/FORMAT.md, "Inner stream"): u32 length | manifest | signature
 * | entries | payloads in frames.
 */
#include "core/item.h"
#include "core/media.h"
#include "crypto/bytes.h"
#include "sync/export_parts.h"
#include "sync/frames.h"

#include <stdlib.h>
#include <string.h>

struct stream {
    struct sk_store *store;
    const struct sk_export_plan *plan;
    struct sk_sink sink;
    struct sk_frames_writer *frames;
    const struct sk_progress *progress;
    uint64_t payloads, done; /* how many were written, and their plain bytes */
};

static void frames_writer_cleanup(struct sk_frames_writer **writer)
{
    sk_frames_writer_free(*writer);
}

static enum sk_status write_manifest(struct stream *s, const struct sk_manifest *manifest,
                                     struct sk_error *err)
{
    sk_auto_buf encoded = SK_BUF_INIT;
    uint8_t len[4];
    uint8_t signature[SK_SIGNATURE_LEN];
    SK_TRY(sk_manifest_encode(&encoded, manifest, err));
    sk_manifest_sign(s->store, signature, encoded.bytes, encoded.len);
    sk_put_u32(len, (uint32_t)encoded.len);
    SK_TRY(sk_sink_write(&s->sink, len, sizeof(len), err));
    SK_TRY(sk_sink_write(&s->sink, encoded.bytes, encoded.len, err));
    return sk_sink_write(&s->sink, signature, sizeof(signature), err);
}

static enum sk_status write_entries(struct stream *s, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(s->store), &stmt,
                         "SELECT id, bytes FROM entry WHERE id >= ?1 AND id < ?2 ORDER BY id",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(SK_LOG_OWN, s->plan->n0));
    sk_bind_int(stmt, 2, sk_entry_row(SK_LOG_OWN, s->plan->n1));
    for (uint64_t position = s->plan->n0; position < s->plan->n1; position++) {
        uint8_t bytes[SK_ENTRY_LEN];
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row || sk_entry_row_position(sk_column_int(stmt, 0)) != position)
            return sk_fail(err, SK_DAMAGED, "entry %llu of the log is gone",
                           (unsigned long long)position);
        SK_TRY(sk_column_copy(stmt, 1, bytes, sizeof(bytes), err));
        SK_TRY(sk_sink_write(&s->sink, bytes, sizeof(bytes), err));
    }
    return SK_OK;
}

/* ---- payloads ---- */

static void tell(struct stream *s, uint64_t len)
{
    s->done += len;
    sk_progress_tell(s->progress, s->done, s->plan->plain_bytes);
}

static enum sk_status write_body(struct stream *s, int64_t media, uint64_t len,
                                 struct sk_error *err)
{
    sk_auto_media_reader reader = NULL;
    sk_auto_free uint8_t *block = malloc(SK_BLOCK_LEN);
    if (!block)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_media_open(s->store, media, &reader, err));
    if (sk_media_size(reader) != len)
        return sk_fail(err, SK_DAMAGED, "an attachment has not the length it was signed with");
    SK_TRY(sk_frames_flush(s->frames, err));
    while (len > 0) {
        size_t got = 0;
        SK_TRY(sk_media_read(reader, block, SK_BLOCK_LEN, &got, err));
        if (got == 0)
            return sk_fail(err, SK_DAMAGED, "an attachment ends too early");
        SK_TRY(sk_frames_write(s->frames, block, got, err));
        len -= got;
        tell(s, got);
    }
    return SK_OK;
}

/* Columns: id, salt, hashes, body_len, media, text. */
static enum sk_status write_payload(struct stream *s, struct sk_stmt *stmt, struct sk_error *err)
{
    struct sk_payload_head head = {0};
    size_t hashes_len = 0;
    size_t text_len = 0;
    head.index = (uint32_t)(sk_entry_row_position(sk_column_int(stmt, 0)) - s->plan->n0);
    SK_TRY(sk_column_copy(stmt, 1, head.salt, sizeof(head.salt), err));
    const uint8_t *hashes = sk_column_bytes(stmt, 2, &hashes_len);
    head.body_len = (uint64_t)sk_column_int(stmt, 3);
    int64_t media = sk_column_int(stmt, 4);
    const uint8_t *text = sk_column_bytes(stmt, 5, &text_len);
    if (text_len > SK_TEXT_MAX || head.body_len > SK_BODY_MAX ||
        hashes_len != sk_block_count(text_len, head.body_len) * SK_HASH_LEN)
        return sk_fail(err, SK_DAMAGED, "a payload and its block hashes do not agree");
    head.text_len = (uint32_t)text_len;

    SK_TRY(sk_frames_begin(s->frames, &head, hashes, err));
    sk_wipe(head.salt, sizeof(head.salt));
    SK_TRY(sk_frames_write(s->frames, text, text_len, err));
    s->payloads++;
    tell(s, text_len);
    return head.body_len > 0 ? write_body(s, media, head.body_len, err) : SK_OK;
}

static enum sk_status write_payloads(struct stream *s, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(s->store), &stmt,
                         "SELECT id, salt, hashes, body_len, ifnull(media, 0), text FROM payload "
                         "WHERE id >= ?1 AND id < ?2 ORDER BY id",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(SK_LOG_OWN, s->plan->n0));
    sk_bind_int(stmt, 2, sk_entry_row(SK_LOG_OWN, s->plan->n1));
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            break;
        SK_TRY(write_payload(s, stmt, err));
    }
    /* They were counted by the index, and the manifest is signed. */
    if (s->payloads != s->plan->payloads || s->done != s->plan->plain_bytes)
        return sk_fail(err, SK_DAMAGED,
                       "an index of the store says something else than is recorded: nothing was "
                       "sent, and nothing was lost. 'verify' names what is wrong, and 'repair' "
                       "makes a store of what is recorded");
    return sk_frames_finish(s->frames, err);
}

enum sk_status sk_export_stream(struct sk_store *store, const struct sk_export_plan *plan,
                                const struct sk_manifest *manifest, struct sk_sink sink,
                                const struct sk_progress *progress, struct sk_error *err)
{
    __attribute__((cleanup(frames_writer_cleanup))) struct sk_frames_writer *frames = NULL;
    struct stream s = {.store = store, .plan = plan, .sink = sink, .progress = progress};
    SK_TRY(write_manifest(&s, manifest, err));
    SK_TRY(write_entries(&s, err));
    SK_TRY(sk_frames_writer_new(&frames, sink, plan->effort, err));
    s.frames = frames;
    return write_payloads(&s, err);
}
