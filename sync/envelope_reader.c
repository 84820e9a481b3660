/*
 * The reading side of an envelope. The file is read in pieces of 1 MiB, opened chunk by chunk, and
 * a byte is given out only from a chunk that verified.
 */
#include "sync/envelope.h"

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "sync/volume.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_CHUNKS 16u

struct sk_envelope_reader {
    struct sk_file *file; /* borrowed */
    struct sk_secret *key;
    struct sk_hash file_hash;
    uint8_t set_id[SK_SET_ID_LEN];
    uint8_t header_hash[SK_HASH_LEN];
    bool salvage;              /* damaged chunks are holes, and any may turn out to be the last */
    bool hole;                 /* `plain` is one: zeros */
    bool unread[PIECE_CHUNKS]; /* of `sealed`: could not be read, which is not called damaged */
    uint64_t total;            /* chunks in the file */
    uint64_t loaded;           /* of them read */
    uint64_t opened;           /* of them opened */
    size_t plain_from;         /* the part of `plain` not given out yet ends with it */
    uint8_t plain[SK_CHUNK_PLAIN_LEN];
    uint8_t sealed[PIECE_CHUNKS * SK_CHUNK_LEN]; /* as in the file: all before it is wiped */
};

static enum sk_status check_length(struct sk_file *file, uint64_t *len, struct sk_error *err)
{
    bool regular = false;
    SK_TRY(sk_file_size(file, len, &regular, err));
    if (!regular || !sk_volume_length_valid(*len))
        return sk_fail(err, SK_DAMAGED,
                       "%s: no bundle or receipt has this length: it is damaged, "
                       "was cut, or is something else",
                       sk_file_path(file));
    return SK_OK;
}

/* For a salvage: a file that was cut, or has something behind its end, may have any length. */
static enum sk_status measure(struct sk_file *file, uint64_t *chunks, struct sk_error *err)
{
    uint64_t len = 0;
    bool regular = false;
    SK_TRY(sk_file_size(file, &len, &regular, err));
    if (!regular || len / SK_CHUNK_LEN < 2)
        return sk_fail(err, SK_DAMAGED, "%s: too little of it is left to be read",
                       sk_file_path(file));
    *chunks = len / SK_CHUNK_LEN - 1;
    if (*chunks > SK_VOLUME_CHUNKS_MAX)
        *chunks = SK_VOLUME_CHUNKS_MAX;
    return SK_OK;
}

enum sk_status sk_envelope_load_header(struct sk_file *file, uint8_t *header, struct sk_error *err)
{
    uint64_t len;
    SK_TRY(check_length(file, &len, err));
    return sk_file_read_at(file, header, SK_VOLUME_HEADER_LEN, 0, err);
}

enum sk_status sk_envelope_load_any(struct sk_file *file, uint8_t *header, struct sk_error *err)
{
    uint64_t chunks = 0;
    SK_TRY(measure(file, &chunks, err));
    return sk_file_read_at(file, header, SK_VOLUME_HEADER_LEN, 0, err);
}

/* ---- opening ---- */

static enum sk_status open_header(struct sk_volume_unlocked *out, struct sk_file *file,
                                  const uint8_t *header, const struct sk_slot_plain *plain,
                                  struct sk_error *err)
{
    uint8_t mac[SK_HASH_LEN];
    sk_volume_header_mac(mac, header, plain->file_key);
    if (!sk_equal(mac, header + SK_VOLUME_MAC_AT, sizeof(mac)))
        return sk_fail(err, SK_DAMAGED,
                       "%s: the header is damaged, or sealed to keys that are not here",
                       sk_file_path(file));
    sk_header_hash(out->header_hash, header);
    sk_volume_key(out->key, plain->file_key, plain->volume, out->header_hash);
    memcpy(out->set_id, plain->set_id, SK_SET_ID_LEN);
    return SK_OK;
}

static enum sk_status fail_slot(enum sk_status status, const struct sk_file *file,
                                struct sk_error *err)
{
    if (status == SK_CONFIG)
        return sk_fail(err, status, "%s: it was made by a newer version of this program",
                       sk_file_path(file));
    if (status == SK_DAMAGED)
        return sk_fail(err, status,
                       "%s: the header is damaged, or sealed to keys that are not here",
                       sk_file_path(file));
    return sk_fail_status(err, status);
}

static void reader_cleanup(struct sk_envelope_reader **reader)
{
    sk_envelope_reader_free(*reader);
}

/* All that does not depend on the length. */
static enum sk_status unlock(struct sk_volume_unlocked *out, struct sk_file *file,
                             const uint8_t *header, unsigned slot, const struct sk_slot_keys *keys,
                             sk_envelope_dh_fn *dh, void *dh_context,
                             const uint8_t dh_public[static SK_DH_LEN], struct sk_error *err)
{
    sk_auto_slot_plain plain = {{0}, {0}, 0, 0, 0, 0};
    enum sk_status status =
        sk_volume_open_slot(&plain, header, slot, keys, dh, dh_context, dh_public);
    if (status)
        return fail_slot(status, file, err);
    return open_header(out, file, header, &plain, err);
}

enum sk_status sk_envelope_unlock(struct sk_volume_unlocked *out, struct sk_file *file,
                                  const uint8_t *header, unsigned slot,
                                  const struct sk_slot_keys *keys, sk_envelope_dh_fn *dh,
                                  void *dh_context, const uint8_t dh_public[static SK_DH_LEN],
                                  struct sk_error *err)
{
    uint64_t len;

    if (slot >= SK_VOLUME_SLOTS)
        return sk_fail(err, SK_INTERNAL, "an envelope has 8 slots");
    SK_TRY(check_length(file, &len, err));
    SK_TRY(unlock(out, file, header, slot, keys, dh, dh_context, dh_public, err));
    out->chunks = len / SK_CHUNK_LEN - 1;
    return SK_OK;
}

enum sk_status sk_envelope_unlock_any(struct sk_volume_unlocked *out, struct sk_file *file,
                                      const uint8_t *header, unsigned slot,
                                      const struct sk_slot_keys *keys, sk_envelope_dh_fn *dh,
                                      void *dh_context, const uint8_t dh_public[static SK_DH_LEN],
                                      struct sk_error *err)
{
    uint64_t chunks = 0;

    if (slot >= SK_VOLUME_SLOTS)
        return sk_fail(err, SK_INTERNAL, "an envelope has 8 slots");
    SK_TRY(measure(file, &chunks, err));
    SK_TRY(unlock(out, file, header, slot, keys, dh, dh_context, dh_public, err));
    out->chunks = chunks;
    return SK_OK;
}

enum sk_status sk_envelope_reader_new(struct sk_envelope_reader **out, struct sk_file *file,
                                      const uint8_t *header,
                                      const struct sk_volume_unlocked *unlocked,
                                      struct sk_error *err)
{
    __attribute__((cleanup(reader_cleanup))) struct sk_envelope_reader *reader =
        calloc(1, sizeof(*reader));
    if (!reader || sk_secret_new(&reader->key, sizeof(unlocked->key)) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);
    reader->file = file;
    reader->total = unlocked->chunks;
    reader->plain_from = SK_CHUNK_PLAIN_LEN;
    memcpy(sk_secret_bytes(reader->key), unlocked->key, sizeof(unlocked->key));
    memcpy(reader->set_id, unlocked->set_id, SK_SET_ID_LEN);
    memcpy(reader->header_hash, unlocked->header_hash, SK_HASH_LEN);
    sk_hash_init(&reader->file_hash, NULL, SK_LABEL_FILE);
    sk_hash_add(&reader->file_hash, header, SK_VOLUME_HEADER_LEN);
    *out = SK_TAKE(reader);
    return SK_OK;
}

enum sk_status sk_envelope_open(struct sk_envelope_reader **out, struct sk_file *file,
                                const uint8_t *header, unsigned slot,
                                const struct sk_slot_keys *keys, sk_envelope_dh_fn *dh,
                                void *dh_context, const uint8_t dh_public[static SK_DH_LEN],
                                struct sk_error *err)
{
    sk_auto_volume_unlocked unlocked = {.chunks = 0};
    SK_TRY(sk_envelope_unlock(&unlocked, file, header, slot, keys, dh, dh_context, dh_public, err));
    return sk_envelope_reader_new(out, file, header, &unlocked, err);
}

const uint8_t *sk_envelope_reader_set_id(const struct sk_envelope_reader *reader)
{
    return reader->set_id;
}

const uint8_t *sk_envelope_reader_header_hash(const struct sk_envelope_reader *reader)
{
    return reader->header_hash;
}

uint64_t sk_envelope_reader_done(const struct sk_envelope_reader *reader)
{
    return SK_VOLUME_HEADER_LEN + reader->loaded * SK_CHUNK_LEN;
}

/* ---- the stream ---- */

/* Of a piece that cannot be read at once: what cannot be read at all is zeros, which no tag fits.
 */
static void load_singly(struct sk_envelope_reader *reader, size_t count, uint64_t offset)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = reader->sealed + i * SK_CHUNK_LEN;
        reader->unread[i] = sk_file_read_at(reader->file, at, SK_CHUNK_LEN,
                                            offset + i * SK_CHUNK_LEN, NULL) != SK_OK;
        if (reader->unread[i])
            memset(at, 0, SK_CHUNK_LEN);
    }
}

static enum sk_status load_piece(struct sk_envelope_reader *reader, struct sk_error *err)
{
    uint64_t left = reader->total - reader->loaded;
    size_t count = left < PIECE_CHUNKS ? (size_t)left : PIECE_CHUNKS;
    uint64_t offset = SK_VOLUME_HEADER_LEN + reader->loaded * SK_CHUNK_LEN;
    struct sk_error why = SK_ERROR_INIT;

    enum sk_status status =
        sk_file_read_at(reader->file, reader->sealed, count * SK_CHUNK_LEN, offset, &why);
    if (status != SK_OK && !reader->salvage)
        return sk_fail(err, status, "%s", why.text);
    memset(reader->unread, 0, sizeof(reader->unread));
    if (status != SK_OK)
        load_singly(reader, count, offset);
    sk_hash_add(&reader->file_hash, reader->sealed, count * SK_CHUNK_LEN);
    reader->loaded += count;
    return SK_OK;
}

static enum sk_status fail_chunk(const struct sk_envelope_reader *reader, uint64_t j,
                                 struct sk_error *err)
{
    if (reader->unread[j % PIECE_CHUNKS])
        return sk_fail(err, SK_IO, "%s: what matters most of it cannot be read",
                       sk_file_path(reader->file));
    return sk_fail(err, SK_DAMAGED, "%s: damaged between byte %llu and %llu",
                   sk_file_path(reader->file), (unsigned long long)(j + 1) * SK_CHUNK_LEN,
                   (unsigned long long)(j + 2) * SK_CHUNK_LEN);
}

/* The next chunk as it stands in the file. */
static enum sk_status next_sealed(struct sk_envelope_reader *reader, const uint8_t **sealed,
                                  struct sk_error *err)
{
    uint64_t j = reader->opened;
    if (j == reader->total)
        return sk_fail(err, SK_DAMAGED, "%s: the content ends too early",
                       sk_file_path(reader->file));
    if (j == reader->loaded)
        SK_TRY(load_piece(reader, err));
    *sealed = reader->sealed + j % PIECE_CHUNKS * SK_CHUNK_LEN;
    return SK_OK;
}

/* In a salvage the file's length does not tell which chunk is the last. Behind one that says so
 * there is nothing. */
static bool salvage_chunk(struct sk_envelope_reader *reader, uint8_t *plain, const uint8_t *sealed)
{
    const uint8_t *key = sk_secret_view(reader->key);
    uint64_t j = reader->opened;
    if (sk_chunk_open(plain, sealed, SK_CHUNK_PLAIN_LEN, j, false, key) == SK_OK)
        return true;
    if (sk_chunk_open(plain, sealed, SK_CHUNK_PLAIN_LEN, j, true, key) != SK_OK)
        return false;
    reader->total = j + 1;
    return true;
}

/* Opens the next chunk into `plain` (SK_CHUNK_PLAIN_LEN bytes). hole: NULL where damage is an
 * error. */
static enum sk_status open_chunk(struct sk_envelope_reader *reader, uint8_t *plain, bool *hole,
                                 struct sk_error *err)
{
    const uint8_t *sealed = NULL;
    uint64_t j = reader->opened;
    SK_TRY(next_sealed(reader, &sealed, err));
    bool good = reader->salvage
                    ? salvage_chunk(reader, plain, sealed)
                    : sk_chunk_open(plain, sealed, SK_CHUNK_PLAIN_LEN, j, j + 1 == reader->total,
                                    sk_secret_view(reader->key)) == SK_OK;
    if (!good && !hole)
        return fail_chunk(reader, j, err);
    if (!good)
        memset(plain, 0, SK_CHUNK_PLAIN_LEN);
    if (hole)
        *hole = !good;
    reader->opened++;
    return SK_OK;
}

static enum sk_status read_on(struct sk_envelope_reader *reader, uint8_t *at, size_t len,
                              bool *whole, struct sk_error *err)
{
    while (len > 0) {
        bool hole = false;
        bool *may = whole ? &hole : NULL;
        size_t waiting = SK_CHUNK_PLAIN_LEN - reader->plain_from;
        size_t part = waiting < len ? waiting : len;
        if (waiting > 0) {
            memcpy(at, reader->plain + reader->plain_from, part);
            reader->plain_from += part;
            hole = reader->hole;
        } else if (len >= SK_CHUNK_PLAIN_LEN) { /* no copy needed */
            part = SK_CHUNK_PLAIN_LEN;
            SK_TRY(open_chunk(reader, at, may, err));
        } else {
            SK_TRY(open_chunk(reader, reader->plain, may, err));
            reader->hole = hole;
            reader->plain_from = 0;
            continue;
        }
        if (whole)
            *whole = *whole && !hole;
        at += part;
        len -= part;
    }
    return SK_OK;
}

enum sk_status sk_envelope_read(struct sk_envelope_reader *reader, void *out, size_t len,
                                struct sk_error *err)
{
    if (reader->hole && len > 0 && reader->plain_from < SK_CHUNK_PLAIN_LEN)
        return fail_chunk(reader, reader->opened - 1, err);
    return read_on(reader, out, len, NULL, err);
}

void sk_envelope_salvage(struct sk_envelope_reader *reader)
{
    reader->salvage = true;
}

enum sk_status sk_envelope_try(struct sk_envelope_reader *reader, void *out, size_t len,
                               bool *whole, struct sk_error *err)
{
    *whole = true;
    return read_on(reader, out, len, whole, err);
}

static enum sk_status source_read(void *context, void *out, size_t len, struct sk_error *err)
{
    return sk_envelope_read(context, out, len, err);
}

struct sk_source sk_envelope_source(struct sk_envelope_reader *reader)
{
    return (struct sk_source){.read = source_read, .context = reader};
}

static enum sk_status check_zeros(const struct sk_envelope_reader *reader, size_t from,
                                  struct sk_error *err)
{
    uint8_t any = 0;
    for (size_t i = from; i < SK_CHUNK_PLAIN_LEN; i++)
        any |= reader->plain[i];
    return any ? sk_fail(err, SK_DAMAGED, "%s: there is something behind the end of the content",
                         sk_file_path(reader->file))
               : SK_OK;
}

enum sk_status sk_envelope_end(struct sk_envelope_reader *reader, uint8_t file_hash[static 32],
                               struct sk_error *err)
{
    SK_TRY(check_zeros(reader, reader->plain_from, err));
    while (reader->opened < reader->total) {
        SK_TRY(open_chunk(reader, reader->plain, NULL, err));
        SK_TRY(check_zeros(reader, 0, err));
    }
    reader->plain_from = SK_CHUNK_PLAIN_LEN;
    sk_hash_end(&reader->file_hash, file_hash);
    return SK_OK;
}

void sk_envelope_reader_free(struct sk_envelope_reader *reader)
{
    if (!reader)
        return;
    sk_secret_free(reader->key);
    sk_wipe(reader, offsetof(struct sk_envelope_reader, sealed));
    free(reader);
}
