/*
 * SHA-256 (FIPS 180-4, libsodium's) of an attachment, in a second thread (core/relay.h): it takes
 * longer than all else that is done with the bytes. Each block is written where sk_digest_block()
 * says, used there, and then added; it is gone afterwards.
 */
#ifndef SK_CORE_DIGEST_H
#define SK_CORE_DIGEST_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

#define SK_DIGEST_LEN 32

struct sk_digest;

/* Errors: SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_digest_new(struct sk_digest **out, struct sk_error *err);

/* Forgets what was added. */
SK_MUST_CHECK enum sk_status sk_digest_begin(struct sk_digest *digest, struct sk_error *err);

/* SK_BLOCK_LEN bytes for the next block. */
uint8_t *sk_digest_block(struct sk_digest *digest);

/* Adds the first len bytes of that block. */
SK_MUST_CHECK enum sk_status sk_digest_add(struct sk_digest *digest, size_t len,
                                           struct sk_error *err);

/* Of all that was added since it was made or sk_digest_begin() was called. */
SK_MUST_CHECK enum sk_status sk_digest_end(struct sk_digest *digest,
                                           uint8_t out[static SK_DIGEST_LEN], struct sk_error *err);

/* Wipes the blocks. NULL is allowed. */
void sk_digest_free(struct sk_digest *digest);

static inline void sk_digest_cleanup(struct sk_digest **digest)
{
    sk_digest_free(*digest);
}
#define sk_auto_digest __attribute__((cleanup(sk_digest_cleanup))) struct sk_digest *

#endif
