/*
 * Goal of this test: a commit cannot be forged by whoever has no key, even if he knows what stands
 * in the log and makes its checksums anew; and a preamble that has the key's tag and odd fields is
 * refused where they matter.
 */
#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "tests/support/effort.h"
#include "tests/support/tampered.h"

/* ---- commits ---- */

/* The mark of a commit cannot be forged: a frame that was changed is none. */
static void a_commit_mark_cannot_be_forged(void **state)
{
    (void)state;
    struct sk_work w;
    struct files before = crashed_store(4);
    session(&w, false, 1, 0);
    assert_int_equal(sk_work_spill(&w), SQLITE_OK);
    sk_work_kill(&w);
    struct files f = take_files();
    assert_true(f.wal_len > before.wal_len + 4 * FRAME);
    expect_state(4);
    size_t frames = (f.wal_len - LOG_START) / FRAME;
    for (size_t frame = 0; frame < frames; frame++) {
        uint8_t *mark = f.wal + LOG_START + frame * FRAME + 4;
        for (unsigned pages = 1; pages < 256; pages += sk_test_effort(47, 9, 1)) {
            mark[3] ^= (uint8_t)pages;
            put_files(&f);
            (void)expect_sound(3, 4, frame);
            mark[3] ^= (uint8_t)pages;
        }
    }
    free_files(&before);
    free_files(&f);
}

/* SQLite's checksum of a log: over words in the order that the head names, carried from frame to
 * frame. */
static void checksum(uint32_t sums[2], const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 8 <= len; i += 8) {
        uint32_t words[2];
        memcpy(words, bytes + i, sizeof(words)); /* the tests run where words are little-endian */
        sums[0] += words[0] + sums[1];
        sums[1] += words[1] + sums[0];
    }
}

static uint32_t big(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void put_big(uint8_t *bytes, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(v >> (24 - 8 * i));
}

struct log_keys {
    uint8_t key[32];
    uint8_t id[16];
};

/* The 48 bytes that a block of the log is bound to (core/FORMAT.md). */
static void log_ad(uint8_t ad[48], uint32_t kind, const uint8_t *id, uint64_t place)
{
    memset(ad, 0, 48);
    sk_put_u32(ad, kind);
    sk_put_u32(ad + 4, 1);
    memcpy(ad + 8, sk_work_id, 16);
    if (id)
        memcpy(ad + 24, id, 16);
    sk_put_u64(ad + 40, place);
}

static struct log_keys keys_of_log(const struct files *f)
{
    struct log_keys k;
    uint8_t ad[48];
    uint8_t head[48];
    sk_hash_of(k.key, sk_work_key, SK_LABEL_WAL, sk_work_id, 16);
    log_ad(ad, 3, NULL, 0);
    assert_int_equal(sk_page_open(head, f->wal, sizeof(head), ad, sizeof(ad), k.key), SK_OK);
    assert_int_equal(big(head), 0x377f0682); /* checksums of little-endian words */
    memcpy(k.id, head + 32, sizeof(k.id));
    return k;
}

static void open_frame(const struct files *f, const struct log_keys *k, size_t frame, uint8_t *out)
{
    uint8_t ad[48];
    log_ad(ad, 4, k->id, 32 + frame * FRAME);
    memset(out, 0, FRAME);
    assert_int_equal(
        sk_page_open(out, f->wal + LOG_START + frame * FRAME, FRAME - 40, ad, sizeof(ad), k->key),
        SK_OK);
}

/*
 * Whoever knows what a frame holds can turn the bits of its header under the cipher into those of a
 * commit, with a checksum that fits. Only the tag stands against that.
 */
static void a_commit_mark_is_forged_with_its_checksum(void **state)
{
    (void)state;
    struct sk_work w;
    struct files before = crashed_store(4);
    size_t old_frames = (before.wal_len - LOG_START) / FRAME;
    session(&w, false, 1, 0);
    assert_int_equal(sk_work_spill(&w), SQLITE_OK);
    sk_work_kill(&w);
    struct files f = take_files();
    struct log_keys k = keys_of_log(&f);
    size_t frames = (f.wal_len - LOG_START) / FRAME;
    assert_true(frames > old_frames + 4);
    for (size_t frame = old_frames; frame < frames; frame++) {
        uint8_t last[FRAME], plain[FRAME], forged[24];
        open_frame(&f, &k, frame - 1, last);
        open_frame(&f, &k, frame, plain);
        uint32_t sums[2] = {big(last + 16), big(last + 20)};
        memcpy(forged, plain, sizeof(forged));
        assert_int_equal(big(plain + 4), 0); /* no commit */
        put_big(forged + 4, 60);             /* pages of the database after it */
        checksum(sums, forged, 8);
        checksum(sums, plain + 24, PAGE);
        put_big(forged + 16, sums[0]);
        put_big(forged + 20, sums[1]);
        uint8_t *sealed = f.wal + LOG_START + frame * FRAME;
        for (size_t i = 0; i < sizeof(forged); i++)
            sealed[i] ^= plain[i] ^ forged[i];
        put_files(&f);
        expect_state(4);
        for (size_t i = 0; i < sizeof(forged); i++)
            sealed[i] ^= plain[i] ^ forged[i];
    }
    free_files(&before);
    free_files(&f);
}

/* ---- preambles that only the key's holder can make ---- */

static void seal_preamble(struct files *f, unsigned copy, const uint8_t *plain)
{
    uint8_t key[32];
    uint8_t ad[48] = {1, 0, 0, 0, 1};
    sk_hash_of(key, sk_work_key, SK_LABEL_PREAMBLE, sk_work_id, 16);
    memcpy(ad + 8, sk_work_id, 16);
    sk_put_u64(ad + 40, copy);
    sk_page_seal(f->data + copy * (size_t)PAGE, plain, 512 - 40, ad, sizeof(ad), key);
}

/* What each field does in the newer copy, of epoch 101, over the one that is there. */
static void odd_preambles(void **state)
{
    (void)state;
    static const struct {
        unsigned at;
        uint32_t value;
        const char *refused; /* NULL: it opens */
    } odd[] = {
        {0, 2, "its format is not known"},
        {0, 0, "its format is not known"},
        {4, 8192, "its pages have another size"},
        {16, 1, "the write-ahead log is missing"},
        {16, 2, "the write-ahead log is missing"}, /* anything but 0 */
        {20, 7, NULL},                             /* zeros, which nobody looks at */
        {24, 7, NULL},                             /* no log of that id is there */
        {40, 7, NULL},
        {56, 9, NULL}, /* frames that no log has */
        {64, 7, NULL},
        {96, 7, NULL},
        {468, 7, NULL},
    };
    struct sk_work w;
    session(&w, true, 1, 3);
    close_well(&w);
    struct files f = take_files();
    for (unsigned copy = 0; copy < 2; copy++) /* whichever the epoch would go to */
        for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
            uint8_t plain[512 - 40] = {1, 0, 0, 0, 0, 16};
            uint8_t *at = f.data + copy * (size_t)PAGE;
            uint8_t kept[512];
            memcpy(kept, at, sizeof(kept));
            sk_put_u64(plain + 8, 101);
            sk_put_u32(plain + odd[i].at, odd[i].value);
            seal_preamble(&f, copy, plain);
            put_files(&f);
            if (odd[i].refused)
                expect_refused(odd[i].refused);
            else
                expect_state(3);
            memcpy(at, kept, sizeof(kept));
        }
    free_files(&f);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_commit_mark_cannot_be_forged),
        TEST(a_commit_mark_is_forged_with_its_checksum),
        TEST(odd_preambles),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
