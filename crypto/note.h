/*
 * Signed notes, checkpoints and cosignatures (C2SP: signed-note, tlog-checkpoint,
 * tlog-cosignature).
 *
 * A note is text that ends in a newline, an empty line, and signature lines
 * "U+2014 <name> base64(key id[4] | signature)". A checkpoint is a note whose text is exactly three
 * lines: origin, size in decimal, root in base64. A cosignature signs
 * "cosignature/v1\ntime <t>\n<checkpoint text>" and carries u64 t, big-endian, before the
 * signature.
 *
 * Key id: the first four bytes of SHA-256(name | 0x0A | type | public key), type 0x01 for a note's
 * Ed25519 signature and 0x04 for a cosignature.
 */
#ifndef SK_CRYPTO_NOTE_H
#define SK_CRYPTO_NOTE_H

#include "crypto/merkle.h"
#include "crypto/sign.h"

#define SK_NOTE_NAME_MAX       128
#define SK_NOTE_LINE_MAX       320  /* one signature line with its newline and NUL */
#define SK_CHECKPOINT_TEXT_MAX 256  /* three lines and NUL */
#define SK_CHECKPOINT_NOTE_MAX 1024 /* with a signature and a cosignature */
#define SK_BASE64_HASH_LEN     44   /* characters of a 32-byte hash */

struct sk_checkpoint {
    char origin[SK_NOTE_NAME_MAX];
    uint64_t size;
    uint8_t root[SK_MERKLE_LEN];
};

/*
 * Writes the signature line for `text` (text_len bytes ending in a newline), NUL-terminated.
 * Errors: SK_USAGE for a name that is empty, too long, or holds white space or '+'.
 */
SK_MUST_CHECK enum sk_status sk_note_sign(char line[static SK_NOTE_LINE_MAX], const char *text,
                                          size_t text_len, const char *name,
                                          const uint8_t seed[static SK_SIGN_SEED_LEN]);

/* The same for a cosignature of a checkpoint's text at `time_s` (seconds since 1970). */
SK_MUST_CHECK enum sk_status sk_note_cosign(char line[static SK_NOTE_LINE_MAX], const char *text,
                                            size_t text_len, const char *name, uint64_t time_s,
                                            const uint8_t seed[static SK_SIGN_SEED_LEN]);

/*
 * Finds and checks the signature of (name, public_key) in a note of note_len bytes; *text_len is
 * the length of the text before the empty line. Signatures by others are passed over.
 * Errors: SK_DAMAGED when the note is malformed (invalid UTF-8, control characters other than
 * newline, no signatures, more than 100 of them), has no signature by that key, or a wrong one.
 */
SK_MUST_CHECK enum sk_status sk_note_verify(const char *note, size_t note_len, const char *name,
                                            const uint8_t public_key[static SK_SIGN_PUBLIC_LEN],
                                            size_t *text_len);

/* The same for a cosignature by (name, public_key); *time_s is its time. Errors: SK_DAMAGED. */
SK_MUST_CHECK enum sk_status sk_note_verify_cosignature(
    const char *note, size_t note_len, const char *name,
    const uint8_t public_key[static SK_SIGN_PUBLIC_LEN], uint64_t *time_s);

/* Writes the three lines of a checkpoint, NUL-terminated. Errors: SK_USAGE for a bad origin. */
SK_MUST_CHECK enum sk_status sk_checkpoint_format(char text[static SK_CHECKPOINT_TEXT_MAX],
                                                  const struct sk_checkpoint *checkpoint);

/*
 * Reads exactly three lines (text_len bytes): no leading zeros, canonical base64.
 * Errors: SK_DAMAGED.
 */
SK_MUST_CHECK enum sk_status sk_checkpoint_parse(struct sk_checkpoint *out, const char *text,
                                                 size_t text_len);

/* Standard base64 with padding of a 32-byte hash: SK_BASE64_HASH_LEN characters and NUL. */
void sk_base64_hash(char out[static SK_BASE64_HASH_LEN + 1],
                    const uint8_t hash[static SK_MERKLE_LEN]);

/* Back from SK_BASE64_HASH_LEN characters, canonical ones only. Errors: SK_DAMAGED. */
SK_MUST_CHECK enum sk_status sk_base64_hash_parse(uint8_t out[static SK_MERKLE_LEN],
                                                  const char text[static SK_BASE64_HASH_LEN]);

#endif
