/*
 * Goal of this test: every single bit of every file of a small store is guarded, and every length
 * it can be cut to is noticed. One layer below whole stores (test_damage.c), so that it can be done
 * for all of them: pages, frames and heads are opened through the VFS, chunks of attachments by
 * their reader, `keys` by what unlocks it. Bits of an attachment: one of each byte, with SK_LONG
 * all.
 */
#include "core/media.h"
#include "core/store_internal.h"
#include "core/vfs_internal.h"
#include "tests/support/effort.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wreck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREAMBLE  8192
#define COPY      512
#define PAGE      4096
#define LOG_HEAD  88
#define LOG_START 4128
#define FRAME     4120
#define BODY      50000

static char *dir;
static char *path;
static struct sk_wreck crashed; /* pages in `data`, frames in `data-wal`, one attachment */
static uint8_t store_key[32];
static uint8_t store_id[16];

/* A store that a child leaves with frames in its log. */
static int make(void **state)
{
    struct sk_id id, file_id;
    if (sk_test_begin(state) != 0)
        return -1;
    sk_wreck_in_memory();
    dir = sk_temp_dir_make();
    path = sk_temp_path(dir, "store");
    struct sk_store *store = sk_test_make(path, SK_STORE_DEVICE);
    memcpy(store_key, sk_secret_view(store->store_key), sizeof(store_key));
    memcpy(store_id, sk_keys_store_id(&store->keys), sizeof(store_id));
    id = sk_test_add(store, SK_TYPE_EVENT, "in the database");
    char *file = sk_temp_path(dir, "a.bin");
    sk_test_write(file, BODY);
    sk_auto_item item = sk_test_item(store, &id);
    EXPECT_OK(sk_attachment_add(store, &item, file, NULL, &file_id, &sk_test_err));
    free(file);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    pid_t child = fork();
    if (child == 0) {
        struct sk_store_options options = sk_test_options(path, SK_STORE_DEVICE);
        if (sk_store_open(&store, &options, NULL) != SK_OK)
            _exit(1);
        (void)sk_test_add(store, SK_TYPE_EVENT, "in the log");
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    crashed = sk_wreck_take(path);
    return 0;
}

static int clear(void **state)
{
    sk_wreck_clear(&crashed);
    free(path);
    sk_temp_dir_remove(dir);
    return sk_test_end(state);
}

/* ---- the files through the VFS ---- */

static struct sk_vfs *vfs;
static const char *name;
static sqlite3_file *data;
static sqlite3_file *wal;
static int data_fd; /* beside the VFS, to damage the files; closed last, for it takes locks along */
static int wal_fd;

static int open_fd(const char *part)
{
    char *at = sk_temp_path(path, part);
    int fd = open(at, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    free(at);
    return fd;
}

/* The VFS over the files of the crash; nothing is open yet. */
static int plug_in(void **state)
{
    const struct sk_vfs_options options = {
        .store_key = store_key, .store_id = store_id, .read_only = true};
    (void)state;
    sk_wreck_put(&crashed, path);
    char *file = sk_temp_path(path, "data");
    char *log = sk_temp_path(path, "data-wal");
    name = sqlite3_create_filename(file, "", log, 0, NULL);
    free(file);
    free(log);
    assert_int_equal(sk_vfs_register(&vfs, &options, NULL), SK_OK);
    data = calloc(1, (size_t)vfs->methods.szOsFile);
    wal = calloc(1, (size_t)vfs->methods.szOsFile);
    assert_true(data && wal);
    data_fd = open_fd("data");
    wal_fd = open_fd("data-wal");
    return 0;
}

static void shut(sqlite3_file *file)
{
    if (file->pMethods)
        file->pMethods->xClose(file);
    file->pMethods = NULL;
}

static int unplug(void **state)
{
    (void)state;
    shut(wal);
    shut(data);
    sk_vfs_unregister(vfs);
    free(wal);
    free(data);
    sqlite3_free_filename(name);
    close(wal_fd);
    close(data_fd);
    return 0;
}

/* Opens anew; what the VFS found wrong before is forgotten. */
static int open_data(void)
{
    shut(wal);
    shut(data);
    vfs->fault[0] = '\0';
    return vfs->methods.xOpen(&vfs->methods, name, data, SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READONLY,
                              NULL);
}

static int open_wal(void)
{
    return vfs->methods.xOpen(&vfs->methods, sqlite3_filename_wal(name), wal,
                              SQLITE_OPEN_WAL | SQLITE_OPEN_READONLY, NULL);
}

static int open_both(void)
{
    int rc = open_data();
    return rc == SQLITE_OK ? open_wal() : rc;
}

static void put_byte(int fd, size_t at, uint8_t byte)
{
    if (pwrite(fd, &byte, 1, (off_t)at) != 1)
        fail();
}

static bool reads_page(size_t page)
{
    uint8_t out[PAGE];
    return data->pMethods->xRead(data, out, PAGE, (sqlite3_int64)page * PAGE) == SQLITE_OK;
}

/* As recovery does it: what does not open reads as zeros, which is no frame. */
static bool reads_frame(size_t frame)
{
    static const uint8_t zeros[FRAME];
    uint8_t out[FRAME];
    sqlite3_int64 at = 32 + (sqlite3_int64)frame * FRAME;
    int rc = wal->pMethods->xRead(wal, out, FRAME, at);
    return rc == SQLITE_OK && memcmp(out, zeros, FRAME) != 0;
}

static void expect_fault(const char *words, size_t at)
{
    const char *said = sk_vfs_fault(vfs);
    if (!said || !strstr(said, words))
        fail_msg("byte %zu: \"%s\" instead of \"%s\"", at, said ? said : "", words);
}

/* ---- bits ---- */

/* Of each byte. */
static unsigned bits_tried(void)
{
    return sk_test_effort(1, 8, 8);
}

static void every_bit_of_every_page(void **state)
{
    const struct sk_wreck_file *file = sk_wreck_find(&crashed, "data");
    size_t pages = (file->len - PREAMBLE) / PAGE;
    size_t bits = 0;
    (void)state;
    assert_int_equal(open_data(), SQLITE_OK);
    for (size_t page = 1; page < pages; page++) { /* page 1 below */
        char words[64];
        (void)snprintf(words, sizeof(words), "data: page %zu is damaged", page + 1);
        vfs->fault[0] = '\0';
        for (size_t at = PREAMBLE + page * PAGE; at < PREAMBLE + (page + 1) * PAGE; at++) {
            for (unsigned k = 0; k < bits_tried(); k++, bits++) {
                unsigned bit = (unsigned)(at + k) % 8;
                put_byte(data_fd, at, file->bytes[at] ^ (uint8_t)(1u << bit));
                if (reads_page(page))
                    fail_msg("bit %u of byte %zu is not noticed", bit, at);
            }
            put_byte(data_fd, at, file->bytes[at]);
        }
        expect_fault(words, page * PAGE);
        assert_true(reads_page(page));
    }
    for (size_t at = PREAMBLE; at < PREAMBLE + PAGE; at++) {
        for (unsigned k = 0; k < bits_tried(); k++, bits++) {
            unsigned bit = (unsigned)(at + k) % 8;
            put_byte(data_fd, at, file->bytes[at] ^ (uint8_t)(1u << bit));
            if (reads_page(0))
                fail_msg("bit %u of byte %zu is not noticed", bit, at);
        }
        put_byte(data_fd, at, file->bytes[at]);
    }
    print_message("%zu bits of %zu pages: each noticed\n", bits, pages);
}

/* One copy of the preamble may be damaged: the other one speaks, or the log is missed. */
static void every_bit_of_the_preamble(void **state)
{
    const struct sk_wreck_file *file = sk_wreck_find(&crashed, "data");
    size_t opened = 0, bits = 0;
    (void)state;
    for (size_t i = 0; i < COPY; i++)
        for (unsigned k = 0; k < bits_tried(); k++) {
            uint8_t mask = (uint8_t)(1u << (i + k) % 8);
            put_byte(data_fd, i, file->bytes[i] ^ mask);
            opened += open_both() == SQLITE_OK;
            put_byte(data_fd, PAGE + i, file->bytes[PAGE + i] ^ mask);
            assert_int_equal(open_data(), SQLITE_IOERR);
            expect_fault("data: its beginning is damaged", i);
            put_byte(data_fd, i, file->bytes[i]);
            opened += open_both() == SQLITE_OK;
            put_byte(data_fd, PAGE + i, file->bytes[PAGE + i]);
            bits += 2;
        }
    assert_int_equal(open_both(), SQLITE_OK);
    print_message("%zu bits of the preamble: %zu times the other copy opens it, else refused\n",
                  bits, opened);
    assert_int_equal(opened, bits / 2); /* the older copy knows of no log: then one is in the way */
}

static void every_bit_of_the_log(void **state)
{
    const struct sk_wreck_file *file = sk_wreck_find(&crashed, "data-wal");
    size_t frames = (file->len - LOG_START) / FRAME;
    size_t bits = 0;
    (void)state;
    for (size_t at = 0; at < LOG_HEAD; at++) {
        for (unsigned k = 0; k < bits_tried(); k++, bits++) {
            unsigned bit = (unsigned)(at + k) % 8;
            put_byte(wal_fd, at, file->bytes[at] ^ (uint8_t)(1u << bit));
            assert_int_equal(open_both(), SQLITE_IOERR);
            expect_fault("data-wal: the head of the write-ahead log is damaged", at);
        }
        put_byte(wal_fd, at, file->bytes[at]);
    }
    assert_int_equal(open_both(), SQLITE_OK);
    for (size_t frame = 0; frame < frames; frame++) {
        size_t start = LOG_START + frame * FRAME;
        for (size_t at = start; at < start + FRAME; at++) {
            for (unsigned k = 0; k < bits_tried(); k++, bits++) {
                unsigned bit = (unsigned)(at + k) % 8;
                put_byte(wal_fd, at, file->bytes[at] ^ (uint8_t)(1u << bit));
                if (reads_frame(frame))
                    fail_msg("bit %u of byte %zu is not noticed", bit, at);
            }
            put_byte(wal_fd, at, file->bytes[at]);
        }
        assert_true(reads_frame(frame));
    }
    print_message("%zu bits of the head and %zu frames: each noticed\n", bits, frames);
}

/* ---- lengths ---- */

static void every_length_of_the_database(void **state)
{
    const struct sk_wreck_file *file = sk_wreck_find(&crashed, "data");
    size_t pages = (file->len - PREAMBLE) / PAGE;
    size_t refused = 0, missing = 0;
    (void)state;
    for (size_t len = file->len; len-- > 0;) {
        if (ftruncate(data_fd, (off_t)len) != 0)
            fail();
        bool whole = len > PREAMBLE && (len - PREAMBLE) % PAGE == 0;
        if (open_data() != SQLITE_OK) {
            expect_fault("data: it was cut off", len);
            assert_false(whole);
            refused++;
        } else {
            assert_true(whole);
            for (size_t page = (len - PREAMBLE) / PAGE; page < pages; page++)
                assert_false(reads_page(page));
            expect_fault("is missing", len);
            missing++;
        }
    }
    print_message("%zu lengths of data: %zu refused, %zu without whole pages, which are missed\n",
                  file->len, refused, missing);
}

static void every_length_of_the_log(void **state)
{
    const struct sk_wreck_file *file = sk_wreck_find(&crashed, "data-wal");
    size_t refused = 0, shorter = 0;
    (void)state;
    for (size_t len = file->len; len-- > 0;) {
        if (ftruncate(wal_fd, (off_t)len) != 0)
            fail();
        if (open_both() != SQLITE_OK) {
            assert_true(len < LOG_HEAD);
            expect_fault("data-wal: the ", len);
            refused++;
            continue;
        }
        /* The frame that was cut is none, and nothing comes after it. */
        size_t frames = len < LOG_START ? 0 : (len - LOG_START) / FRAME;
        assert_false(reads_frame(frames));
        if (frames > 0)
            assert_true(reads_frame(frames - 1));
        shorter++;
    }
    print_message("%zu lengths of data-wal: %zu refused, %zu end it with the last whole frame\n",
                  file->len, refused, shorter);
}

/* ---- keys ---- */

static enum sk_status unlock(const uint8_t *bytes)
{
    const struct sk_store_options options = sk_test_options(path, SK_STORE_DEVICE);
    struct sk_keys keys;
    struct sk_secret *key = NULL;
    unsigned slot = 0;
    memcpy(keys.bytes, bytes, SK_KEYS_LEN);
    enum sk_status status = sk_keys_unlock(&keys, options.unlock, &key, &slot);
    sk_secret_free(key);
    return status;
}

static void every_bit_and_length_of_keys(void **state)
{
    struct sk_wreck wreck = sk_wreck_copy(&crashed);
    struct sk_wreck_file *file = sk_wreck_find(&wreck, "keys");
    struct sk_wreck_trial trial = {.path = path};
    (void)state;
    assert_int_equal(file->len, SK_KEYS_LEN);
    for (size_t i = 0; i < file->len * 8; i++) {
        file->bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        if (unlock(file->bytes) != SK_DAMAGED)
            fail_msg("bit %zu", i);
        file->bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_int_equal(unlock(file->bytes), SK_OK);
    sk_wreck_put(&wreck, path);
    char *at = sk_temp_path(path, "keys");
    for (size_t len = 0; len < SK_KEYS_LEN; len++) {
        sk_temp_write(at, file->bytes, len);
        assert_int_equal(sk_wreck_look(&trial, "keys cut", "/keys: "), SK_WRECK_REFUSED);
    }
    free(at);
    print_message("%u bits and %u lengths of keys: each refused\n", SK_KEYS_LEN * 8, SK_KEYS_LEN);
    sk_wreck_clear(&wreck);
}

/* ---- attachments ---- */

static enum sk_status read_all(struct sk_store *store, int64_t row)
{
    static uint8_t piece[BODY];
    size_t got = 0;
    sk_auto_media_reader reader = NULL;
    sk_error_clear(&sk_test_err);
    SK_TRY(sk_media_open(store, row, &reader, &sk_test_err));
    return sk_media_read(reader, piece, sizeof(piece), &got, &sk_test_err);
}

static void every_bit_and_length_of_an_attachment(void **state)
{
    const struct sk_wreck_file *file = sk_wreck_find(&crashed, "media");
    const unsigned step = sk_test_effort(61, 8, 1);
    size_t bits = 0;
    (void)state;
    sk_wreck_put(&crashed, path);
    struct sk_store_options options = sk_test_options(path, SK_STORE_DEVICE);
    struct sk_store *store = NULL;
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    int64_t row = sk_test_sql_int(store, "SELECT id FROM media");
    int fd = open_fd(file->name);
    EXPECT_OK(read_all(store, row));
    for (size_t bit = 0; bit < file->len * 8; bit += step, bits++) {
        size_t at = bit / 8;
        unsigned which = (unsigned)(step == 1 ? bit : at) % 8;
        put_byte(fd, at, file->bytes[at] ^ (uint8_t)(1u << which));
        if (read_all(store, row) != SK_DAMAGED || !strstr(sk_test_err.text, file->name))
            fail_msg("bit %zu: \"%s\"", bit, sk_test_err.text);
        put_byte(fd, at, file->bytes[at]);
    }
    EXPECT_OK(read_all(store, row));
    for (size_t len = file->len; len-- > 0;) {
        if (ftruncate(fd, (off_t)len) != 0)
            fail();
        if (read_all(store, row) != SK_DAMAGED || !strstr(sk_test_err.text, file->name))
            fail_msg("length %zu: \"%s\"", len, sk_test_err.text);
    }
    print_message("%zu bits and %zu lengths of an attachment: each noticed\n", bits, file->len);
    close(fd);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
}

#define FILES(f) cmocka_unit_test_setup_teardown(f, plug_in, unplug)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES(every_bit_of_every_page),
        FILES(every_bit_of_the_preamble),
        FILES(every_bit_of_the_log),
        FILES(every_length_of_the_database),
        FILES(every_length_of_the_log),
        cmocka_unit_test(every_bit_and_length_of_keys),
        cmocka_unit_test(every_bit_and_length_of_an_attachment),
    };
    return cmocka_run_group_tests(tests, make, clear);
}
