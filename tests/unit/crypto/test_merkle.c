/*
 * Goal of this test: roots and proofs are those of RFC 6962, on its reference tree and against a
 * naive model written straight from its definitions, for all sizes up to 64; altered proofs fail.
 */
#include "crypto/merkle.h"
#include "crypto/secret.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#define LEAVES 64

typedef uint8_t hash[SK_MERKLE_LEN];

/* Hashes of leaves, and how many times the callback may still answer before it fails. */
struct model {
    hash leaves[LEAVES + 1];
    size_t size;
    size_t reads_left;
};

static struct model *numbered_leaves(void)
{
    static struct model model;
    model.size = LEAVES;
    model.reads_left = SIZE_MAX;
    for (size_t i = 0; i < LEAVES; i++) {
        uint8_t byte = (uint8_t)i;
        sk_merkle_leaf(model.leaves[i], &byte, 1);
    }
    return &model;
}

static size_t split(size_t n)
{
    size_t k = 1;
    while (k * 2 < n)
        k *= 2;
    return k;
}

/* MTH of RFC 6962, 2.1. */
static void model_root(const struct model *m, size_t start, size_t n, uint8_t *out)
{
    hash left, right;
    if (n == 0) {
        crypto_hash_sha256(out, NULL, 0);
        return;
    }
    if (n == 1) {
        memcpy(out, m->leaves[start], SK_MERKLE_LEN);
        return;
    }
    size_t k = split(n);
    model_root(m, start, k, left);
    model_root(m, start + k, n - k, right);
    sk_merkle_node(out, left, right);
}

/* SUBPROOF of RFC 6962, 2.1.2; returns how many hashes the proof has then. */
static size_t model_proof(const struct model *m, size_t start, size_t old, size_t n, int whole,
                          hash *proof, size_t count)
{
    if (old == n) {
        if (!whole)
            model_root(m, start, n, proof[count++]);
        return count;
    }
    size_t k = split(n);
    if (old <= k) {
        count = model_proof(m, start, old, k, whole, proof, count);
        model_root(m, start + k, n - k, proof[count++]);
    } else {
        count = model_proof(m, start + k, old - k, n - k, 0, proof, count);
        model_root(m, start, k, proof[count++]);
    }
    return count;
}

static enum sk_status read_subtree(void *context, unsigned level, uint64_t index, uint8_t *out)
{
    struct model *m = context;
    if (m->reads_left == 0)
        return SK_IO;
    m->reads_left--;
    size_t len = (size_t)1 << level;
    assert_in_range((index + 1) * len, 1, m->size);
    model_root(m, index * len, len, out);
    return SK_OK;
}

static void roots_match_the_reference_tree(void **state)
{
    (void)state;
    struct sk_merkle tree;
    sk_merkle_init(&tree);
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/merkle-roots.txt");
    while (sk_vectors_next(v)) {
        hash want, got, leaf;
        uint8_t bytes[64];
        if (sk_vectors_has(v, "leaf")) {
            size_t len = sk_vectors_bytes(v, "leaf", bytes, sizeof(bytes));
            sk_merkle_leaf(leaf, bytes, len);
            sk_merkle_append(&tree, leaf);
        }
        sk_merkle_root(&tree, got);
        sk_vectors_exactly(v, "root", want, sizeof(want));
        assert_memory_equal(got, want, sizeof(want));
    }
    assert_int_equal(tree.size, 8);
}

static void reference_leaves(struct model *m)
{
    m->size = 0;
    m->reads_left = SIZE_MAX;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/merkle-roots.txt");
    while (sk_vectors_next(v)) {
        uint8_t bytes[64];
        if (!sk_vectors_has(v, "leaf"))
            continue;
        size_t len = sk_vectors_bytes(v, "leaf", bytes, sizeof(bytes));
        sk_merkle_leaf(m->leaves[m->size++], bytes, len);
    }
}

static void proofs_match_the_reference_tree(void **state)
{
    (void)state;
    static struct model m;
    reference_leaves(&m);
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/merkle-consistency.txt");
    while (sk_vectors_next(v)) {
        hash want[SK_MERKLE_PROOF_MAX], got[SK_MERKLE_PROOF_MAX], old_root, new_root;
        uint64_t old_size = sk_vectors_number(v, "old_size");
        uint64_t new_size = sk_vectors_number(v, "new_size");
        size_t len = sk_vectors_bytes(v, "proof", want[0], sizeof(want)), count = 99;
        assert_int_equal(
            sk_merkle_prove_consistency(got, &count, old_size, new_size, read_subtree, &m), SK_OK);
        assert_int_equal(count * SK_MERKLE_LEN, len);
        assert_memory_equal(got, want, len);
        model_root(&m, 0, (size_t)old_size, old_root);
        model_root(&m, 0, (size_t)new_size, new_root);
        assert_int_equal(sk_merkle_check_consistency((const hash *)want, count, old_size, old_root,
                                                     new_size, new_root),
                         SK_OK);
    }
}

static void trees_grow_as_the_model(void **state)
{
    (void)state;
    struct model *m = numbered_leaves();
    struct sk_merkle tree, read, copy;
    hash want, got;

    sk_merkle_init(&tree);
    for (size_t n = 0;; n++) {
        assert_int_equal(tree.size, n);
        sk_merkle_root(&tree, got);
        model_root(m, 0, n, want);
        assert_memory_equal(got, want, sizeof(want));

        assert_int_equal(sk_merkle_peaks_at(&read, n, read_subtree, m), SK_OK);
        assert_int_equal(read.size, n);
        assert_memory_equal(read.peaks, tree.peaks, sk_merkle_peak_count(n) * SK_MERKLE_LEN);
        sk_merkle_from_peaks(&copy, n, n ? tree.peaks[0] : NULL);
        sk_merkle_root(&copy, got);
        assert_memory_equal(got, want, sizeof(want));

        size_t start = 0, peak = 0;
        for (size_t len = LEAVES; len > 0; len /= 2) {
            if (!(n & len))
                continue;
            model_root(m, start, len, want);
            assert_memory_equal(tree.peaks[peak++], want, sizeof(want));
            start += len;
        }
        assert_int_equal(peak, sk_merkle_peak_count(n));
        if (n == LEAVES)
            break;
        sk_merkle_append(&tree, m->leaves[n]);
    }
}

/* Every way to spoil a true proof that the checker could overlook. */
static void assert_spoilt_proofs_fail(hash *proof, size_t count, uint64_t old_size, hash old_root,
                                      uint64_t new_size, hash new_root)
{
    const hash *p = (const hash *)proof;
    for (size_t i = 0; i < count; i++) {
        proof[i][i % SK_MERKLE_LEN] ^= 0x10;
        assert_int_equal(
            sk_merkle_check_consistency(p, count, old_size, old_root, new_size, new_root),
            SK_DAMAGED);
        proof[i][i % SK_MERKLE_LEN] ^= 0x10;
    }
    memset(proof[count], 0, SK_MERKLE_LEN);
    assert_int_equal(
        sk_merkle_check_consistency(p, count + 1, old_size, old_root, new_size, new_root),
        SK_DAMAGED);
    if (count > 0) {
        assert_int_equal(
            sk_merkle_check_consistency(p, count - 1, old_size, old_root, new_size, new_root),
            SK_DAMAGED);
        assert_int_equal(
            sk_merkle_check_consistency(p + 1, count - 1, old_size, old_root, new_size, new_root),
            SK_DAMAGED);
    }
    old_root[0] ^= 1;
    assert_int_equal(sk_merkle_check_consistency(p, count, old_size, old_root, new_size, new_root),
                     SK_DAMAGED);
    old_root[0] ^= 1;
    new_root[31] ^= 0x80;
    assert_int_equal(sk_merkle_check_consistency(p, count, old_size, old_root, new_size, new_root),
                     SK_DAMAGED);
    new_root[31] ^= 0x80;
}

static void proofs_are_the_model_s_for_all_pairs(void **state)
{
    (void)state;
    struct model *m = numbered_leaves();
    for (size_t n1 = 1; n1 <= LEAVES; n1++) {
        for (size_t n0 = 1; n0 <= n1; n0++) {
            hash want[SK_MERKLE_PROOF_MAX], got[SK_MERKLE_PROOF_MAX + 1], old_root, new_root;
            size_t want_count = model_proof(m, 0, n0, n1, 1, want, 0), count = 99;
            assert_int_equal(sk_merkle_prove_consistency(got, &count, n0, n1, read_subtree, m),
                             SK_OK);
            assert_int_equal(count, want_count);
            assert_memory_equal(got, want, count * SK_MERKLE_LEN);
            model_root(m, 0, n0, old_root);
            model_root(m, 0, n1, new_root);
            assert_int_equal(
                sk_merkle_check_consistency((const hash *)got, count, n0, old_root, n1, new_root),
                SK_OK);
            assert_spoilt_proofs_fail(got, count, n0, old_root, n1, new_root);
        }
    }
}

/* A proof for one pair of sizes must not do for a neighbouring pair with the same roots. */
static void proofs_do_not_serve_other_sizes(void **state)
{
    (void)state;
    struct model *m = numbered_leaves();
    hash proof[SK_MERKLE_PROOF_MAX], old_root, new_root;
    size_t count = 0;

    assert_int_equal(sk_merkle_prove_consistency(proof, &count, 21, 50, read_subtree, m), SK_OK);
    model_root(m, 0, 21, old_root);
    model_root(m, 0, 50, new_root);
    const hash *p = (const hash *)proof;
    assert_int_equal(sk_merkle_check_consistency(p, count, 21, old_root, 50, new_root), SK_OK);
    assert_int_equal(sk_merkle_check_consistency(p, count, 20, old_root, 50, new_root), SK_DAMAGED);
    assert_int_equal(sk_merkle_check_consistency(p, count, 22, old_root, 50, new_root), SK_DAMAGED);
    assert_int_equal(sk_merkle_check_consistency(p, count, 0, old_root, 50, new_root), SK_DAMAGED);
    assert_int_equal(sk_merkle_check_consistency(p, count, 51, old_root, 50, new_root), SK_DAMAGED);
    assert_int_equal(sk_merkle_check_consistency(p, count, 50, old_root, 50, new_root), SK_DAMAGED);
    assert_int_equal(sk_merkle_check_consistency(p, count, 21, old_root, 130, new_root),
                     SK_DAMAGED);
    assert_int_equal(sk_merkle_check_consistency(p, count, 21, old_root, 17, new_root), SK_DAMAGED);
}

/* Roots chosen to fit a proof that goes on past the root of the tree of 4. */
static void proofs_longer_than_the_tree_is_high_are_refused(void **state)
{
    (void)state;
    hash proof[4] = {{1}, {2}, {3}, {4}}, old_root, new_root;

    memcpy(old_root, proof[0], sizeof(old_root));
    sk_merkle_node(new_root, proof[0], proof[1]);
    for (size_t i = 2; i < 4; i++) {
        sk_merkle_node(old_root, proof[i], old_root);
        sk_merkle_node(new_root, proof[i], new_root);
        assert_int_equal(
            sk_merkle_check_consistency((const hash *)proof, i + 1, 3, old_root, 4, new_root),
            i == 2 ? SK_OK : SK_DAMAGED);
    }
    assert_int_equal(sk_merkle_check_consistency(NULL, 0, 3, old_root, 4, new_root), SK_DAMAGED);
    assert_int_equal(sk_merkle_check_consistency(NULL, 0, 2, old_root, 4, new_root), SK_DAMAGED);
}

static void sizes_out_of_order_are_refused(void **state)
{
    (void)state;
    struct model *m = numbered_leaves();
    hash proof[SK_MERKLE_PROOF_MAX];
    size_t count = 99;
    assert_int_equal(sk_merkle_prove_consistency(proof, &count, 0, 5, read_subtree, m), SK_USAGE);
    assert_int_equal(sk_merkle_prove_consistency(proof, &count, 6, 5, read_subtree, m), SK_USAGE);
    assert_int_equal(count, 99);
}

static void the_callback_s_failure_is_passed_on(void **state)
{
    (void)state;
    struct model *m = numbered_leaves();
    static struct sk_merkle tree, before;
    hash proof[SK_MERKLE_PROOF_MAX], proof_before[SK_MERKLE_PROOF_MAX];
    size_t count = 99;

    memset(&tree, 0x33, sizeof(tree));
    memcpy(&before, &tree, sizeof(tree));
    memset(proof, 0x44, sizeof(proof));
    memcpy(proof_before, proof, sizeof(proof));
    for (size_t reads = 0; reads < 5; reads++) {
        m->reads_left = reads; /* 31 leaves have five peaks */
        assert_int_equal(sk_merkle_peaks_at(&tree, 31, read_subtree, m), SK_IO);
        assert_memory_equal(&tree, &before, sizeof(tree));
        m->reads_left = reads;
        assert_int_equal(sk_merkle_prove_consistency(proof, &count, 21, 50, read_subtree, m),
                         SK_IO);
        assert_memory_equal(proof, proof_before, sizeof(proof));
        assert_int_equal(count, 99);
    }
}

/* Answers every subtree with a hash of its place: enough for sizes that no test can hold. */
static enum sk_status read_place(void *context, unsigned level, uint64_t index, uint8_t *out)
{
    (void)context;
    uint64_t place[2] = {level, index};
    assert_true(level < 64 && (level == 0 || index <= UINT64_MAX >> level));
    crypto_hash_sha256(out, (const uint8_t *)place, sizeof(place));
    return SK_OK;
}

static void the_largest_sizes_do_not_overflow(void **state)
{
    (void)state;
    static struct sk_merkle tree;
    static const uint64_t olds[] = {
        1, 2, UINT64_C(1) << 63, (UINT64_C(1) << 63) + 1, UINT64_MAX - 1, UINT64_MAX};
    hash proof[SK_MERKLE_PROOF_MAX], root;
    size_t count = 0;

    assert_int_equal(sk_merkle_peaks_at(&tree, UINT64_MAX, read_place, NULL), SK_OK);
    assert_int_equal(sk_merkle_peak_count(UINT64_MAX), SK_MERKLE_PEAKS_MAX);
    sk_merkle_root(&tree, root);
    for (size_t i = 0; i < sizeof(olds) / sizeof(olds[0]); i++) {
        assert_int_equal(
            sk_merkle_prove_consistency(proof, &count, olds[i], UINT64_MAX, read_place, NULL),
            SK_OK);
        assert_in_range(count, 0, SK_MERKLE_PROOF_MAX);
    }
}

static int setup(void **state)
{
    (void)state;
    return sk_crypto_init() ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_match_the_reference_tree),
        cmocka_unit_test(proofs_match_the_reference_tree),
        cmocka_unit_test(trees_grow_as_the_model),
        cmocka_unit_test(proofs_are_the_model_s_for_all_pairs),
        cmocka_unit_test(proofs_do_not_serve_other_sizes),
        cmocka_unit_test(proofs_longer_than_the_tree_is_high_are_refused),
        cmocka_unit_test(sizes_out_of_order_are_refused),
        cmocka_unit_test(the_callback_s_failure_is_passed_on),
        cmocka_unit_test(the_largest_sizes_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
