/*
 * Goal of this test: whatever somebody without the key does to the files - flips, cuts, swaps, puts
 * old ones back - SQLite gets an error or shows an earlier committed state, never a mixture; and
 * nothing readable stands in them.
 */
#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "tests/support/disk.h"
#include "tests/support/effort.h"
#include "tests/support/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define PREAMBLE  8192
#define PAGE      4096
#define LOG_START 4128
#define FRAME     4120
#define HEAD_LEN  88

#define FOREIGN "belongs to another state of the store"

struct files {
    uint8_t *data, *wal;
    size_t data_len, wal_len;
};

static struct files take_files(void)
{
    struct files f = {0};
    f.data = sk_disk_read(SK_WORK_PATH, &f.data_len);
    f.wal = sk_disk_read(SK_WORK_WAL, &f.wal_len);
    return f;
}

static void put_files(const struct files *f)
{
    sk_disk_write(SK_WORK_PATH, f->data, f->data_len);
    sk_disk_write(SK_WORK_WAL, f->wal, f->wal_len);
}

static void free_files(struct files *f)
{
    free(f->data);
    free(f->wal);
}

/* A session of the steps first..last on what is there. */
static void session(struct sk_work *w, bool create, int first, int last)
{
    assert_int_equal(sk_work_open(w, create), SQLITE_OK);
    if (create)
        assert_int_equal(sk_work_prepare(w), SQLITE_OK);
    for (int k = first; k <= last; k++)
        assert_int_equal(sk_work_step(w, k), SQLITE_OK);
}

static void close_well(struct sk_work *w)
{
    assert_int_equal(sk_work_checkpoint(w), SQLITE_OK);
    sqlite3_db_config(w->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    sk_work_close(w);
    sk_disk_settle();
}

static int begin(void **state)
{
    (void)state;
    if (sk_crypto_init() != SK_OK)
        return -1;
    sk_disk_begin(true, 512);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sk_disk_end();
    return sk_secret_live_count() == 0 ? 0 : -1;
}

/* States 0..3 in the database, 4..`newest` in the log only. */
static struct files crashed_store(int newest)
{
    struct sk_work w;
    session(&w, true, 1, 3);
    close_well(&w);
    session(&w, false, 4, newest);
    sk_work_kill(&w);
    return take_files();
}

/* An error, or one committed state that is at least `oldest`. */
static int expect_sound(int oldest, int newest, size_t where)
{
    char fault[200];
    int rc;
    int state = sk_work_look(&rc, fault, sizeof(fault));
    if (state == -2 || (state >= 0 && (state < oldest || state > newest)))
        fail_msg("at %zu: state %d, code %d, %s", where, state, rc, fault);
    return state;
}

static void expect_refused(const char *words)
{
    char fault[200];
    int rc;
    assert_int_equal(sk_work_look(&rc, fault, sizeof(fault)), -1);
    if (!strstr(fault, words))
        fail_msg("\"%s\" does not hold \"%s\"", fault, words);
}

static void expect_state(int state)
{
    int rc;
    assert_int_equal(sk_work_look(&rc, NULL, 0), state);
}

/* ---- flips ---- */

/* Flips one bit of `bytes` at a time: each bit in turn where `all`, else one bit of each byte. */
static void flip_bits(struct files *f, uint8_t *bytes, size_t from, size_t to, bool all, int newest)
{
    for (size_t i = from; i < to; i++)
        for (unsigned bit = 0; bit < (all ? 8u : 1u); bit++) {
            uint8_t mask = (uint8_t)(1u << (all ? bit : i % 8));
            bytes[i] ^= mask;
            put_files(f);
            (void)expect_sound(3, newest, i);
            bytes[i] ^= mask;
        }
    put_files(f);
    expect_state(newest);
}

static void flips_in_the_preamble(void **state)
{
    (void)state;
    struct files f = crashed_store(6);
    flip_bits(&f, f.data, 0, 512, true, 6);
    flip_bits(&f, f.data, 4096, 4096 + 512, true, 6);
    f.data[0] ^= 1;
    f.data[4096] ^= 1;
    put_files(&f);
    expect_refused("its beginning is damaged");
    free_files(&f);
}

static void flips_in_pages(void **state)
{
    (void)state;
    struct files f = crashed_store(4);
    for (size_t page = 0; page < 3; page++) {
        size_t start = PREAMBLE + page * PAGE;
        flip_bits(&f, f.data, start, start + 32, true, 4);
        flip_bits(&f, f.data, start + PAGE - 48, start + PAGE, true, 4);
        for (size_t i = start + 32; i < start + PAGE - 48; i += 16)
            flip_bits(&f, f.data, i, i + 1, false, 4);
    }
    free_files(&f);
}

static void flips_in_the_log(void **state)
{
    (void)state;
    struct files f = crashed_store(6);
    flip_bits(&f, f.wal, 0, HEAD_LEN, true, 6);
    size_t frames = (f.wal_len - LOG_START) / FRAME;
    assert_true(frames > 8);
    for (size_t frame = 0; frame < frames; frame++) {
        size_t start = LOG_START + frame * FRAME;
        flip_bits(&f, f.wal, start, start + 24, frame < 2, 6);
        flip_bits(&f, f.wal, start + FRAME - 40, start + FRAME, frame < 2, 6);
        flip_bits(&f, f.wal, start + 1000, start + 1004, false, 6);
    }
    free_files(&f);
}

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

/*
 * A transaction begins when the one before it is on the disk. So a frame that does not open is lost
 * if a transaction ends behind it and another one follows, and not a log's end: the log is refused,
 * and `repair` has the rest. Of the last transaction it may be what a crash left.
 */
static void a_frame_that_was_lost(void **state)
{
    (void)state;
    struct files before = crashed_store(8);
    sk_disk_write(SK_WORK_PATH, NULL, 0);
    sk_disk_write(SK_WORK_WAL, NULL, 0);
    struct files f = crashed_store(9);
    size_t frames = (f.wal_len - LOG_START) / FRAME;
    size_t last = (before.wal_len - LOG_START) / FRAME; /* it begins there */
    size_t cut_off = f.wal_len;
    assert_true(last > 4 && frames > last + 1);
    for (size_t frame = 0; frame < frames; frame++) {
        char words[64];
        uint8_t *byte = f.wal + LOG_START + frame * FRAME + 2000;
        (void)snprintf(words, sizeof(words), "data-wal: frame %zu is damaged", frame + 1);
        *byte ^= 8;
        put_files(&f);
        if (frame + 1 < last)
            expect_refused(words);
        else /* of the end of the last but one nothing tells, either */
            expect_state(frame < last ? 7 : 8);
        /* The last transaction is torn as well: then nothing tells of the one before it. */
        f.wal_len = LOG_START + (last + 1) * FRAME - 1;
        put_files(&f);
        (void)expect_sound(frame < last ? 3 : 8, 8, frame);
        f.wal_len = cut_off;
        *byte ^= 8;
    }
    put_files(&f);
    expect_state(9);
    free_files(&f);
    free_files(&before);
}

/* The preamble that says that the log runs is lost, and its first frame: the others show that it
 * was there, so the log does not pass for one that is empty. */
static void a_log_without_preamble_and_first_frame(void **state)
{
    (void)state;
    struct files f = crashed_store(6);
    size_t frames = (f.wal_len - LOG_START) / FRAME;
    f.wal[LOG_START + 100] ^= 1;
    for (unsigned copy = 0; copy < 2; copy++) {
        f.data[copy * (size_t)PAGE + 100] ^= 1;
        put_files(&f);
        expect_refused("is damaged");
        f.data[copy * (size_t)PAGE + 100] ^= 1;
    }
    /* And if the last one alone is left: by the other preamble that is what a crash left. */
    unsigned refused = 0;
    for (size_t frame = 1; frame + 1 < frames; frame++)
        f.wal[LOG_START + frame * FRAME + 100] ^= 1;
    for (unsigned copy = 0; copy < 2; copy++) {
        f.data[copy * (size_t)PAGE + 100] ^= 1;
        put_files(&f);
        int rc;
        refused += sk_work_look(&rc, NULL, 0) == -1;
        f.data[copy * (size_t)PAGE + 100] ^= 1;
    }
    assert_int_equal(refused, 1);
    free_files(&f);
}

/* A log that runs and has no frame: a newer preamble, which is lost, may have needed some. Then
 * what `data` holds has to be verified by whoever opened it. */
static void a_log_without_a_frame(void **state)
{
    (void)state;
    struct sk_work w;
    struct files f = crashed_store(6);
    f.wal_len = HEAD_LEN;
    put_files(&f);
    assert_int_equal(sk_work_open(&w, false), SQLITE_OK);
    int rc;
    assert_int_equal(sk_work_state(&w, &rc), 3);
    assert_true(sk_vfs_recovered(w.vfs));
    close_well(&w);
    expect_state(3);
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

/* ---- cuts and swaps ---- */

static void a_log_that_was_cut(void **state)
{
    (void)state;
    struct files f = crashed_store(9);
    size_t len = f.wal_len;
    int seen[10] = {0};
    for (size_t cut = 0; cut < len; cut += sk_test_effort(701, 97, 7)) {
        f.wal_len = cut;
        put_files(&f);
        int found = expect_sound(3, 9, cut);
        if (found >= 0)
            seen[found]++;
    }
    for (int k = 3; k < 9; k++)
        assert_true(seen[k] > 0); /* each commit is a place where the log may end */
    f.wal_len = len;
    free_files(&f);
}

static void a_database_that_was_cut(void **state)
{
    (void)state;
    struct files f = crashed_store(6);
    size_t len = f.data_len;
    for (size_t cut = 0; cut < len; cut += sk_test_effort(701, 97, 7)) {
        f.data_len = cut;
        put_files(&f);
        (void)expect_sound(6, 6, cut);
        f.data_len = cut - cut % PAGE;
        put_files(&f);
        (void)expect_sound(6, 6, cut);
    }
    f.data_len = len;
    free_files(&f);
}

/* Closed well, there is no log from which a page at the end could come. */
static void a_closed_database_that_was_cut(void **state)
{
    (void)state;
    struct sk_work w;
    struct files f = crashed_store(6);
    free_files(&f);
    assert_int_equal(sk_work_open(&w, false), SQLITE_OK);
    close_well(&w);
    f = take_files();
    size_t len = f.data_len;
    for (size_t cut = 1; cut < PAGE; cut += 131) {
        f.data_len = len - cut;
        put_files(&f);
        assert_int_not_equal(sk_work_open(&w, false), SQLITE_OK);
        sk_work_close(&w);
        assert_string_equal(w.fault, "data: it was cut off");
    }
    f.data_len = len;
    free_files(&f);
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

static void pages_that_were_swapped(void **state)
{
    (void)state;
    struct files f = crashed_store(6);
    size_t pages = (f.data_len - PREAMBLE) / PAGE;
    for (size_t a = 0; a < pages; a++)
        for (size_t b = a + 1; b < pages; b++) {
            swap(f.data + PREAMBLE + a * PAGE, f.data + PREAMBLE + b * PAGE, PAGE);
            put_files(&f);
            (void)expect_sound(6, 6, a * 1000 + b);
            swap(f.data + PREAMBLE + a * PAGE, f.data + PREAMBLE + b * PAGE, PAGE);
        }
    free_files(&f);
}

static void frames_that_were_swapped(void **state)
{
    (void)state;
    struct files f = crashed_store(5);
    size_t frames = (f.wal_len - LOG_START) / FRAME;
    for (size_t a = 0; a < frames; a++)
        for (size_t b = a + 1; b < frames && b < a + 6; b++) {
            swap(f.wal + LOG_START + a * FRAME, f.wal + LOG_START + b * FRAME, FRAME);
            put_files(&f);
            (void)expect_sound(3, 5, a * 1000 + b);
            swap(f.wal + LOG_START + a * FRAME, f.wal + LOG_START + b * FRAME, FRAME);
        }
    free_files(&f);
}

/* ---- old files put back ---- */

static void put_wal(const struct files *f)
{
    sk_disk_write(SK_WORK_WAL, f->wal, f->wal_len);
}

static void an_old_log_beside_a_closed_database(void **state)
{
    (void)state;
    struct sk_work w;
    struct files old = crashed_store(6);
    session(&w, false, 7, 8); /* goes on in the same log */
    close_well(&w);
    expect_state(8);
    put_wal(&old);
    expect_refused(FOREIGN);
    expect_refused(FOREIGN);

    /* Without it nothing was lost, and a later log is no other matter. */
    sk_disk_write(SK_WORK_WAL, NULL, 0);
    expect_state(8);
    session(&w, false, 9, 9);
    sk_work_kill(&w);
    expect_state(9);
    put_wal(&old);
    expect_refused(FOREIGN);
    free_files(&old);
}

/* The old log has the id of the one that was checkpointed and begun anew in the same session. */
static void an_old_log_beside_a_newer_log(void **state)
{
    (void)state;
    struct sk_work w;
    struct files old = crashed_store(5);
    session(&w, false, 6, 6);
    assert_int_equal(sqlite3_wal_checkpoint_v2(w.db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sk_work_step(&w, 7), SQLITE_OK);
    sk_work_kill(&w);
    expect_state(7);
    put_wal(&old);
    expect_refused(FOREIGN);
    free_files(&old);
}

/* The same log as it was before, beside a database that has taken in what came later. */
static void an_older_copy_of_the_same_log(void **state)
{
    (void)state;
    struct sk_work w;
    struct files old = crashed_store(5);
    session(&w, false, 6, 9);
    assert_int_equal(sqlite3_wal_checkpoint_v2(w.db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL),
                     SQLITE_OK);
    sk_work_kill(&w);
    struct files now = take_files();
    expect_state(9);
    put_wal(&old);
    expect_refused("the write-ahead log was cut off");

    /* Cut anywhere, or any frame changed: the database cannot do without it. */
    size_t len = now.wal_len;
    for (now.wal_len = 0; now.wal_len < len; now.wal_len += sk_test_effort(4999, 997, 97)) {
        put_files(&now);
        expect_refused("the write-ahead log");
    }
    now.wal_len = len;
    for (size_t i = LOG_START + 7; i < len; i += sk_test_effort(7001, 1301, 101)) {
        now.wal[i] ^= 4;
        put_files(&now);
        int rc;
        assert_int_equal(sk_work_look(&rc, NULL, 0), -1);
        now.wal[i] ^= 4;
    }
    free_files(&old);
    free_files(&now);
}

static void a_missing_log(void **state)
{
    (void)state;
    struct files f = crashed_store(6);
    sk_disk_write(SK_WORK_WAL, NULL, 0);
    expect_refused("the write-ahead log is missing");
    size_t len;
    uint8_t *made = sk_disk_read(SK_WORK_WAL, &len);
    assert_null(made); /* and no new one was begun */
    put_files(&f);
    expect_state(6);
    free_files(&f);
}

/* An older database beside a newer log; a whole older store opens, which only others can see. */
static void an_old_database(void **state)
{
    (void)state;
    struct sk_work w;
    struct files old = crashed_store(5);
    session(&w, false, 6, 7);
    close_well(&w);
    session(&w, false, 8, 8);
    sk_work_kill(&w);
    struct files now = take_files();
    sk_disk_write(SK_WORK_PATH, old.data, old.data_len);
    expect_refused(FOREIGN);
    put_files(&old);
    expect_state(5);
    put_files(&now);
    expect_state(8);
    free_files(&old);
    free_files(&now);
}

static void rubbish_for_a_log(void **state)
{
    (void)state;
    struct sk_work w;
    static uint8_t rubbish[3 * PAGE];
    session(&w, true, 1, 2);
    close_well(&w);
    memset(rubbish, 0xa7, sizeof(rubbish));
    sk_disk_write(SK_WORK_WAL, rubbish, sizeof(rubbish));
    expect_state(2); /* no log runs: it reads as empty */
    session(&w, false, 3, 3);
    sk_work_kill(&w);
    expect_state(3);
}

/* ---- page 1, journals, other ways in ---- */

static void a_torn_page_1_is_in_the_log(void **state)
{
    (void)state;
    struct sk_work w;
    session(&w, true, 1, 3);
    close_well(&w);
    session(&w, false, 1, 0);
    assert_int_equal(sk_work_exec(&w, "CREATE TABLE more(x)"), SQLITE_OK); /* writes page 1 */
    sk_work_kill(&w);
    struct files f = take_files();
    f.data[PREAMBLE + 700] ^= 1;
    put_files(&f);
    expect_state(3);
    assert_int_equal(sk_work_open(&w, false), SQLITE_OK);
    assert_int_equal(sk_work_exec(&w, "SELECT x FROM more"), SQLITE_OK);
    close_well(&w); /* and puts it right */
    expect_state(3);
    free_files(&f);

    f = take_files();
    f.data[PREAMBLE + 700] ^= 1;
    put_files(&f);
    expect_refused("page 1 is damaged");
    free_files(&f);
}

static void a_planted_journal_is_ignored(void **state)
{
    (void)state;
    /* The head of a hot rollback journal of one page, page size 4096, and a page. */
    static uint8_t journal[512 + 4 + PAGE + 4] = {
        0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7, 0, 0, 0, 1, 0,  0,
        0,    0,    0,    0,    0,    9,    0,    0,    2, 0, 0, 0, 16, 0};
    const char *path = SK_WORK_PATH "-journal";
    struct sk_work w;
    session(&w, true, 1, 3);
    close_well(&w);
    sk_disk_write(path, journal, sizeof(journal));
    expect_state(3);
    session(&w, false, 4, 5);
    close_well(&w);
    expect_state(5);
    size_t len;
    uint8_t *bytes = sk_disk_read(path, &len);
    assert_int_equal(len, sizeof(journal));
    assert_memory_equal(bytes, journal, sizeof(journal));
    free(bytes);
}

static void a_backup_of_a_plain_database_is_refused(void **state)
{
    (void)state;
    struct sk_work w;
    sqlite3 *plain = NULL;
    assert_int_equal(sk_work_open(&w, true), SQLITE_OK);
    assert_int_equal(sqlite3_open(":memory:", &plain), SQLITE_OK);
    assert_int_equal(sqlite3_exec(plain,
                                  "CREATE TABLE t(x); INSERT INTO t VALUES('" SK_WORK_MARKER
                                  "' || hex(randomblob(5000)))",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_backup *backup = sqlite3_backup_init(w.db, "main", plain, "main");
    if (backup) {
        assert_int_not_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
        sqlite3_backup_finish(backup);
    }
    sqlite3_close(plain);
    (void)sk_work_checkpoint(&w);
    sk_work_close(&w);
    struct files f = take_files();
    assert_null(memmem(f.data, f.data_len, SK_WORK_MARKER, sizeof(SK_WORK_MARKER) - 1));
    assert_true(f.wal_len == 0 ||
                !memmem(f.wal, f.wal_len, SK_WORK_MARKER, sizeof(SK_WORK_MARKER) - 1));
    free_files(&f);
}

static void nothing_readable_is_written(void **state)
{
    (void)state;
    static const char *const words[] = {SK_WORK_MARKER, "SQLite format", "CREATE", "payload"};
    struct files f = crashed_store(9);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_null(memmem(f.data, f.data_len, words[i], strlen(words[i])));
        assert_null(memmem(f.wal, f.wal_len, words[i], strlen(words[i])));
    }
    free_files(&f);
}

/* Ten pages of cache: frames are written before the commit, and some of them again. */
static void frames_are_rewritten_in_big_transactions(void **state)
{
    (void)state;
    struct sk_work w;
    session(&w, true, 1, 1);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(sk_work_exec(&w, "BEGIN"), SQLITE_OK);
        for (int k = 0; k < 8; k++)
            assert_int_equal(sk_work_exec(&w, "UPDATE t SET version = version"), SQLITE_OK);
        assert_int_equal(sk_work_exec(&w, "COMMIT"), SQLITE_OK);
        for (int k = 2 + 5 * round; k < 7 + 5 * round; k++)
            assert_int_equal(sk_work_step(&w, k), SQLITE_OK);
        int rc;
        assert_int_equal(sk_work_state(&w, &rc), 6 + 5 * round);
    }
    sk_work_kill(&w);
    expect_state(16);
    session(&w, false, 17, 17);
    close_well(&w);
    expect_state(17);
}

static void other_page_sizes(void **state)
{
    (void)state;
    static const unsigned sizes[] = {1024, 8192, 65536};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct sk_vfs_options options = {
            .base = SK_DISK_VFS,
            .store_key = sk_work_key,
            .store_id = sk_work_id,
            .page_size = sizes[i],
            .create = true,
        };
        struct sk_work w;
        int rc;
        sk_disk_write(SK_WORK_PATH, NULL, 0);
        sk_disk_write(SK_WORK_WAL, NULL, 0);
        assert_int_equal(sk_work_open_with(&w, &options), SQLITE_OK);
        assert_int_equal(sk_work_prepare(&w), SQLITE_OK);
        for (int k = 1; k <= 8; k++)
            assert_int_equal(sk_work_step(&w, k), SQLITE_OK);
        sk_work_kill(&w);
        options.create = false;
        assert_int_equal(sk_work_open_with(&w, &options), SQLITE_OK);
        assert_int_equal(sk_work_state(&w, &rc), 8);
        close_well(&w);
        options.page_size = 4096;
        assert_int_not_equal(sk_work_open_with(&w, &options), SQLITE_OK);
        sk_work_close(&w);
        assert_string_equal(w.fault, "data: its pages have another size");
    }
}

static void reading_only_writes_nothing(void **state)
{
    (void)state;
    struct files f = crashed_store(6);
    struct sk_work w;
    int rc;
    const struct sk_vfs_options options = {
        .base = SK_DISK_VFS,
        .store_key = sk_work_key,
        .store_id = sk_work_id,
        .read_only = true,
    };
    assert_int_equal(sk_work_open_with(&w, &options), SQLITE_OK);
    assert_int_equal(sk_work_state(&w, &rc), 6);
    assert_true(sk_vfs_recovered(w.vfs));
    assert_int_equal(sk_work_exec(&w, "DELETE FROM t"), SQLITE_READONLY);
    sqlite3_db_config(w.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    sk_work_close(&w);
    struct files after = take_files();
    assert_int_equal(after.data_len, f.data_len);
    assert_int_equal(after.wal_len, f.wal_len);
    assert_memory_equal(after.data, f.data, f.data_len);
    assert_memory_equal(after.wal, f.wal, f.wal_len);
    free_files(&after);
    free_files(&f);

    /* And without a log, beside a store that was closed well. */
    assert_int_equal(sk_work_open(&w, false), SQLITE_OK);
    close_well(&w);
    assert_int_equal(sk_work_open_with(&w, &options), SQLITE_OK);
    assert_int_equal(sk_work_state(&w, &rc), 6);
    assert_false(sk_vfs_recovered(w.vfs));
    sk_work_close(&w);
    f = take_files();
    assert_null(f.wal);
    free_files(&f);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(flips_in_the_preamble),
        TEST(flips_in_pages),
        TEST(flips_in_the_log),
        TEST(a_commit_mark_cannot_be_forged),
        TEST(a_commit_mark_is_forged_with_its_checksum),
        TEST(a_frame_that_was_lost),
        TEST(a_log_without_preamble_and_first_frame),
        TEST(a_log_without_a_frame),
        TEST(odd_preambles),
        TEST(a_log_that_was_cut),
        TEST(a_database_that_was_cut),
        TEST(a_closed_database_that_was_cut),
        TEST(pages_that_were_swapped),
        TEST(frames_that_were_swapped),
        TEST(an_old_log_beside_a_closed_database),
        TEST(an_old_log_beside_a_newer_log),
        TEST(an_older_copy_of_the_same_log),
        TEST(a_missing_log),
        TEST(an_old_database),
        TEST(rubbish_for_a_log),
        TEST(a_torn_page_1_is_in_the_log),
        TEST(a_planted_journal_is_ignored),
        TEST(a_backup_of_a_plain_database_is_refused),
        TEST(nothing_readable_is_written),
        TEST(frames_are_rewritten_in_big_transactions),
        TEST(other_page_sizes),
        TEST(reading_only_writes_nothing),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
