#include "sync/salvage.h"

#include "crypto/bytes.h"
#include "crypto/secret.h"
#include "sync/deflate.h"

#include <stdlib.h>
#include <string.h>

struct sk_salvage_reader {
    struct sk_torn_source source;
    struct sk_inflater *inflater;
    uint64_t last_index;
    uint64_t left; /* of the payload at hand: text and body not read yet */
    bool adrift;   /* where the next payload begins is not known */
    bool ended;    /* there is no further frame to be found */
    bool hole;     /* the frame at hand is damaged: of its bytes only the number is known */
    size_t plain_len, plain_at;
    uint8_t plain[SK_FRAME_MAX];
    uint8_t data[SK_FRAME_MAX];
};

enum sk_status sk_salvage_reader_new(struct sk_salvage_reader **out, struct sk_torn_source source,
                                     struct sk_error *err)
{
    struct sk_salvage_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return sk_fail_status(err, SK_NOMEM);
    enum sk_status status = sk_inflater_new(&reader->inflater, err);
    if (status) {
        free(reader);
        return status;
    }
    reader->source = source;
    reader->last_index = SK_PAYLOAD_NONE;
    *out = reader;
    return SK_OK;
}

/* ---- frames ---- */

/* From the stream; *there is false where it has ended. */
static enum sk_status draw(struct sk_salvage_reader *reader, void *out, size_t len, bool *whole,
                           bool *there, struct sk_error *err)
{
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = reader->source.read(reader->source.context, out, len, whole, &why);
    *there = status == SK_OK;
    return status == SK_OK || status == SK_DAMAGED ? SK_OK : sk_fail(err, status, "%s", why.text);
}

static enum sk_status load_content(struct sk_salvage_reader *reader, bool stored, size_t data_len,
                                   size_t plain_len, struct sk_error *err)
{
    bool whole = false;
    bool there = false;
    SK_TRY(draw(reader, stored ? reader->plain : reader->data, data_len, &whole, &there, err));
    reader->ended = !there;
    reader->hole = !whole || !there;
    if (!reader->hole && !stored)
        reader->hole =
            !sk_inflate(reader->inflater, reader->plain, plain_len, reader->data, data_len);
    reader->plain_len = plain_len;
    reader->plain_at = 0;
    return SK_OK;
}

/* Goes to the next frame, damaged or not. Without its head nothing behind it can be found. */
static enum sk_status load_frame(struct sk_salvage_reader *reader, struct sk_error *err)
{
    uint8_t head[SK_FRAME_HEAD_LEN];
    bool whole = false;
    bool there = false;
    reader->plain_len = reader->plain_at = 0;
    SK_TRY(draw(reader, head, sizeof(head), &whole, &there, err));
    reader->ended =
        !there || !whole || head[0] == SK_CODEC_END || sk_frame_head_check(head, NULL) != SK_OK;
    if (reader->ended)
        return SK_OK;
    return load_content(reader, head[0] == SK_CODEC_STORED, sk_get_u32(head + 1),
                        sk_get_u32(head + 5), err);
}

/* The next len bytes of the stream of payloads, or (out: NULL) over them. */
static enum sk_status take(struct sk_salvage_reader *reader, void *out, uint64_t len, bool *whole,
                           struct sk_error *err)
{
    uint8_t *at = out;
    *whole = true;
    while (len > 0) {
        size_t part = reader->plain_len - reader->plain_at;
        if (part == 0 && reader->ended) {
            *whole = false;
            return SK_OK;
        }
        if (part == 0) {
            SK_TRY(load_frame(reader, err));
            continue;
        }
        part = part < len ? part : (size_t)len;
        *whole = *whole && !reader->hole;
        if (at && !reader->hole)
            memcpy(at, reader->plain + reader->plain_at, part);
        reader->plain_at += part;
        at = at ? at + part : NULL;
        len -= part;
    }
    return SK_OK;
}

/* ---- payloads ---- */

/*
 * Whether the frame at hand begins with a payload: a head that can be, whose first block stands in
 * this frame and has the hash that the head gives. Whether it is what its entry commits to is the
 * caller's to see.
 */
static bool begins_here(const struct sk_salvage_reader *reader, uint64_t plain_left)
{
    struct sk_payload_head head = {0};
    uint8_t hash[SK_HASH_LEN];
    if (reader->hole || reader->plain_len < SK_PAYLOAD_HEAD_LEN)
        return false;
    sk_payload_head_decode(&head, reader->plain);
    bool can = sk_payload_head_check(&head, reader->last_index, plain_left, NULL) == SK_OK;
    if (can) {
        uint64_t hashes_len = sk_block_count(head.text_len, head.body_len) * SK_HASH_LEN;
        const uint8_t *hashes = reader->plain + SK_PAYLOAD_HEAD_LEN;
        size_t first = sk_block_len(head.text_len, head.body_len, 0);
        can = SK_PAYLOAD_HEAD_LEN + hashes_len + first <= reader->plain_len;
        if (can) {
            sk_block_hash(hash, head.salt, 0, hashes + hashes_len, first);
            can = memcmp(hash, hashes, sizeof(hash)) == 0;
        }
    }
    sk_wipe(&head, sizeof(head));
    return can;
}

/* Leaves the frame at hand for the next one that begins with a payload, if there is one. */
static enum sk_status find_border(struct sk_salvage_reader *reader, uint64_t plain_left,
                                  struct sk_error *err)
{
    while (!reader->ended) {
        SK_TRY(load_frame(reader, err));
        if (!reader->ended && begins_here(reader, plain_left)) {
            reader->adrift = false;
            return SK_OK;
        }
    }
    reader->plain_at = reader->plain_len;
    return SK_OK;
}

/* Head and block hashes; *found is false where either is lost. A head alone still tells where the
 * payload ends. */
static enum sk_status read_head(struct sk_salvage_reader *reader, struct sk_payload_head *head,
                                struct sk_buf *hashes, uint64_t plain_left, bool *found,
                                struct sk_error *err)
{
    uint8_t encoded[SK_PAYLOAD_HEAD_LEN];
    SK_TRY(take(reader, encoded, sizeof(encoded), found, err));
    reader->adrift = !*found;
    if (*found) {
        sk_payload_head_decode(head, encoded);
        reader->adrift = sk_payload_head_check(head, reader->last_index, plain_left, NULL) != SK_OK;
    }
    sk_wipe(encoded, sizeof(encoded));
    *found = !reader->adrift;
    if (!*found)
        return SK_OK;
    size_t len = (size_t)sk_block_count(head->text_len, head->body_len) * SK_HASH_LEN;
    sk_buf_reset(hashes);
    SK_TRY(sk_buf_grow(hashes, len, err));
    SK_TRY(take(reader, hashes->bytes, len, found, err));
    hashes->len = len;
    reader->left = head->text_len + head->body_len;
    reader->last_index = head->index;
    return SK_OK;
}

/* Whether a payload can begin behind what was read; looks at the next frame to see. */
static enum sk_status at_end(struct sk_salvage_reader *reader, bool *end, struct sk_error *err)
{
    if (!reader->ended && reader->plain_at == reader->plain_len)
        SK_TRY(load_frame(reader, err));
    *end = reader->ended && reader->plain_at == reader->plain_len;
    return SK_OK;
}

enum sk_status sk_salvage_next(struct sk_salvage_reader *reader, struct sk_payload_head *head,
                               struct sk_buf *hashes, uint64_t plain_left, bool *more,
                               struct sk_error *err)
{
    bool end = false;
    *more = false;
    while (!*more) {
        bool whole = false;
        SK_TRY(take(reader, NULL, reader->left, &whole, err));
        reader->left = 0;
        if (reader->adrift)
            SK_TRY(find_border(reader, plain_left, err));
        SK_TRY(at_end(reader, &end, err));
        if (end)
            return SK_OK;
        SK_TRY(read_head(reader, head, hashes, plain_left, more, err));
    }
    return SK_OK;
}

enum sk_status sk_salvage_read(struct sk_salvage_reader *reader, void *out, size_t len, bool *lost,
                               struct sk_error *err)
{
    bool whole = false;
    if (len > reader->left)
        return sk_fail(err, SK_INTERNAL, "a payload has fewer bytes than were asked for");
    SK_TRY(take(reader, out, len, &whole, err));
    reader->left -= len;
    *lost = !whole;
    return SK_OK;
}

void sk_salvage_reader_free(struct sk_salvage_reader *reader)
{
    if (!reader)
        return;
    sk_inflater_free(reader->inflater);
    sk_wipe(reader, sizeof(*reader));
    free(reader);
}
