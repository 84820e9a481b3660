/*
 * Makes a bundle's file of a sketch: signs and seals it as the device and its writer would, with
 * keys that the test holds.
 */
#ifndef SK_TESTS_FUZZ_SEAL_H
#define SK_TESTS_FUZZ_SEAL_H

#include "core/buf.h"
#include "sync/invite.h"
#include "sync/volume.h"
#include "tests/fuzz/sketch.h"

/* The n-th end of a pair: keys made of a byte. */
struct sk_seal_party {
    uint8_t seed[32], scalar[32];
    uint8_t sign_public[32], dh_public[32];
    uint8_t id[32]; /* log id */
};
void sk_seal_party_init(struct sk_seal_party *party, uint8_t fill);

/* A header that is sealed for one reader on one index of a chain, and the keys behind it. */
struct sk_seal_header {
    uint8_t bytes[SK_VOLUME_HEADER_LEN];
    uint8_t set_id[SK_SET_ID_LEN];
    uint8_t hash[32];
    uint8_t volume_key[32];
};
void sk_seal_header_init(struct sk_seal_header *out, const uint8_t psk[static 32], unsigned index,
                         const uint8_t dh_public[static SK_DH_LEN]);

/* The file of an inner stream. False: the stream is too long for this. */
#define SK_SEAL_CHUNKS 3u
bool sk_seal_file(uint8_t out[static SK_VOLUME_BYTES_MIN], const struct sk_seal_header *header,
                  const uint8_t *inner, size_t len);

/* What bundles are made for. */
struct sk_seal_world {
    struct sk_seal_party device, stranger;
    uint8_t archive_id[32];
    struct sk_sketch log; /* whose entries are the log's beginning */
};

/* The inner stream of a sketch. `number` is the bundle's. */
void sk_seal_inner(struct sk_buf *out, const struct sk_seal_world *world,
                   const struct sk_seal_header *header, const struct sk_sketch *sketch,
                   uint64_t number);

#endif
