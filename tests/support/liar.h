/*
 * A device that holds its real keys and signs whatever it likes: its log is kept here and not in
 * its store, so that nothing of the program keeps it from any entry, payload or order.
 *
 * The device's store gives keys and pairs alone; it wants one entry, which never travels.
 */
#ifndef SK_TESTS_LIAR_H
#define SK_TESTS_LIAR_H

#include "core/continuation.h"
#include "tests/support/exchange.h"

struct sk_liar_payload {
    bool there;
    uint8_t salt[SK_SALT_LEN];
    struct sk_buf hashes, text, body;
};

struct sk_liar {
    struct sk_world *world;
    unsigned device;
    struct sk_buf entries;            /* SK_ENTRY_LEN each */
    struct sk_liar_payload *payloads; /* one for each entry */
    size_t count;
    uint64_t number;              /* of the newest bundle */
    sk_forge_manifest_fn *change; /* of the next bundles' manifests, before they are signed */
};

/* The device has to be a pair with archive 0. */
void sk_liar_init(struct sk_liar *liar, struct sk_world *world, unsigned device);
void sk_liar_clear(struct sk_liar *liar);
#define sk_auto_liar __attribute__((cleanup(sk_liar_clear))) struct sk_liar

/* Appends 96 bytes as they are, without a payload. */
void sk_liar_bytes(struct sk_liar *liar, const uint8_t bytes[static SK_ENTRY_LEN]);

/*
 * Appends an entry of that type, id (its last bytes) and revision, with a payload of that text
 * (NULL: none) and body; `previous` is that of the newest entry of this id, if it has the revision
 * before. flags: of an erasure.
 */
void sk_liar_put(struct sk_liar *liar, unsigned type, uint32_t id, uint32_t revision,
                 const char *text);
void sk_liar_put_body(struct sk_liar *liar, unsigned type, uint32_t id, uint32_t revision,
                      const char *text, const void *body, size_t body_len);
void sk_liar_erase(struct sk_liar *liar, unsigned type, uint32_t id, uint32_t revision);

/* The same under an id of another. */
void sk_liar_put_id(struct sk_liar *liar, unsigned type, const struct sk_id *id, uint32_t revision,
                    const char *text);

/* Appends the same entry as another's at a position, with its payload. */
void sk_liar_copy(struct sk_liar *liar, const struct sk_liar *from, uint64_t position);

/* The id of a number. */
struct sk_id sk_liar_id(uint32_t number);

/* Says that log `log` continues the log of `old`'s device, of which it knows `size` entries. */
void sk_liar_continue(struct sk_liar *liar, const uint8_t log[static SK_HASH_LEN],
                      const struct sk_liar *old, uint64_t size);
/* The same of keys that are made of a number; their log id. */
void sk_liar_continue_made(struct sk_liar *liar, const uint8_t log[static SK_HASH_LEN],
                           uint32_t number, uint64_t size);
void sk_liar_made_id(uint32_t number, uint8_t out[static SK_HASH_LEN]);

/* Text of a record of that type, of a form, of a record under it; in a string that lives until the
 * next but seven such call. */
const char *sk_liar_record(unsigned type, const char *title);
const char *sk_liar_under(const char *form_text, const char *title);

/* Writes the entries [n0, n1) with their payloads as a bundle for archive 0, signed. */
void sk_liar_bundle(struct sk_liar *liar, const char *name, uint64_t n0, uint64_t n1);
/* The same, and imports it into archive 0; the result, to be cleared. */
struct sk_import_result sk_liar_send(struct sk_liar *liar, const char *name, uint64_t n0,
                                     uint64_t n1);

#endif
