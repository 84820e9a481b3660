/*
 * Goal of this test: whatever somebody without the key does to the files - flips, cuts, swaps, puts
 * old ones back - SQLite gets an error or shows an earlier committed state, never a mixture. (What
 * is forged: test_vfs_forged.c. That nothing readable stands in the files: test_vfs_sqlite.c.)
 */
#include "tests/support/effort.h"
#include "tests/support/tampered.h"

#define HEAD_LEN 88

#define FOREIGN "belongs to another state of the store"

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

/* ---- frames that do not open ---- */

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

/* ---- page 1, a journal ---- */

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

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(flips_in_the_preamble),
        TEST(flips_in_pages),
        TEST(flips_in_the_log),
        TEST(a_frame_that_was_lost),
        TEST(a_log_without_preamble_and_first_frame),
        TEST(a_log_without_a_frame),
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
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
