/*
 * Goal of this test: what the encrypting VFS promises to SQLite about the log. Frames written in
 * any of SQLite's pieces come back; one that is not whole, or not in its place, ends the log for
 * recovery and is an error to a reader; what the database needs of the log may not be missing; and
 * after a sync that failed nothing is written. (Pages: test_vfs.c.)
 */
#include "tests/support/plugged.h"

#define FRAME (24 + PAGE)

static void begin_log(void)
{
    uint8_t head[32];
    memset(head, 0x5a, sizeof(head));
    assert_int_equal(write_page(1), SQLITE_OK);
    assert_int_equal(open_wal(), SQLITE_OK);
    assert_int_equal(size_of(wal), 0);
    assert_int_equal(wal->pMethods->xWrite(wal, head, 32, 0), SQLITE_OK);
    assert_int_equal(wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL), SQLITE_OK);
    assert_int_equal(size_of(wal), 32);
}

static sqlite3_int64 place_of(unsigned frame)
{
    return 32 + (sqlite3_int64)(frame - 1) * FRAME;
}

static const uint8_t *make_frame(unsigned frame, unsigned version)
{
    static uint8_t bytes[FRAME];
    memset(bytes, (int)(version + 1), 24);
    bytes[3] = (uint8_t)(frame + 1);
    memcpy(bytes + 24, make_page(frame + 1), PAGE);
    bytes[24 + 100] = (uint8_t)version;
    return bytes;
}

static int write_slice(unsigned frame, unsigned version, int from, int to)
{
    return wal->pMethods->xWrite(wal, make_frame(frame, version) + from, to - from,
                                 place_of(frame) + from);
}

static void write_frame(unsigned frame, unsigned version)
{
    assert_int_equal(write_slice(frame, version, 0, 24), SQLITE_OK);
    assert_int_equal(write_slice(frame, version, 24, FRAME), SQLITE_OK);
}

static int read_frame(unsigned frame, uint8_t *out)
{
    return wal->pMethods->xRead(wal, out, FRAME, place_of(frame));
}

static void assert_frame(unsigned frame, unsigned header_version, unsigned version)
{
    uint8_t out[FRAME];
    assert_int_equal(read_frame(frame, out), SQLITE_OK);
    assert_memory_equal(out, make_frame(frame, header_version), 24);
    assert_memory_equal(out + 24, make_frame(frame, version) + 24, PAGE);
    assert_int_equal(wal->pMethods->xRead(wal, out, 8, place_of(frame) + 16), SQLITE_OK);
    assert_memory_equal(out, make_frame(frame, header_version) + 16, 8);
    assert_int_equal(wal->pMethods->xRead(wal, out, PAGE, place_of(frame) + 24), SQLITE_OK);
    assert_memory_equal(out, make_frame(frame, version) + 24, PAGE);
}

static void reopen_log(void)
{
    replug();
    assert_int_equal(open_wal(), SQLITE_OK);
}

static void frames_come_back(void **state)
{
    (void)state;
    uint8_t head[32];
    begin_log();
    for (unsigned i = 1; i <= 4; i++)
        write_frame(i, i);
    assert_int_equal(wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL), SQLITE_OK);
    for (unsigned i = 1; i <= 4; i++)
        assert_frame(i, i, i);
    assert_int_equal(size_of(wal), place_of(5));
    reopen_log();
    assert_int_equal(size_of(wal), place_of(5));
    assert_int_equal(wal->pMethods->xRead(wal, head, 32, 0), SQLITE_OK);
    assert_int_equal(head[31], 0x5a);
    assert_int_equal(wal->pMethods->xRead(wal, head, 8, 24), SQLITE_OK);
    assert_int_equal(head[7], 0x5a);
    for (unsigned i = 1; i <= 4; i++)
        assert_frame(i, i, i);
    assert_true(sk_vfs_recovered(vfs));
}

/* Wherever SQLite divides a frame, with a sync between the parts or without. */
static void frames_in_pieces(void **state)
{
    (void)state;
    static const int cuts[] = {1, 10, 23, 25, 500, 2000, 4055, 4080, 4119};
    begin_log();
    unsigned frame = 1;
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
        for (int sync = 0; sync < 2; sync++, frame++) {
            int cut = cuts[i];
            assert_int_equal(write_slice(frame, 3, 0, cut < 24 ? cut : 24), SQLITE_OK);
            if (cut > 24)
                assert_int_equal(write_slice(frame, 3, 24, cut), SQLITE_OK);
            if (sync)
                assert_int_equal(wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL), SQLITE_OK);
            assert_int_equal(write_slice(frame, 3, cut, cut < 24 ? 24 : FRAME), SQLITE_OK);
            if (cut < 24)
                assert_int_equal(write_slice(frame, 3, 24, FRAME), SQLITE_OK);
        }
    for (unsigned i = 1; i < frame; i++)
        assert_frame(i, 3, 3);
    reopen_log();
    for (unsigned i = 1; i < frame; i++)
        assert_frame(i, 3, 3);
}

static void headers_and_pages_are_rewritten_alone(void **state)
{
    (void)state;
    begin_log();
    for (unsigned i = 1; i <= 4; i++)
        write_frame(i, 0);
    assert_int_equal(write_slice(2, 1, 24, FRAME), SQLITE_OK); /* a page */
    assert_frame(2, 0, 1);
    assert_int_equal(write_slice(2, 2, 0, 24), SQLITE_OK); /* a header */
    assert_frame(2, 2, 1);
    assert_int_equal(write_slice(3, 2, 0, 24), SQLITE_OK);
    assert_int_equal(write_slice(1, 5, 0, 24), SQLITE_OK);
    assert_int_equal(write_slice(1, 6, 24, FRAME), SQLITE_OK); /* both */
    reopen_log();
    assert_frame(1, 5, 6);
    assert_frame(2, 2, 1);
    assert_frame(3, 2, 0);
    assert_frame(4, 0, 0);
}

static void a_held_header_without_a_page_is_dropped(void **state)
{
    (void)state;
    uint8_t out[FRAME];
    begin_log();
    write_frame(1, 0);
    size_t before = size_on_disk(SK_WORK_WAL);
    assert_int_equal(write_slice(2, 1, 0, 24), SQLITE_OK);
    assert_int_equal(wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL), SQLITE_OK);
    assert_int_equal(size_on_disk(SK_WORK_WAL), before);
    /* Something else is written: the header is forgotten, and a page alone is none. */
    assert_int_equal(write_slice(1, 1, 0, 24), SQLITE_OK);
    assert_int_equal(write_slice(2, 1, 24, FRAME), SQLITE_IOERR_WRITE);
    reopen_log();
    assert_frame(1, 1, 0);
    assert_int_equal(size_of(wal), place_of(2));
    assert_int_equal(read_frame(2, out), SQLITE_OK); /* recovery: the end of the log */
    for (size_t i = 0; i < FRAME; i++)
        assert_int_equal(out[i], 0);
}

static void bad_frames_are_refused(void **state)
{
    (void)state;
    uint8_t frame[FRAME];
    uint8_t head[33] = {0};
    begin_log();
    assert_int_equal(wal->pMethods->xWrite(wal, head, 16, 0), SQLITE_IOERR_WRITE);
    assert_int_equal(wal->pMethods->xWrite(wal, head, 33, 0), SQLITE_IOERR_WRITE);
    assert_int_equal(write_slice(3, 0, 0, 24), SQLITE_OK); /* leaves a gap */
    assert_int_equal(write_slice(3, 0, 24, FRAME), SQLITE_IOERR_WRITE);
    memcpy(frame, make_frame(1, 0), FRAME);
    frame[FRAME - 1] = 1;
    assert_int_equal(wal->pMethods->xWrite(wal, frame, 24, place_of(1)), SQLITE_OK);
    assert_int_equal(wal->pMethods->xWrite(wal, frame + 24, PAGE, place_of(1) + 24),
                     SQLITE_IOERR_WRITE);
    write_frame(1, 0);
    assert_int_equal(wal->pMethods->xWrite(wal, frame + 24, PAGE, place_of(1) + 24),
                     SQLITE_IOERR_WRITE);
    assert_frame(1, 0, 0);
}

static void damaged_frames_end_recovery_and_fail_reading(void **state)
{
    (void)state;
    uint8_t out[FRAME];
    begin_log();
    for (unsigned i = 1; i <= 3; i++)
        write_frame(i, 0);
    flip(SK_WORK_WAL, 4096 + 32 + FRAME + 2);
    reopen_log();
    assert_int_equal(read_frame(1, out), SQLITE_OK);
    assert_int_equal(read_frame(2, out), SQLITE_OK);
    assert_int_equal(out[3], 0);
    assert_null(sk_vfs_fault(vfs));
    assert_int_equal(wal->pMethods->xRead(wal, out, PAGE, place_of(2) + 24), SQLITE_IOERR_READ);
    assert_string_equal(sk_vfs_fault(vfs), "data-wal: frame 2 is damaged");
}

static void a_frame_opens_in_its_place_alone(void **state)
{
    (void)state;
    uint8_t out[FRAME];
    begin_log();
    for (unsigned i = 1; i <= 3; i++)
        write_frame(i, 0);
    swap_on_disk(SK_WORK_WAL, 4096 + (size_t)place_of(2), 4096 + (size_t)place_of(3), FRAME);
    reopen_log();
    assert_frame(1, 0, 0);
    for (unsigned i = 2; i <= 3; i++) {
        assert_int_equal(read_frame(i, out), SQLITE_OK); /* recovery: the end of the log */
        for (size_t at = 0; at < FRAME; at++)
            assert_int_equal(out[at], 0);
    }
}

/* What could not be synced the system has forgotten: a later sync would say that all is well. */
static void nothing_is_written_after_a_failed_sync(void **state)
{
    (void)state;
    for (int of_data = 0; of_data < 2; of_data++) {
        sqlite3_file *file = of_data ? data : wal;
        if (!of_data)
            begin_log();
        write_frame(1, 0);
        sk_disk_arm(SK_DISK_FAULT_IO, 1);
        assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
        sk_disk_arm(SK_DISK_FAULT_NONE, 0);
        assert_int_equal(wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
        assert_int_equal(data->pMethods->xSync(data, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
        assert_int_equal(write_slice(2, 0, 0, 24), SQLITE_IOERR_WRITE);
        assert_int_equal(wal->pMethods->xTruncate(wal, 0), SQLITE_IOERR_TRUNCATE);
        assert_int_equal(write_page(1), SQLITE_IOERR_WRITE);
        assert_int_equal(data->pMethods->xTruncate(data, PAGE), SQLITE_IOERR_TRUNCATE);
        reopen_log();
        assert_int_equal(write_page(1), SQLITE_OK);
    }
}

/* Recovery, as SQLite does it: frame after frame. */
static void recover(unsigned frames)
{
    uint8_t out[FRAME];
    for (unsigned i = 1; i <= frames; i++)
        assert_int_equal(read_frame(i, out), SQLITE_OK);
}

/* Once pages of the log went into the database, the log is needed as it was. */
static void frames_that_the_database_needs(void **state)
{
    (void)state;
    begin_log();
    for (unsigned i = 1; i <= 3; i++)
        write_frame(i, 0);
    assert_int_equal(write_page(2), SQLITE_OK);
    write_frame(4, 0); /* of the next transaction */
    write_frame(5, 0);
    write_frame(5, 1); /* undone, written again */
    reopen_log();
    recover(5);
    assert_frame(5, 1, 1);

    write_frame(3, 7); /* SQLite does so only to what was not committed */
    reopen_log();
    recover(3);
    assert_frame(3, 7, 7);

    size_t len;
    uint8_t *bytes = sk_disk_read(SK_WORK_WAL, &len);
    assert_int_equal(write_page(2), SQLITE_OK); /* needs 1..3, for so far was read */
    for (size_t cut = 0; cut < len; cut += FRAME / 4) {
        sk_disk_write(SK_WORK_WAL, bytes, cut);
        unplug();
        plug_in(false, false);
        assert_int_equal(open_data(), SQLITE_OK);
        bool enough = cut >= 4096 + (size_t)place_of(4);
        assert_int_equal(open_wal(), enough ? SQLITE_OK : SQLITE_IOERR);
    }
    free(bytes);
}

/* Whoever only reads cannot put a torn page right, and need not: the log has it whole. */
static void pages_that_the_log_has_are_not_missed(void **state)
{
    (void)state;
    uint64_t bad = 0;
    begin_log();
    for (unsigned i = 1; i <= 3; i++)
        write_frame(i, 255); /* with headers that name the pages 2 to 4 */
    for (unsigned i = 2; i <= 5; i++)
        assert_int_equal(write_page(i), SQLITE_OK);
    flip(SK_WORK_PATH, PREAMBLE + 2 * PAGE + 9);
    flip(SK_WORK_PATH, PREAMBLE + 4 * PAGE + 9);
    assert_int_equal(sk_vfs_check(vfs, SK_WORK_PATH, count_page, &bad, NULL), SK_OK);
    assert_int_equal(bad, 1u << 5);
    unplug();
    sk_disk_settle();
    plug_in(false, true);
    assert_int_equal(open_data(), SQLITE_OK);
    assert_int_equal(open_wal(), SQLITE_OK);
    bad = 0;
    assert_int_equal(sk_vfs_check(vfs, SK_WORK_PATH, count_page, &bad, NULL), SK_OK);
    assert_int_equal(bad, 1u << 5);
}

static void cutting_the_log(void **state)
{
    (void)state;
    uint8_t out[32];
    begin_log();
    for (unsigned i = 1; i <= 3; i++)
        write_frame(i, 0);
    assert_int_equal(wal->pMethods->xTruncate(wal, place_of(3)), SQLITE_OK);
    assert_int_equal(size_of(wal), place_of(3));
    assert_frame(2, 0, 0);
    assert_int_equal(wal->pMethods->xTruncate(wal, 0), SQLITE_OK);
    assert_int_equal(size_of(wal), 0);
    assert_int_equal(size_on_disk(SK_WORK_WAL), 0);
    assert_int_equal(wal->pMethods->xRead(wal, out, 32, 0), SQLITE_IOERR_SHORT_READ);
    reopen_log();
    assert_int_equal(size_of(wal), 0);
    size_t len;
    close_file(wal); /* an empty log that was not used goes by itself */
    assert_null(sk_disk_read(SK_WORK_WAL, &len));
    begin_log();
    write_frame(1, 0);
    close_file(wal);
    assert_int_equal(methods->xDelete(methods, sqlite3_filename_wal(name), 0), SQLITE_OK);
    assert_null(sk_disk_read(SK_WORK_WAL, &len));
}

static void reading_only(void **state)
{
    (void)state;
    size_t len;
    begin_log();
    write_frame(1, 0);
    unplug();
    sk_disk_settle();
    uint8_t *before = sk_disk_read(SK_WORK_PATH, &len);
    plug_in(false, true);
    assert_int_equal(open_data(), SQLITE_OK);
    assert_int_equal(data->pMethods->xLock(data, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(data->pMethods->xLock(data, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    assert_int_equal(open_wal(), SQLITE_OK);
    assert_frame(1, 0, 0);
    assert_int_equal(write_page(1), SQLITE_IOERR_WRITE);
    assert_int_equal(write_slice(1, 0, 0, 24), SQLITE_IOERR_WRITE);
    assert_int_equal(wal->pMethods->xTruncate(wal, 0), SQLITE_IOERR_TRUNCATE);
    assert_int_equal(data->pMethods->xTruncate(data, 0), SQLITE_IOERR_TRUNCATE);
    close_file(wal);
    assert_int_equal(methods->xDelete(methods, sqlite3_filename_wal(name), 0), SQLITE_IOERR_DELETE);
    uint8_t *after = sk_disk_read(SK_WORK_PATH, &len);
    assert_memory_equal(before, after, len);
    free(before);
    free(after);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(frames_come_back),
        TEST(frames_in_pieces),
        TEST(headers_and_pages_are_rewritten_alone),
        TEST(a_held_header_without_a_page_is_dropped),
        TEST(bad_frames_are_refused),
        TEST(damaged_frames_end_recovery_and_fail_reading),
        TEST(a_frame_opens_in_its_place_alone),
        TEST(nothing_is_written_after_a_failed_sync),
        TEST(frames_that_the_database_needs),
        TEST(pages_that_the_log_has_are_not_missed),
        TEST(cutting_the_log),
        TEST(reading_only),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
