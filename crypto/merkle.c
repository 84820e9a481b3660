#include "crypto/merkle.h"

#include "crypto/secret.h"

#include <sodium.h>
#include <string.h>

_Static_assert(SK_MERKLE_LEN == crypto_hash_sha256_BYTES, "a hash of a wrong length");

/* The prefixes keep a leaf from passing for a node (RFC 6962, section 2.1). */
static const uint8_t leaf_prefix = 0x00;
static const uint8_t node_prefix = 0x01;

void sk_merkle_leaf(uint8_t out[static SK_MERKLE_LEN], const void *bytes, size_t len)
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, &leaf_prefix, 1);
    crypto_hash_sha256_update(&state, bytes, len);
    crypto_hash_sha256_final(&state, out);
}

void sk_merkle_node(uint8_t out[static SK_MERKLE_LEN], const uint8_t left[static SK_MERKLE_LEN],
                    const uint8_t right[static SK_MERKLE_LEN])
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, &node_prefix, 1);
    crypto_hash_sha256_update(&state, left, SK_MERKLE_LEN);
    crypto_hash_sha256_update(&state, right, SK_MERKLE_LEN);
    crypto_hash_sha256_final(&state, out);
}

void sk_merkle_init(struct sk_merkle *tree)
{
    memset(tree, 0, sizeof(*tree));
}

size_t sk_merkle_peak_count(uint64_t size)
{
    return (size_t)__builtin_popcountll(size);
}

void sk_merkle_from_peaks(struct sk_merkle *tree, uint64_t size, const uint8_t *peaks)
{
    sk_merkle_init(tree);
    tree->size = size;
    if (size > 0)
        memcpy(tree->peaks, peaks, sk_merkle_peak_count(size) * SK_MERKLE_LEN);
}

/* Adding one is a binary increment: each carry joins two subtrees of the same size. */
void sk_merkle_append(struct sk_merkle *tree, const uint8_t leaf[static SK_MERKLE_LEN])
{
    uint8_t hash[SK_MERKLE_LEN];
    size_t peak = sk_merkle_peak_count(tree->size);

    memcpy(hash, leaf, SK_MERKLE_LEN);
    for (uint64_t carry = tree->size; carry & 1; carry >>= 1)
        sk_merkle_node(hash, tree->peaks[--peak], hash);
    memcpy(tree->peaks[peak], hash, SK_MERKLE_LEN);
    tree->size++;
}

void sk_merkle_root(const struct sk_merkle *tree, uint8_t out[static SK_MERKLE_LEN])
{
    size_t peak = sk_merkle_peak_count(tree->size);
    if (peak == 0) {
        crypto_hash_sha256(out, NULL, 0);
        return;
    }
    uint8_t hash[SK_MERKLE_LEN];
    memcpy(hash, tree->peaks[--peak], SK_MERKLE_LEN);
    while (peak-- > 0)
        sk_merkle_node(hash, tree->peaks[peak], hash);
    memcpy(out, hash, SK_MERKLE_LEN);
}

enum sk_status sk_merkle_peaks_at(struct sk_merkle *tree, uint64_t size, sk_merkle_read_fn *read,
                                  void *context)
{
    struct sk_merkle result;
    uint64_t start = 0;
    size_t peak = 0;

    sk_merkle_init(&result);
    result.size = size;
    for (unsigned level = 64; level-- > 0;) {
        if (!(size >> level & 1))
            continue;
        enum sk_status status = read(context, level, start >> level, result.peaks[peak++]);
        if (status)
            return status;
        start += UINT64_C(1) << level;
    }
    *tree = result;
    return SK_OK;
}

/*
 * The root of `len` leaves from `start`, which must be a multiple of the largest power of two that
 * is not above len: all ranges that the splits of RFC 6962 give are of that kind.
 */
static enum sk_status range_root(uint8_t out[static SK_MERKLE_LEN], uint64_t start, uint64_t len,
                                 sk_merkle_read_fn *read, void *context)
{
    uint64_t end = start + len;
    int first = 1;

    for (unsigned level = 0; level < 64; level++) {
        if (!(len >> level & 1))
            continue;
        uint8_t subtree[SK_MERKLE_LEN];
        end -= UINT64_C(1) << level;
        enum sk_status status = read(context, level, end >> level, subtree);
        if (status)
            return status;
        if (first)
            memcpy(out, subtree, SK_MERKLE_LEN);
        else
            sk_merkle_node(out, subtree, out);
        first = 0;
    }
    return SK_OK;
}

/* The largest power of two below n, n >= 2: where RFC 6962 splits a tree of n leaves. */
static uint64_t split_of(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

struct range {
    uint64_t start;
    uint64_t len;
};

/*
 * The ranges whose roots are the proof, from the new root downwards: the reverse of the order in
 * which SUBPROOF of RFC 6962, 2.1.2 lists them.
 */
static size_t proof_ranges(struct range ranges[static SK_MERKLE_PROOF_MAX], uint64_t old_size,
                           uint64_t new_size)
{
    uint64_t start = 0, m = old_size, n = new_size;
    size_t count = 0;

    while (m != n) {
        uint64_t k = split_of(n);
        if (m <= k) {
            ranges[count++] = (struct range){start + k, n - k};
            n = k;
        } else {
            ranges[count++] = (struct range){start, k};
            start += k;
            m -= k;
            n -= k;
        }
    }
    /* Where the old tree is itself a subtree of the new one, the checker knows its root. */
    if (start > 0)
        ranges[count++] = (struct range){start, n};
    return count;
}

enum sk_status sk_merkle_prove_consistency(uint8_t proof[static SK_MERKLE_PROOF_MAX][SK_MERKLE_LEN],
                                           size_t *count, uint64_t old_size, uint64_t new_size,
                                           sk_merkle_read_fn *read, void *context)
{
    if (old_size == 0 || old_size > new_size)
        return SK_USAGE;

    struct range ranges[SK_MERKLE_PROOF_MAX];
    uint8_t hashes[SK_MERKLE_PROOF_MAX][SK_MERKLE_LEN];
    size_t n = proof_ranges(ranges, old_size, new_size);
    for (size_t i = 0; i < n; i++) {
        const struct range *range = &ranges[n - 1 - i];
        enum sk_status status = range_root(hashes[i], range->start, range->len, read, context);
        if (status)
            return status;
    }
    memcpy(proof, hashes, n * SK_MERKLE_LEN);
    *count = n;
    return SK_OK;
}

/* What the check of RFC 9162, 2.1.4.2 carries from hash to hash, under the names used there. */
struct walk {
    uint64_t fn, sn;
    uint8_t fr[SK_MERKLE_LEN], sr[SK_MERKLE_LEN];
};

static enum sk_status walk_step(struct walk *w, const uint8_t c[static SK_MERKLE_LEN])
{
    if (w->sn == 0)
        return SK_DAMAGED;
    if ((w->fn & 1) || w->fn == w->sn) {
        sk_merkle_node(w->fr, c, w->fr);
        sk_merkle_node(w->sr, c, w->sr);
        while (!(w->fn & 1) && w->fn != 0) {
            w->fn >>= 1;
            w->sn >>= 1;
        }
    } else {
        sk_merkle_node(w->sr, w->sr, c);
    }
    w->fn >>= 1;
    w->sn >>= 1;
    return SK_OK;
}

static int is_power_of_two(uint64_t n)
{
    return (n & (n - 1)) == 0;
}

enum sk_status sk_merkle_check_consistency(const uint8_t (*proof)[SK_MERKLE_LEN], size_t count,
                                           uint64_t old_size,
                                           const uint8_t old_root[static SK_MERKLE_LEN],
                                           uint64_t new_size,
                                           const uint8_t new_root[static SK_MERKLE_LEN])
{
    if (old_size == 0 || old_size > new_size)
        return SK_DAMAGED;
    if (old_size == new_size)
        return count == 0 && sk_equal(old_root, new_root, SK_MERKLE_LEN) ? SK_OK : SK_DAMAGED;
    if (count == 0)
        return SK_DAMAGED;

    struct walk w = {.fn = old_size - 1, .sn = new_size - 1};
    while (w.fn & 1) {
        w.fn >>= 1;
        w.sn >>= 1;
    }
    size_t next = is_power_of_two(old_size) ? 0 : 1;
    memcpy(w.fr, next == 0 ? old_root : proof[0], SK_MERKLE_LEN);
    memcpy(w.sr, w.fr, SK_MERKLE_LEN);
    for (; next < count; next++) {
        enum sk_status status = walk_step(&w, proof[next]);
        if (status)
            return status;
    }
    if (w.sn != 0 || !sk_equal(w.fr, old_root, SK_MERKLE_LEN) ||
        !sk_equal(w.sr, new_root, SK_MERKLE_LEN))
        return SK_DAMAGED;
    return SK_OK;
}
