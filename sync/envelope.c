/*
 * The writing side of an envelope; the reading side is envelope_reader.c, what both share volume.c.
 *
 * Bytes wait in `plain` until more than a chunk of them has come, since only then it is known that
 * this chunk is not the last. Sealed chunks are gathered to pieces of 1 MiB, which a second thread
 * hashes and writes.
 */
#include "sync/envelope.h"

#include "core/relay.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "sync/looks.h"
#include "sync/volume.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_LEN  (16 * (size_t)SK_CHUNK_LEN)
#define STREAM_MAX ((uint64_t)SK_VOLUME_CHUNKS_MAX * SK_CHUNK_PLAIN_LEN)

struct sk_envelope_writer {
    /* Of the second thread, until the relay has ended. */
    struct sk_hash file_hash;
    struct sk_file *file; /* borrowed */
    /* Of the one that writes the stream. */
    struct sk_relay *relay;
    struct sk_secret *key;
    uint8_t set_id[SK_SET_ID_LEN];
    uint8_t header_hash[SK_HASH_LEN];
    uint64_t bytes;    /* of the inner stream, so far */
    uint64_t chunks;   /* sealed */
    size_t plain_len;  /* waiting */
    size_t sealed_len; /* gathered, in the relay's piece */
    uint8_t plain[SK_CHUNK_PLAIN_LEN];
};

static enum sk_status put(void *context, const uint8_t *bytes, size_t len, struct sk_error *err)
{
    struct sk_envelope_writer *writer = context;
    sk_hash_add(&writer->file_hash, bytes, len);
    return sk_file_write(writer->file, bytes, len, err);
}

static enum sk_status put_sealed(struct sk_envelope_writer *writer, struct sk_error *err)
{
    size_t len = writer->sealed_len;
    writer->sealed_len = 0;
    return len > 0 ? sk_relay_give(writer->relay, len, err) : SK_OK;
}

static enum sk_status seal_chunk(struct sk_envelope_writer *writer, const uint8_t *plain, bool last,
                                 struct sk_error *err)
{
    sk_chunk_seal(sk_relay_piece(writer->relay) + writer->sealed_len, plain, SK_CHUNK_PLAIN_LEN,
                  writer->chunks, last, sk_secret_view(writer->key));
    writer->chunks++;
    writer->sealed_len += SK_CHUNK_LEN;
    return writer->sealed_len == PIECE_LEN ? put_sealed(writer, err) : SK_OK;
}

/* ---- the header ---- */

/* Which slot each recipient gets: a uniform choice, so that their order tells nothing. */
static void shuffle_slots(unsigned slots[static SK_VOLUME_SLOTS])
{
    for (unsigned i = 0; i < SK_VOLUME_SLOTS; i++)
        slots[i] = i;
    for (unsigned i = SK_VOLUME_SLOTS - 1; i > 0; i--) {
        unsigned j = sk_random_below(i + 1);
        unsigned other = slots[i];
        slots[i] = slots[j];
        slots[j] = other;
    }
}

/* Everything that is not written afterwards stays random: N0, unused slots, padding. */
static enum sk_status make_header(struct sk_envelope_writer *writer, uint8_t *header,
                                  const struct sk_recipient *recipients, size_t count,
                                  struct sk_error *err)
{
    sk_auto_slot_plain plain = {.k = 1, .n = 1, .volume = 0, .format = SK_VOLUME_FORMAT};
    unsigned slots[SK_VOLUME_SLOTS];

    sk_looks_random(header, SK_VOLUME_HEADER_LEN);
    sk_random(plain.file_key, sizeof(plain.file_key));
    sk_random(plain.set_id, sizeof(plain.set_id));
    shuffle_slots(slots);
    for (size_t i = 0; i < count; i++)
        if (sk_volume_seal_slot(header, slots[i], &recipients[i], &plain) != SK_OK)
            return sk_fail(err, SK_DAMAGED, "an archive's public key is not a usable one");
    sk_volume_header_mac(header + SK_VOLUME_MAC_AT, header, plain.file_key);

    sk_header_hash(writer->header_hash, header);
    sk_volume_key(sk_secret_bytes(writer->key), plain.file_key, plain.volume, writer->header_hash);
    memcpy(writer->set_id, plain.set_id, SK_SET_ID_LEN);
    return SK_OK;
}

static void writer_cleanup(struct sk_envelope_writer **writer)
{
    sk_envelope_writer_free(*writer);
}

enum sk_status sk_envelope_create(struct sk_envelope_writer **out, struct sk_file *file,
                                  const struct sk_recipient *recipients, size_t count,
                                  struct sk_error *err)
{
    if (count < 1 || count > SK_VOLUME_SLOTS)
        return sk_fail(err, SK_INTERNAL, "an envelope has 1 to 8 recipients");
    __attribute__((cleanup(writer_cleanup))) struct sk_envelope_writer *writer =
        calloc(1, sizeof(*writer));
    if (!writer || sk_secret_new(&writer->key, 32) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_relay_new(&writer->relay, PIECE_LEN, put, writer, err));
    writer->file = file;
    sk_hash_init(&writer->file_hash, NULL, SK_LABEL_FILE);
    SK_TRY(make_header(writer, sk_relay_piece(writer->relay), recipients, count, err));
    SK_TRY(sk_relay_give(writer->relay, SK_VOLUME_HEADER_LEN, err));
    *out = SK_TAKE(writer);
    return SK_OK;
}

const uint8_t *sk_envelope_set_id(const struct sk_envelope_writer *writer)
{
    return writer->set_id;
}

const uint8_t *sk_envelope_header_hash(const struct sk_envelope_writer *writer)
{
    return writer->header_hash;
}

/* ---- the stream ---- */

/* Takes a part of the bytes; seals what waits when it is a whole chunk and more is to come. */
static enum sk_status take(struct sk_envelope_writer *writer, const uint8_t **bytes, size_t *len,
                           struct sk_error *err)
{
    size_t part;
    if (writer->plain_len == SK_CHUNK_PLAIN_LEN) {
        writer->plain_len = 0;
        return seal_chunk(writer, writer->plain, false, err);
    }
    if (writer->plain_len == 0 && *len > SK_CHUNK_PLAIN_LEN) { /* no copy needed */
        part = SK_CHUNK_PLAIN_LEN;
        SK_TRY(seal_chunk(writer, *bytes, false, err));
    } else {
        part = SK_CHUNK_PLAIN_LEN - writer->plain_len;
        part = part < *len ? part : *len;
        memcpy(writer->plain + writer->plain_len, *bytes, part);
        writer->plain_len += part;
    }
    *bytes += part;
    *len -= part;
    return SK_OK;
}

enum sk_status sk_envelope_write(struct sk_envelope_writer *writer, const void *bytes, size_t len,
                                 struct sk_error *err)
{
    const uint8_t *at = bytes;
    if (len > STREAM_MAX - writer->bytes)
        return sk_fail(err, SK_LIMIT, "this is more than one file can carry");
    writer->bytes += len;
    while (len > 0)
        SK_TRY(take(writer, &at, &len, err));
    return SK_OK;
}

static enum sk_status sink_write(void *context, const void *bytes, size_t len, struct sk_error *err)
{
    return sk_envelope_write(context, bytes, len, err);
}

struct sk_sink sk_envelope_sink(struct sk_envelope_writer *writer)
{
    return (struct sk_sink){.write = sink_write, .context = writer};
}

enum sk_status sk_envelope_finish(struct sk_envelope_writer *writer, uint8_t file_hash[static 32],
                                  struct sk_error *err)
{
    uint64_t needed = writer->chunks + 1; /* what waits is the last chunk with content, or empty */
    uint64_t total = (sk_volume_padded(needed) - SK_VOLUME_HEADER_LEN) / SK_CHUNK_LEN;

    memset(writer->plain + writer->plain_len, 0, SK_CHUNK_PLAIN_LEN - writer->plain_len);
    SK_TRY(seal_chunk(writer, writer->plain, writer->chunks + 1 == total, err));
    memset(writer->plain, 0, SK_CHUNK_PLAIN_LEN);
    while (writer->chunks < total)
        SK_TRY(seal_chunk(writer, writer->plain, writer->chunks + 1 == total, err));
    SK_TRY(put_sealed(writer, err));
    SK_TRY(sk_relay_end(writer->relay, err));
    sk_hash_end(&writer->file_hash, file_hash);
    return SK_OK;
}

/* ---- reading back ---- */

/* What is read of the file, in pieces as they were written: the header, then whole chunks. */
struct reading_back {
    const struct sk_envelope_writer *writer;
    bool header_read;
    uint64_t chunks;
};

static bool is_chunk(struct reading_back *r, const uint8_t *sealed)
{
    const struct sk_envelope_writer *writer = r->writer;
    bool last = r->chunks + 1 == writer->chunks;
    return sk_chunk_check(sealed, SK_CHUNK_PLAIN_LEN, r->chunks++, last,
                          sk_secret_view(writer->key)) == SK_OK;
}

static enum sk_status compare(void *context, const uint8_t *bytes, size_t len, struct sk_error *err)
{
    struct reading_back *r = context;
    bool same = true;
    if (!r->header_read) {
        uint8_t hash[SK_HASH_LEN];
        sk_header_hash(hash, bytes);
        same = memcmp(hash, r->writer->header_hash, sizeof(hash)) == 0;
        r->header_read = true;
    } else {
        for (size_t at = 0; same && at < len; at += SK_CHUNK_LEN)
            same = is_chunk(r, bytes + at);
    }
    return same ? SK_OK : sk_fail(err, SK_DAMAGED, "what was written is not there");
}

static enum sk_status read_and_compare(struct sk_file *file, struct sk_relay *relay, uint64_t size,
                                       struct sk_error *err)
{
    uint64_t at = 0;
    size_t part = SK_VOLUME_HEADER_LEN;
    while (at < size) {
        SK_TRY(sk_file_read_at(file, sk_relay_piece(relay), part, at, err));
        SK_TRY(sk_relay_give(relay, part, err));
        at += part;
        part = size - at < PIECE_LEN ? (size_t)(size - at) : PIECE_LEN;
    }
    return sk_relay_end(relay, err);
}

enum sk_status sk_envelope_compare(const struct sk_envelope_writer *writer, struct sk_file *file,
                                   uint64_t size, bool *same, struct sk_error *err)
{
    struct reading_back r = {.writer = writer};
    struct sk_error why = SK_ERROR_INIT;
    sk_auto_relay relay = NULL;
    *same = false;
    if (size != SK_VOLUME_HEADER_LEN + writer->chunks * SK_CHUNK_LEN)
        return SK_OK;
    SK_TRY(sk_relay_new(&relay, PIECE_LEN, compare, &r, err));
    enum sk_status status = read_and_compare(file, relay, size, &why);
    if (status != SK_OK && status != SK_DAMAGED)
        return sk_fail(err, status, "%s", why.text);
    *same = status == SK_OK;
    return SK_OK;
}

void sk_envelope_writer_free(struct sk_envelope_writer *writer)
{
    if (!writer)
        return;
    sk_relay_free(writer->relay); /* first: its thread uses the rest */
    sk_secret_free(writer->key);
    sk_wipe(writer, sizeof(*writer));
    free(writer);
}
