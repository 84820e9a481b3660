/*
 * The layout and the keys of a volume, shared by its writer and its reader (sync/FORMAT.md,
 * "Volume"). Private to sync: pure computing, no files.
 *
 * | offset | bytes   |                                  |
 * |      0 | 32      | N0                               |
 * |     32 | 8 x 128 | slots                            |
 * |   1056 | 64,448  | random padding                   |
 * | 65,504 | 32      | header MAC                       |
 * | 65,536 | c x 64K | chunks: 65,520 bytes and a tag   |
 */
#ifndef SK_SYNC_VOLUME_H
#define SK_SYNC_VOLUME_H

#include "sync/envelope.h"

#include <stdbool.h>

#define SK_VOLUME_N0_LEN    32
#define SK_VOLUME_SLOTS_AT  32u
#define SK_VOLUME_MAC_AT    65504u
#define SK_VOLUME_BYTES_MIN (256ull * 1024)
#define SK_VOLUME_BYTES_MAX (SK_VOLUME_HEADER_LEN + (uint64_t)SK_VOLUME_CHUNKS_MAX * SK_CHUNK_LEN)

/* What a slot carries. Holds the file key: wiped by sk_auto_slot_plain. */
struct sk_slot_plain {
    uint8_t file_key[32];
    uint8_t set_id[SK_SET_ID_LEN];
    uint8_t k, n, volume, format;
};
static inline void sk_slot_plain_cleanup(struct sk_slot_plain *plain)
{
    sk_wipe(plain, sizeof(*plain));
}
#define sk_auto_slot_plain __attribute__((cleanup(sk_slot_plain_cleanup))) struct sk_slot_plain

/*
 * The size a volume with `chunks` full chunks is padded to: PADME of its length, at least
 * SK_VOLUME_BYTES_MIN, at most SK_VOLUME_BYTES_MAX. chunks <= SK_VOLUME_CHUNKS_MAX.
 */
uint64_t sk_volume_padded(uint64_t chunks);

/* Whether a volume can have this length. */
bool sk_volume_length_valid(uint64_t len);

/* The n-th slot of a header. */
static inline size_t sk_volume_slot_at(unsigned slot)
{
    return SK_VOLUME_SLOTS_AT + (size_t)slot * SK_VOLUME_SLOT_LEN;
}

/* Fills one slot of a header that has its N0, under a fresh ephemeral key. Errors: SK_DAMAGED (the
 * recipient's key is of low order). */
SK_MUST_CHECK
enum sk_status sk_volume_seal_slot(uint8_t *header, unsigned slot,
                                   const struct sk_recipient *recipient,
                                   const struct sk_slot_plain *plain);

/* Opens one. Errors: SK_DAMAGED (seal, low order, a zero field that is not), SK_CONFIG (another
 * format, or k, n, volume other than 1, 1, 0). */
SK_MUST_CHECK
enum sk_status sk_volume_open_slot(struct sk_slot_plain *out, const uint8_t *header, unsigned slot,
                                   const struct sk_slot_keys *keys, sk_envelope_dh_fn *dh,
                                   void *dh_context, const uint8_t dh_public[static SK_DH_LEN]);

/* Whether its seal opens with these keys, whatever lies in it. Errors: SK_DAMAGED. */
SK_MUST_CHECK
enum sk_status sk_volume_try_slot(const uint8_t *header, unsigned slot,
                                  const struct sk_slot_keys *keys, sk_envelope_dh_fn *dh,
                                  void *dh_context, const uint8_t dh_public[static SK_DH_LEN]);

/* The MAC over everything before it. */
void sk_volume_header_mac(uint8_t out[static 32], const uint8_t *header,
                          const uint8_t file_key[static 32]);

/* The key of a volume's chunks: H(FK, "volume", u8 volume | header hash[32]). */
void sk_volume_key(uint8_t out[static 32], const uint8_t file_key[static 32], uint8_t volume,
                   const uint8_t header_hash[static 32]);

#endif
