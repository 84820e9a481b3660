/*
 * Volumes for tests: parties with keys of their own, files made and read in one call, and the means
 * of an insider who holds a file key and seals again what he changed.
 */
#ifndef SK_TESTS_VOLUME_H
#define SK_TESTS_VOLUME_H

#include "sync/volume.h"

struct sk_party {
    uint8_t scalar[SK_DH_LEN];
    struct sk_recipient recipient;
};

/* Two parties, and the file that the tests write; ready after the group setup. */
extern struct sk_party sk_alice, sk_bob;
extern const char *sk_volume_path;
int sk_volume_setup(void **state);
int sk_volume_teardown(void **state);

/* Fresh random keys. */
void sk_party_init(struct sk_party *party);

/* For sk_envelope_open(); the context is a party. */
enum sk_status sk_party_dh(void *context, uint8_t shared[static SK_DH_LEN],
                           const uint8_t public_key[static SK_DH_LEN]);

/* The slot of a party, or SK_VOLUME_SLOTS. */
unsigned sk_party_slot(const struct sk_party *party, const uint8_t *header);

/* Content that differs along its length, in memory of its own. */
uint8_t *sk_test_content(size_t len);

/* Writes a volume to sk_volume_path, in steps, and loads it: whole (emptied first) is all its
 * bytes. */
void sk_test_write_volume(struct sk_buf *whole, const struct sk_recipient *recipients, size_t count,
                          const uint8_t *content, size_t len, size_t step);

/* The same for alice alone, with sk_test_content(). */
void sk_test_write_for_alice(struct sk_buf *whole, size_t len);

/*
 * Opens the file as it stands, reads len bytes in steps and then the end; the first error. `out`
 * may be NULL when only the status counts.
 */
enum sk_status sk_test_read_volume(struct sk_party *party, uint8_t *out, size_t len, size_t step);

/* Puts `whole` in place of the file, and reads len bytes and the end as alice. */
enum sk_status sk_test_read_changed(const struct sk_buf *whole, size_t len);

/* Opens one slot of a header in front of the file's chunks. */
enum sk_status sk_test_open_with(const uint8_t *header, unsigned slot,
                                 const struct sk_slot_keys *keys, struct sk_party *dh,
                                 const uint8_t *dh_public);
enum sk_status sk_test_open_as_alice(const uint8_t *header, unsigned slot);

/* Makes only a header, in a file that goes away. */
void sk_test_header(uint8_t *header, const struct sk_recipient *recipients, size_t count);

/* What an insider has: the file key, and the key of the chunks under the header as it stands. */
void sk_test_insider(struct sk_slot_plain *plain, uint8_t volume_key[static 32],
                     struct sk_party *party, const uint8_t *header);

uint8_t *sk_test_chunk(struct sk_buf *whole, size_t j);
size_t sk_test_chunk_count(const struct sk_buf *whole);

#endif
