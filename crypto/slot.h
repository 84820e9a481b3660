/*
 * The file `keys`: key slots that wrap the store key. Bytes only; core reads and writes the file.
 *
 * | offset | bytes   |                                                             |
 * |      0 | 16      | magic "skrynia keys\0\0\0\0"                                |
 * |     16 | 4       | format, 1                                                   |
 * |     20 | 4       | kind of store: 1 documenter's, 2 archive                    |
 * |     24 | 16      | store id, random                                            |
 * |     40 | 8 x 128 | slots                                                       |
 * |   1064 | 32      | H(store key, "keys mac", all before)                        |
 * |   1096 | 32      | H(no key, "keys sum", all before): tells damage from a      |
 * |        |         | wrong passphrase                                            |
 *
 * Slot: u32 kind | u32 flags (bit 0: insecure test KDF) | u32 memory KiB | u32 passes | salt[16] |
 * wrapped store key: ciphertext[32] | nonce[24] | tag[16] | zeros[24]. The AD of the wrap is magic,
 * format, kind of store, store id, u32 slot number and the slot's first 32 bytes. An empty slot is
 * kind 0 and zeros. Kind 1 is a passphrase; kind 2 a passphrase with a key file, whose key is
 * H(Argon2id key, "key mix", H(no key, "key file", the file's bytes)); kind 3 is recovery words,
 * whose Argon2id password is the words in lower case with one space between them. Other kinds are
 * passed over. Slots count from 0 here and in the file, from 1 in what the programs show.
 */
#ifndef SK_CRYPTO_SLOT_H
#define SK_CRYPTO_SLOT_H

#include "crypto/kdf.h"

#include <stdbool.h>

#define SK_SLOT_COUNT   8
#define SK_SLOT_LEN     128
#define SK_KEYS_LEN     1128
#define SK_STORE_ID_LEN 16

enum sk_slot_kind {
    SK_SLOT_EMPTY = 0,
    SK_SLOT_PASSPHRASE = 1,
    SK_SLOT_PASSPHRASE_KEY_FILE = 2,
    SK_SLOT_WORDS = 3,
};

/* What a person gives to unlock. key_file_hash: 32 bytes made by sk_key_file_hash(), or NULL. */
struct sk_unlock {
    const uint8_t *passphrase;
    size_t passphrase_len;
    const uint8_t *key_file_hash;
};

/* Recovery words as a slot takes them: lower case, one space between two, none around. Whoever made
 * them from what was typed has seen that every one stands in the list. */
struct sk_words {
    const uint8_t *text;
    size_t len;
};

struct sk_keys {
    uint8_t bytes[SK_KEYS_LEN]; /* the file as read or as to be written */
};

/* The hash of a key file's bytes that sk_unlock wants. */
void sk_key_file_hash(uint8_t out[static 32], const void *bytes, size_t len);

/*
 * The key that a passphrase (and key file) give under a salt: what wraps a slot, before it is used.
 * *out belongs to the caller. Errors: those of sk_kdf_passphrase().
 */
SK_MUST_CHECK enum sk_status sk_unlock_key(struct sk_secret **out, const struct sk_unlock *unlock,
                                           const uint8_t salt[static SK_KDF_SALT_LEN],
                                           const struct sk_kdf_params *params);

/*
 * A new file with one slot (number 0), for a random store id and the given 32-byte store key.
 * Errors: those of sk_kdf_passphrase().
 */
SK_MUST_CHECK enum sk_status sk_keys_create(struct sk_keys *keys, uint32_t store_kind,
                                            const struct sk_unlock *unlock,
                                            const struct sk_kdf_params *params,
                                            const uint8_t store_key[static 32]);

/* The same with recovery words in the one slot. */
SK_MUST_CHECK enum sk_status sk_keys_create_by_words(struct sk_keys *keys, uint32_t store_kind,
                                                     const struct sk_words *words,
                                                     const struct sk_kdf_params *params,
                                                     const uint8_t store_key[static 32]);

/*
 * Tries every slot that fits what is given; *store_key (32 bytes) belongs to the caller, *slot is
 * the number of the one that opened.
 * Errors: SK_DAMAGED (magic, checksum, MAC, a slot's parameters), SK_CONFIG (a newer format),
 * SK_WRONG_KEY (no slot opened), SK_NOMEM.
 */
SK_MUST_CHECK enum sk_status sk_keys_unlock(const struct sk_keys *keys,
                                            const struct sk_unlock *unlock,
                                            struct sk_secret **store_key, unsigned *slot);

/* The same for slots of recovery words, and for these alone: each that is tried costs as much time
 * and memory as a passphrase. */
SK_MUST_CHECK enum sk_status sk_keys_unlock_by_words(const struct sk_keys *keys,
                                                     const struct sk_words *words,
                                                     struct sk_secret **store_key, unsigned *slot);

/*
 * Opens the store key by any one slot of the words, or without words of the passphrase, of a file
 * that may be damaged everywhere else: neither its checksum nor its MAC is looked at, and what the
 * key opens must prove it. *insecure: whether that slot is one for tests. Errors: SK_WRONG_KEY (no
 * slot opened), SK_NOMEM (none opened, and memory for one of them was wanting).
 */
SK_MUST_CHECK enum sk_status sk_keys_salvage(const struct sk_keys *keys,
                                             const struct sk_unlock *unlock,
                                             const struct sk_words *words,
                                             struct sk_secret **store_key, bool *insecure);

/*
 * Fills a slot with a passphrase (and key file), whatever it held, keeping the store key. Errors:
 * as create; SK_USAGE for a slot past the last; SK_DAMAGED, SK_CONFIG when the file is not intact
 * under that store key.
 */
SK_MUST_CHECK enum sk_status sk_keys_set_slot(struct sk_keys *keys, unsigned slot,
                                              const struct sk_unlock *unlock,
                                              const struct sk_kdf_params *params,
                                              const uint8_t store_key[static 32]);

/* The same with recovery words. */
SK_MUST_CHECK enum sk_status sk_keys_set_slot_by_words(struct sk_keys *keys, unsigned slot,
                                                       const struct sk_words *words,
                                                       const struct sk_kdf_params *params,
                                                       const uint8_t store_key[static 32]);

/*
 * Whether one slot opens, and to that store key: by `words` unless NULL, else by `unlock`. No other
 * slot is tried. Errors: SK_WRONG_KEY (also for an empty slot or one of another kind), SK_DAMAGED,
 * SK_NOMEM.
 */
SK_MUST_CHECK enum sk_status sk_keys_try_slot(const struct sk_keys *keys, unsigned slot,
                                              const struct sk_unlock *unlock,
                                              const struct sk_words *words,
                                              const uint8_t store_key[static 32]);

/* Empties a slot. Errors: SK_USAGE for a slot past the last, one that is empty, or the only one;
 * SK_DAMAGED, SK_CONFIG as above. */
SK_MUST_CHECK enum sk_status sk_keys_clear_slot(struct sk_keys *keys, unsigned slot,
                                                const uint8_t store_key[static 32]);

/* What a slot (below SK_SLOT_COUNT) is: enum sk_slot_kind, or a number of a newer program's. */
uint32_t sk_keys_slot_kind(const struct sk_keys *keys, unsigned slot);

/* Checks magic, format and checksum only. Errors: SK_DAMAGED, SK_CONFIG. */
SK_MUST_CHECK enum sk_status sk_keys_check(const struct sk_keys *keys);

/* The kind of store, the store id (16 bytes), and whether a slot is marked insecure. */
uint32_t sk_keys_store_kind(const struct sk_keys *keys);
const uint8_t *sk_keys_store_id(const struct sk_keys *keys);
int sk_keys_insecure(const struct sk_keys *keys);

#endif
