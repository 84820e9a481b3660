/*
 * The envelope: a file of uniform bytes that carries an inner stream to several recipients
 * (sync/FORMAT.md, "Volume"). Bundles and receipts are both one.
 */
#ifndef SK_SYNC_ENVELOPE_H
#define SK_SYNC_ENVELOPE_H

#include "core/file.h"
#include "sync/ratchet.h"
#include "sync/stream.h"

#define SK_VOLUME_HEADER_LEN 65536u
#define SK_VOLUME_SLOTS      8
#define SK_VOLUME_SLOT_LEN   128
#define SK_CHUNK_LEN         65536u
#define SK_CHUNK_PLAIN_LEN   65520u
#define SK_VOLUME_CHUNKS_MAX 65519u
#define SK_VOLUME_FORMAT     1
#define SK_SET_ID_LEN        16

struct sk_recipient {
    struct sk_slot_keys keys;
    uint8_t dh_public[SK_DH_LEN];
};

struct sk_envelope_writer;
struct sk_envelope_reader;

/* H(no key, "header hash", the header's 65,536 bytes). */
void sk_header_hash(uint8_t out[static 32], const uint8_t *header);

/* The tag of a slot under a tag key and a header's N0: first 16 bytes of H(TK, "tag", N0). */
void sk_slot_tag(uint8_t out[static 16], const uint8_t tag_key[static 32],
                 const uint8_t n0[static 32]);

/*
 * Writes the header for 1 to 8 recipients under a fresh random file key and set id. The file
 * (empty, from sk_file_create_beside()) stays the caller's. Errors: SK_NOMEM, SK_FULL, SK_IO,
 * SK_DAMAGED (a recipient's key of low order).
 */
SK_MUST_CHECK enum sk_status sk_envelope_create(struct sk_envelope_writer **out,
                                                struct sk_file *file,
                                                const struct sk_recipient *recipients, size_t count,
                                                struct sk_error *err);
const uint8_t *sk_envelope_set_id(const struct sk_envelope_writer *writer);      /* 16 bytes */
const uint8_t *sk_envelope_header_hash(const struct sk_envelope_writer *writer); /* 32 bytes */

/* Appends to the inner stream. Errors: SK_LIMIT (over SK_VOLUME_CHUNKS_MAX), SK_FULL, SK_IO. */
SK_MUST_CHECK enum sk_status sk_envelope_write(struct sk_envelope_writer *writer, const void *bytes,
                                               size_t len, struct sk_error *err);
struct sk_sink sk_envelope_sink(struct sk_envelope_writer *writer);

/* Fills up with zeros to the padded size and marks the last chunk. file_hash: H(no key, "file", all
 * bytes of the file). Neither syncs nor names the file. */
SK_MUST_CHECK enum sk_status sk_envelope_finish(struct sk_envelope_writer *writer,
                                                uint8_t file_hash[static 32], struct sk_error *err);

/* Whether a file of `size` bytes, read from its beginning, is what the finished writer wrote: its
 * header by the header's hash, each chunk by its tag. Errors: SK_IO, SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_envelope_compare(const struct sk_envelope_writer *writer,
                                                 struct sk_file *file, uint64_t size, bool *same,
                                                 struct sk_error *err);
void sk_envelope_writer_free(struct sk_envelope_writer *writer);

/* Reads the header (65,536 bytes) of a file and checks that the file's length is one that a volume
 * can have. Errors: SK_DAMAGED, SK_IO. */
SK_MUST_CHECK enum sk_status sk_envelope_load_header(struct sk_file *file, uint8_t *header,
                                                     struct sk_error *err);

/* The same for a salvage, of a file of any length that holds a header and one chunk. */
SK_MUST_CHECK enum sk_status sk_envelope_load_any(struct sk_file *file, uint8_t *header,
                                                  struct sk_error *err);

/* What a header gives to who has its key: enough to read this one volume, and no other. */
struct sk_volume_unlocked {
    uint8_t key[32]; /* of its chunks */
    uint8_t set_id[SK_SET_ID_LEN];
    uint8_t header_hash[32];
    uint64_t chunks;
};
static inline void sk_volume_unlocked_cleanup(struct sk_volume_unlocked *unlocked)
{
    sk_wipe(unlocked, sizeof(*unlocked));
}
#define sk_auto_volume_unlocked \
    __attribute__((cleanup(sk_volume_unlocked_cleanup))) struct sk_volume_unlocked

/*
 * Opens a slot and checks the header's MAC. dh gives X25519(own scalar, E) for the reader's key;
 * dh_public is its public half. Errors: SK_DAMAGED (slot, MAC, low order), SK_CONFIG (a newer
 * format, or k and n other than 1).
 */
typedef enum sk_status sk_envelope_dh_fn(void *context, uint8_t shared[static SK_DH_LEN],
                                         const uint8_t public_key[static SK_DH_LEN]);
SK_MUST_CHECK enum sk_status sk_envelope_unlock(struct sk_volume_unlocked *out,
                                                struct sk_file *file, const uint8_t *header,
                                                unsigned slot, const struct sk_slot_keys *keys,
                                                sk_envelope_dh_fn *dh, void *dh_context,
                                                const uint8_t dh_public[static SK_DH_LEN],
                                                struct sk_error *err);

/* The same for a salvage: the file may have any length, of which its whole chunks count. */
SK_MUST_CHECK enum sk_status sk_envelope_unlock_any(struct sk_volume_unlocked *out,
                                                    struct sk_file *file, const uint8_t *header,
                                                    unsigned slot, const struct sk_slot_keys *keys,
                                                    sk_envelope_dh_fn *dh, void *dh_context,
                                                    const uint8_t dh_public[static SK_DH_LEN],
                                                    struct sk_error *err);

/* A reader of the chunks behind an unlocked header. Errors: SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_envelope_reader_new(struct sk_envelope_reader **out,
                                                    struct sk_file *file, const uint8_t *header,
                                                    const struct sk_volume_unlocked *unlocked,
                                                    struct sk_error *err);

/* Both in one. */
SK_MUST_CHECK enum sk_status sk_envelope_open(struct sk_envelope_reader **out, struct sk_file *file,
                                              const uint8_t *header, unsigned slot,
                                              const struct sk_slot_keys *keys,
                                              sk_envelope_dh_fn *dh, void *dh_context,
                                              const uint8_t dh_public[static SK_DH_LEN],
                                              struct sk_error *err);
const uint8_t *sk_envelope_reader_set_id(const struct sk_envelope_reader *reader);
const uint8_t *sk_envelope_reader_header_hash(const struct sk_envelope_reader *reader);
/* Bytes of the file that were read so far. */
uint64_t sk_envelope_reader_done(const struct sk_envelope_reader *reader);

/* Reads exactly len bytes of the inner stream, each chunk verified before a byte of it is given
 * out. Errors: SK_DAMAGED, SK_IO. */
SK_MUST_CHECK enum sk_status sk_envelope_read(struct sk_envelope_reader *reader, void *out,
                                              size_t len, struct sk_error *err);

/*
 * Salvage (sync/FORMAT.md): from now on any chunk may be the last, and what cannot be read counts
 * as damaged. sk_envelope_read() fails at damage all the same, with SK_IO where it could not be
 * read; sk_envelope_try() goes on over it: *whole is false when some of the bytes were lost, which
 * are zeros then. Errors: SK_DAMAGED only where the content ends.
 */
void sk_envelope_salvage(struct sk_envelope_reader *reader);
SK_MUST_CHECK enum sk_status sk_envelope_try(struct sk_envelope_reader *reader, void *out,
                                             size_t len, bool *whole, struct sk_error *err);
struct sk_source sk_envelope_source(struct sk_envelope_reader *reader);

/* The rest must be zeros up to the padded size and the last chunk; gives the file's hash.
 * Errors: SK_DAMAGED, SK_IO. */
SK_MUST_CHECK enum sk_status sk_envelope_end(struct sk_envelope_reader *reader,
                                             uint8_t file_hash[static 32], struct sk_error *err);
void sk_envelope_reader_free(struct sk_envelope_reader *reader);

/* H(no key, "file", all bytes), read in pieces. progress may be NULL. */
SK_MUST_CHECK enum sk_status sk_file_hash(struct sk_file *file, uint8_t out[static 32],
                                          const struct sk_progress *progress, struct sk_error *err);

/* The courier's code of a file's hash: six groups of five digits. */
#define SK_CODE_LEN 36 /* with NUL */
void sk_code_format(char out[static SK_CODE_LEN], const uint8_t file_hash[static 32]);
/* Whether what a person typed (digits, with or without spaces or hyphens) is that code. */
bool sk_code_matches(const char *typed, const uint8_t file_hash[static 32]);
/* Whether it is 30 digits at all. */
bool sk_code_valid(const char *typed);

#endif
