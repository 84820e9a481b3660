/*
 * What is fixed in the vectors of what travels: the parties' keys, and chance.
 *
 * The programs draw from libsodium's generator. These programs put one of their own in its place,
 * by the call that libsodium has for it, and nothing in the shipped programs makes that call.
 */
#ifndef SK_TESTS_VECTORS_FIXED_H
#define SK_TESTS_VECTORS_FIXED_H

#include "core/buf.h"
#include "core/store.h"
#include "crypto/note.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the program with the place when something does not hold. */
#define MUST(condition)                                   \
    do {                                                  \
        if (!(condition))                                 \
            sk_fixed_die(__FILE__, __LINE__, #condition); \
    } while (0)
void sk_fixed_die(const char *file, int line, const char *what) __attribute__((noreturn));

struct sk_fixed_party {
    uint8_t seed[32], scalar[32]; /* secret halves */
    uint8_t sign_public[32], dh_public[32];
    uint8_t id[32]; /* log id or archive id */
};
extern struct sk_fixed_party sk_device, sk_stranger, sk_archive, sk_rival;
/* Keys that follow those of sk_archive, and those that follow these; its id stays. */
extern struct sk_fixed_party sk_archive_2, sk_archive_3;
extern uint8_t sk_psk[32];

/* Computes them; once. */
void sk_fixed_init(void);

/* From now on each draw is a stream of its own, told by `name` and a counter. */
void sk_fixed_random(const char *name);
/* The seed of the newest draw of that many bytes: randombytes_buf_deterministic() repeats it. */
void sk_fixed_random_seed(uint8_t out[static 32], size_t len);

/* A note of a text (that ends in a newline) signed under a name; a checkpoint of a log. */
void sk_fixed_note(char note[static SK_CHECKPOINT_NOTE_MAX], const char *text, const char *name,
                   const uint8_t seed[static 32]);
void sk_fixed_checkpoint(char note[static SK_CHECKPOINT_NOTE_MAX],
                         const struct sk_fixed_party *signer, const struct sk_fixed_party *log,
                         uint64_t size, const uint8_t root[static 32]);

/* Hex, and back (exactly; the program ends on anything else). */
json_t *sk_hex_json(const void *bytes, size_t len);
void sk_hex_add(struct sk_buf *out, const char *hex);
/* Of a list of [hex, how many times] too. */
void sk_hex_pieces(struct sk_buf *out, const json_t *hex);
void sk_hex_exactly(uint8_t *out, size_t len, const json_t *hex);

/*
 * A store in a temporary folder with the keys of a party: the archive has invited the device, or
 * the device has taken the invite. Closed and removed by sk_fixed_store_remove().
 */
struct sk_store *sk_fixed_store(enum sk_store_kind kind);
void sk_fixed_store_remove(struct sk_store *store);

/* Gives the archive that sk_fixed_store() made sk_archive_2 as next keys; with `forget` these are
 * in force, and the first are forgotten. */
struct sk_store *sk_fixed_renew(struct sk_store *store, bool forget);

/* A path for a file in a temporary folder that goes away at the end of the program. */
const char *sk_fixed_path(const char *name);
void sk_fixed_end(void);

#endif
