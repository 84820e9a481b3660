#include "core/digest.h"

#include "core/entry.h"
#include "core/relay.h"
#include "crypto/secret.h"

#include <sodium.h>
#include <stdlib.h>

struct sk_digest {
    struct sk_relay *relay;
    crypto_hash_sha256_state sha; /* of the second thread, until the relay has ended */
};

static enum sk_status add_piece(void *context, const uint8_t *bytes, size_t len,
                                struct sk_error *err)
{
    struct sk_digest *digest = context;
    (void)err;
    crypto_hash_sha256_update(&digest->sha, bytes, len);
    return SK_OK;
}

enum sk_status sk_digest_new(struct sk_digest **out, struct sk_error *err)
{
    struct sk_digest *digest = calloc(1, sizeof(*digest));
    if (!digest)
        return sk_fail_status(err, SK_NOMEM);
    enum sk_status status = sk_relay_new(&digest->relay, SK_BLOCK_LEN, add_piece, digest, err);
    if (status != SK_OK) {
        free(digest);
        return status;
    }
    crypto_hash_sha256_init(&digest->sha);
    *out = digest;
    return SK_OK;
}

enum sk_status sk_digest_begin(struct sk_digest *digest, struct sk_error *err)
{
    SK_TRY(sk_relay_end(digest->relay, err));
    crypto_hash_sha256_init(&digest->sha);
    return SK_OK;
}

uint8_t *sk_digest_block(struct sk_digest *digest)
{
    return sk_relay_piece(digest->relay);
}

enum sk_status sk_digest_add(struct sk_digest *digest, size_t len, struct sk_error *err)
{
    return sk_relay_give(digest->relay, len, err);
}

enum sk_status sk_digest_end(struct sk_digest *digest, uint8_t out[static SK_DIGEST_LEN],
                             struct sk_error *err)
{
    SK_TRY(sk_relay_end(digest->relay, err));
    crypto_hash_sha256_final(&digest->sha, out);
    return SK_OK;
}

void sk_digest_free(struct sk_digest *digest)
{
    if (!digest)
        return;
    sk_relay_free(digest->relay);
    sk_wipe(&digest->sha, sizeof(digest->sha));
    free(digest);
}
