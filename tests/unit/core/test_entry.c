/*
 * Goal of this test: a log entry is laid out as the header says, every entry that cannot be is
 * refused, a payload falls into the blocks it should at every border, and block hashes and
 * commitments are those that another implementation computes.
 */
#include "core/entry.h"
#include "crypto/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

static int begin(void **state)
{
    (void)state;
    return sk_crypto_init() == SK_OK ? 0 : -1;
}

/* An edit of a person, with a different byte in every field. */
static struct sk_entry sample(void)
{
    struct sk_entry entry = {.type = SK_TYPE_PERSON, .day = 0x01020304, .revision = 0x05060708};
    memset(entry.id.bytes, 0xaa, SK_ID_LEN);
    memset(entry.commitment, 0xbb, SK_HASH_LEN);
    memset(entry.previous, 0xcc, SK_MERKLE_LEN);
    return entry;
}

static struct sk_entry erasure(void)
{
    struct sk_entry entry = sample();
    entry.type = SK_TYPE_ERASURE;
    entry.flags = SK_TYPE_ATTACHMENT;
    memset(entry.commitment, 0, SK_HASH_LEN);
    return entry;
}

static void test_layout(void **state)
{
    static const uint8_t head[] = {1, 0, 1, 0, 0, 0, 0, 0, 4, 3, 2, 1};
    static const uint8_t revision[] = {8, 7, 6, 5};
    uint8_t bytes[SK_ENTRY_LEN];
    uint8_t filled[32];
    struct sk_entry entry = sample();
    (void)state;

    sk_entry_encode(bytes, &entry);
    assert_memory_equal(bytes, head, sizeof(head));
    memset(filled, 0xaa, 32);
    assert_memory_equal(bytes + 12, filled, 16);
    assert_memory_equal(bytes + 28, revision, sizeof(revision));
    memset(filled, 0xbb, 32);
    assert_memory_equal(bytes + 32, filled, 32);
    memset(filled, 0xcc, 32);
    assert_memory_equal(bytes + 64, filled, 32);

    entry = erasure();
    sk_entry_encode(bytes, &entry);
    assert_int_equal(bytes[2], SK_TYPE_ERASURE);
    assert_int_equal(bytes[4], SK_TYPE_ATTACHMENT);
}

static void assert_back(const struct sk_entry *entry)
{
    uint8_t bytes[SK_ENTRY_LEN];
    uint8_t again[SK_ENTRY_LEN];
    struct sk_entry out;
    sk_entry_encode(bytes, entry);
    assert_int_equal(sk_entry_decode(&out, bytes), SK_OK);
    sk_entry_encode(again, &out);
    assert_memory_equal(bytes, again, SK_ENTRY_LEN);
}

static void test_decode(void **state)
{
    (void)state;
    for (unsigned type = SK_TYPE_PERSON; type <= SK_TYPE_LAST; type++) {
        struct sk_entry entry = type == SK_TYPE_ERASURE ? erasure() : sample();
        entry.type = (uint16_t)type;
        assert_back(&entry);
        assert_int_equal(sk_entry_has_payload(&entry), type != SK_TYPE_ERASURE);
        if (type == SK_TYPE_ERASURE)
            continue;
        entry.revision = 1;
        memset(entry.previous, 0, SK_MERKLE_LEN);
        assert_back(&entry);
    }
    for (unsigned type = SK_TYPE_PERSON; type <= SK_TYPE_ATTACHMENT; type++) {
        struct sk_entry entry = erasure();
        entry.flags = type;
        assert_back(&entry);
    }
}

/* The mark of what was saved without a proof is bit 31, and no part of what the next revision
 * names. */
static void test_mark(void **state)
{
    uint8_t plain[SK_ENTRY_LEN], marked[SK_ENTRY_LEN];
    uint8_t leaf[SK_MERKLE_LEN], name[SK_MERKLE_LEN];
    struct sk_entry out;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct sk_entry entry = i ? erasure() : sample();
        sk_entry_encode(plain, &entry);
        entry.unproven = true;
        sk_entry_encode(marked, &entry);
        assert_back(&entry);
        assert_int_equal(sk_entry_decode(&out, marked), SK_OK);
        assert_true(out.unproven && out.flags == entry.flags);
        sk_merkle_leaf(leaf, plain, sizeof(plain));
        sk_entry_name(name, marked);
        assert_memory_equal(name, leaf, sizeof(name));
        sk_entry_name(name, plain);
        assert_memory_equal(name, leaf, sizeof(name));
        assert_int_equal(marked[7], plain[7] | 0x80);
        marked[7] = plain[7];
        assert_memory_equal(marked, plain, sizeof(plain));
    }
}

static void assert_refused(const struct sk_entry *entry)
{
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry out = {.day = 77};
    sk_entry_encode(bytes, entry);
    assert_int_equal(sk_entry_decode(&out, bytes), SK_REFUSED);
    assert_int_equal(out.day, 77);
}

static void test_refused(void **state)
{
    struct sk_entry entry;
    (void)state;

    entry = sample();
    entry.type = 0;
    assert_refused(&entry);
    entry.type = SK_TYPE_LAST + 1;
    assert_refused(&entry);
    entry.type = UINT16_MAX;
    assert_refused(&entry);

    entry = sample();
    entry.flags = 1;
    assert_refused(&entry);
    entry.flags = 1u << 30;
    assert_refused(&entry);

    entry = sample();
    entry.revision = 0;
    assert_refused(&entry);
    memset(entry.previous, 0, SK_MERKLE_LEN);
    assert_refused(&entry);
    entry.revision = 2; /* no previous */
    assert_refused(&entry);
    entry = sample();
    entry.revision = 1; /* with a previous */
    assert_refused(&entry);
}

static void test_refused_erasures(void **state)
{
    struct sk_entry entry;
    static const uint32_t wrong[] = {0, SK_TYPE_ERASURE, SK_TYPE_FORM, SK_TYPE_LAST + 1, 1u << 16};
    (void)state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        entry = erasure();
        entry.flags = wrong[i];
        assert_refused(&entry);
    }
    for (size_t i = 0; i < SK_HASH_LEN; i++) {
        entry = erasure();
        entry.commitment[i] = 1;
        assert_refused(&entry);
    }
    entry = erasure();
    entry.revision = 1;
    memset(entry.previous, 0, SK_MERKLE_LEN);
    assert_refused(&entry);
}

static void test_refused_versions(void **state)
{
    static const uint16_t wrong[] = {0, 2, 256, UINT16_MAX};
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry entry = sample();
    (void)state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        sk_entry_encode(bytes, &entry);
        bytes[0] = (uint8_t)wrong[i];
        bytes[1] = (uint8_t)(wrong[i] >> 8);
        assert_int_equal(sk_entry_decode(&entry, bytes), SK_REFUSED);
    }
}

static void test_blocks(void **state)
{
    static const struct {
        uint64_t text, body, count;
        size_t last; /* the length of the last block */
    } rows[] = {
        {0, 0, 1, 0},
        {1, 0, 1, 1},
        {SK_BLOCK_LEN - 1, 0, 1, SK_BLOCK_LEN - 1},
        {SK_BLOCK_LEN, 0, 1, SK_BLOCK_LEN},
        {SK_BLOCK_LEN + 1, 0, 2, 1},
        {SK_TEXT_MAX, 0, 8, SK_BLOCK_LEN},
        {0, 1, 2, 1},
        {5, SK_BLOCK_LEN, 2, SK_BLOCK_LEN},
        {5, SK_BLOCK_LEN + 1, 3, 1},
        {SK_BLOCK_LEN + 1, 2 * SK_BLOCK_LEN + 7, 5, 7},
        {5, SK_BODY_MAX - 1, 4001, SK_BLOCK_LEN - 1},
        {5, SK_BODY_MAX, 4001, SK_BLOCK_LEN},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t total = 0;
        uint64_t count = sk_block_count(rows[i].text, rows[i].body);
        assert_int_equal(count, rows[i].count);
        assert_int_equal(sk_block_len(rows[i].text, rows[i].body, count - 1), rows[i].last);
        for (uint64_t j = 0; j < count; j++)
            total += sk_block_len(rows[i].text, rows[i].body, j);
        assert_int_equal(total, rows[i].text + rows[i].body);
    }
    assert_int_equal(sk_block_len(SK_BLOCK_LEN + 1, 3, 0), SK_BLOCK_LEN);
    assert_int_equal(sk_block_len(SK_BLOCK_LEN + 1, 3, 1), 1);
    assert_int_equal(sk_block_len(SK_BLOCK_LEN + 1, 3, 2), 3);
}

static void assert_hex(const uint8_t *hash, const char *hex)
{
    char text[2 * SK_HASH_LEN + 1];
    sk_hex(text, hash, SK_HASH_LEN);
    assert_string_equal(text, hex);
}

/*
 * Computed by:
 *
 * python3 -c '
 * import hashlib, struct
 * def H(label, *parts):
 *     h = hashlib.blake2b(label.ljust(16, b"\0") + b"".join(parts), digest_size=32,
 *                         key=bytes(range(32)))
 *     return h.digest()
 * text, body = b"{\"name\":\"Hanna\"}", b"abc"
 * h0 = H(b"block", struct.pack("<Q", 0), text)
 * h1 = H(b"block", struct.pack("<Q", 1), body)
 * print(h0.hex(), h1.hex(), H(b"commit", bytes(range(16, 32)), struct.pack("<I", 3),
 *       struct.pack("<QQ", len(text), len(body)), h0, h1).hex())'
 */
static void test_commitment(void **state)
{
    static const char text[] = "{\"name\":\"Hanna\"}";
    uint8_t salt[SK_SALT_LEN];
    uint8_t hashes[2 * SK_HASH_LEN];
    uint8_t commitment[SK_HASH_LEN];
    struct sk_id id;
    (void)state;

    for (uint8_t i = 0; i < SK_SALT_LEN; i++)
        salt[i] = i;
    memcpy(id.bytes, salt + 16, SK_ID_LEN);
    sk_block_hash(hashes, salt, 0, text, strlen(text));
    sk_block_hash(hashes + SK_HASH_LEN, salt, 1, "abc", 3);
    sk_commitment(commitment, &id, 3, salt, strlen(text), 3, hashes);
    assert_hex(hashes, "99dd14427e3fbd87484ad9ba95af246f01602a6ef7351a223501785ea0c591fc");
    assert_hex(hashes + SK_HASH_LEN,
               "cd578f65c0b84863fd11f73896a3ba6ec425dbcf20ef68aff7a780946917d25c");
    assert_hex(commitment, "615426aa0b32418d878d45ebb13c445efccecd472df388c1107394b8f28fd2b6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_erasures),
        cmocka_unit_test(test_refused_versions),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_commitment),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
