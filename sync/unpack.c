#include "sync/unpack.h"

#include "sync/salvage.h"
#include "sync/worker_client.h"

#include <stdlib.h>
#include <string.h>

struct sk_unpack {
    struct sk_unpack_from from;
    struct sk_worker_client *client; /* NULL: all of this is done here */
    struct sk_envelope_reader *envelope;
    struct sk_frames_reader *frames; /* once the first payload is asked for: this ... */
    struct sk_salvage_reader *torn;  /* ... or, in a salvage, this */
    uint64_t stream_done;
};

/* ---- in this process ---- */

static enum sk_status below_read(struct sk_unpack *u, void *out, size_t len, struct sk_error *err)
{
    if (u->envelope)
        return sk_envelope_read(u->envelope, out, len, err);
    SK_TRY(sk_source_read(&u->from.stream, out, len, err));
    u->stream_done += len;
    return SK_OK;
}

static void tell(const struct sk_unpack *u)
{
    if (u->envelope)
        sk_progress_tell(u->from.progress, sk_envelope_reader_done(u->envelope),
                         SK_VOLUME_HEADER_LEN + u->from.unlocked->chunks * SK_CHUNK_LEN);
    else
        sk_progress_tell(u->from.progress, u->stream_done, u->from.stream_len);
}

static enum sk_status inner_read(void *context, void *out, size_t len, struct sk_error *err)
{
    struct sk_unpack *u = context;
    SK_TRY(below_read(u, out, len, err));
    tell(u);
    return u->from.raw.write ? sk_sink_write(&u->from.raw, out, len, err) : SK_OK;
}

static enum sk_status torn_read(void *context, void *out, size_t len, bool *whole,
                                struct sk_error *err)
{
    struct sk_unpack *u = context;
    SK_TRY(sk_envelope_try(u->envelope, out, len, whole, err));
    tell(u);
    return SK_OK;
}

/* What stands behind the entries. */
static enum sk_status open_payloads(struct sk_unpack *u, struct sk_error *err)
{
    if (u->frames || u->torn)
        return SK_OK;
    if (u->from.salvage)
        return sk_salvage_reader_new(&u->torn, (struct sk_torn_source){torn_read, u}, err);
    return sk_frames_reader_new(&u->frames, (struct sk_source){inner_read, u}, err);
}

static enum sk_status open_volume(struct sk_unpack *u, struct sk_error *err)
{
    SK_TRY(
        sk_envelope_reader_new(&u->envelope, u->from.file, u->from.header, u->from.unlocked, err));
    if (u->from.salvage)
        sk_envelope_salvage(u->envelope);
    return SK_OK;
}

/* ---- here or in a worker ---- */

enum sk_status sk_unpack_open(struct sk_unpack **out, const struct sk_unpack_from *from,
                              const struct sk_worker *worker, struct sk_error *err)
{
    struct sk_unpack *u = calloc(1, sizeof(*u));
    enum sk_status status = SK_OK;
    if (!u)
        return sk_fail_status(err, SK_NOMEM);
    u->from = *from;
    if (worker)
        status = sk_worker_open(&u->client, worker, from, err);
    else if (from->file)
        status = open_volume(u, err);
    if (status) {
        sk_unpack_close(u);
        return status;
    }
    *out = u;
    return SK_OK;
}

static enum sk_status source_read(void *context, void *out, size_t len, struct sk_error *err)
{
    struct sk_unpack *u = context;
    return u->client ? sk_worker_bytes(u->client, out, len, err) : inner_read(u, out, len, err);
}

struct sk_source sk_unpack_source(struct sk_unpack *unpack)
{
    return (struct sk_source){source_read, unpack};
}

enum sk_status sk_unpack_next(struct sk_unpack *unpack, struct sk_payload_head *head,
                              struct sk_buf *hashes, uint64_t plain_left, bool *more,
                              struct sk_error *err)
{
    if (unpack->client)
        return sk_worker_next(unpack->client, head, hashes, plain_left, more, err);
    SK_TRY(open_payloads(unpack, err));
    if (unpack->torn)
        return sk_salvage_next(unpack->torn, head, hashes, plain_left, more, err);
    return sk_frames_next(unpack->frames, head, hashes, plain_left, more, err);
}

enum sk_status sk_unpack_read(struct sk_unpack *unpack, void *out, size_t len, struct sk_error *err)
{
    return unpack->client ? sk_worker_read(unpack->client, out, len, err)
                          : sk_frames_read(unpack->frames, out, len, err);
}

enum sk_status sk_unpack_try(struct sk_unpack *unpack, void *out, size_t len, bool *lost,
                             struct sk_error *err)
{
    *lost = false;
    if (unpack->client)
        return sk_worker_try(unpack->client, out, len, lost, err);
    if (unpack->torn)
        return sk_salvage_read(unpack->torn, out, len, lost, err);
    return sk_frames_read(unpack->frames, out, len, err);
}

enum sk_status sk_unpack_end(struct sk_unpack *unpack, uint8_t file_hash[static 32],
                             struct sk_error *err)
{
    if (unpack->envelope)
        return sk_envelope_end(unpack->envelope, file_hash, err);
    if (unpack->client)
        memcpy(file_hash, sk_worker_file_hash(unpack->client), SK_HASH_LEN);
    else
        memset(file_hash, 0, SK_HASH_LEN);
    return SK_OK;
}

void sk_unpack_close(struct sk_unpack *unpack)
{
    if (!unpack)
        return;
    sk_worker_close(unpack->client);
    sk_frames_reader_free(unpack->frames);
    sk_salvage_reader_free(unpack->torn);
    sk_envelope_reader_free(unpack->envelope);
    free(unpack);
}
