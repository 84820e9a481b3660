/*
 * Goal of this test: of a bundle that is damaged anywhere, what verifies is kept on demand, what is
 * lost is known, and an intact copy makes the archive what it would be without the damage. Nothing
 * else comes of a damaged bundle: no quarantine, no frozen log, no spent index, no half attachment.
 */
#include "core/file_calls.h"
#include "tests/support/damaged_bundle.h"
#include "tests/support/effort.h"
#include "tests/support/hostile_worker.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHUNK     SK_DAMAGED_CHUNK
#define BULK      1500 /* records of the large bundle */
#define BULK_TEXT 2000

static const struct sk_worker real = SK_WORKER_INIT;

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

/* ---- salvaging ---- */

/* The archive and its media are untouched. */
static void expect_nothing(struct sk_world *world, const char *name, const char *words)
{
    struct sk_import_result result;
    char *media = sk_temp_path(world->archive[0].path, "media");
    unsigned files = sk_test_count_files(media);
    uint8_t before[32], after[32];
    sk_world_dump(archive(world), before);
    EXPECT(SK_DAMAGED, sk_damaged_salvage(world, name, NULL, &result));
    if (!strstr(sk_test_err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", sk_test_err.text, words);
    sk_world_dump(archive(world), after);
    assert_memory_equal(before, after, sizeof(before));
    assert_int_equal(sk_test_count_files(media), files);
    free(media);
}

/*
 * One damaged copy, "bad": it is refused without a salvage; with one it keeps something or nothing,
 * the index is not spent, and the intact copy makes the archive whole. Gives how many payloads were
 * kept.
 */
static uint64_t try_copy(struct sk_world *world, const uint8_t expected[static 32])
{
    struct sk_import_result result;
    sk_world_import_fails(world, 0, "bad", SK_DAMAGED, NULL, true);
    enum sk_status status = sk_damaged_salvage(world, "bad", NULL, &result);
    if (status != SK_OK) {
        assert_int_equal(status, SK_DAMAGED);
        assert_non_null(strstr(sk_test_err.text, "nothing of it can be kept"));
        assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM log"), 0);
        sk_damaged_complete(world, expected);
        sk_damaged_put_back(world);
        return 0;
    }
    assert_true(result.salvaged && !result.waiting && !result.fork);
    assert_int_not_equal(result.reason[0], 0);
    assert_int_equal(result.payloads, sk_damaged_payloads(archive(world)));
    assert_int_equal(sk_ranges_total(&result.lacking), sk_damaged_lacking(world));
    sk_world_verify(archive(world));
    /* Each payload is here, is asked for, or belongs to what was withdrawn. */
    assert_int_equal(
        sk_test_sql_int(archive(world),
                        "SELECT count(*) FROM entry JOIN item ON item.id = entry.item WHERE NOT "
                        "item.erased AND entry.id NOT IN (SELECT id FROM payload) AND entry.id "
                        "NOT IN (SELECT entry FROM lacking)"),
        0);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM lacking WHERE entry IN "
                                                     "(SELECT id FROM payload)"),
                     0);
    assert_int_equal(
        sk_test_sql_int(archive(world), "SELECT count(*) FROM chain_index WHERE n0 IS NOT NULL"),
        0);
    uint64_t kept = result.payloads;
    sk_import_result_clear(&result);
    sk_damaged_complete(world, expected);
    sk_damaged_put_back(world);
    return kept;
}

static void damage_anywhere(void **state)
{
    struct sk_world *world = *state;
    uint8_t expected[32];
    size_t len = 0;
    uint64_t most = 0;
    sk_damaged_make(world);
    sk_damaged_reference(world, expected);
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    const size_t step = sk_test_effort(5, 1, 1);
    for (size_t chunk = 1; chunk < len / CHUNK; chunk += step) {
        size_t at = chunk * CHUNK + chunk * 7919 % CHUNK;
        bytes[at] ^= 1;
        sk_temp_write(sk_world_path(world, "bad"), bytes, len);
        bytes[at] ^= 1;
        uint64_t kept = try_copy(world, expected);
        assert_true(chunk > 1 ? kept > 0 : kept == 0); /* the first has the entries */
        most = kept > most ? kept : most;
    }
    assert_true(most >= 5 &&
                most < sk_damaged_payloads(device(world))); /* the last chunk holds one too */
    free(bytes);
}

static void cut_anywhere(void **state)
{
    struct sk_world *world = *state;
    uint8_t expected[32];
    size_t len = 0;
    uint64_t before = 0;
    sk_damaged_make(world);
    sk_damaged_reference(world, expected);
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    const size_t step = sk_test_effort(8, 3, 1) * CHUNK / 2 + 1;
    for (size_t cut = 2 * CHUNK; cut < len; cut += step) {
        sk_temp_write(sk_world_path(world, "bad"), bytes, cut);
        uint64_t kept = try_copy(world, expected);
        assert_true(kept >= before);
        before = kept;
    }
    assert_true(before > 1 && before < sk_damaged_payloads(device(world)));
    /* What was added behind it, and what is not there at all. */
    uint8_t *longer = calloc(1, len + 3 * CHUNK);
    assert_non_null(longer);
    memcpy(longer, bytes, len);
    sk_temp_write(sk_world_path(world, "bad"), longer, len + 3 * CHUNK);
    assert_int_equal(try_copy(world, expected), sk_damaged_payloads(device(world)));
    sk_temp_write(sk_world_path(world, "bad"), bytes, 2 * CHUNK - 1);
    expect_nothing(world, "bad", "too little");
    free(longer);
    free(bytes);
}

/* Every bit of the header counts; without it nothing tells whose bundle it is. */
static void a_damaged_header(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    uint8_t before[32], after[32];
    sk_damaged_make(world);
    sk_world_dump(archive(world), before);
    for (size_t at = 0; at < CHUNK; at += 1093) {
        sk_test_flip(sk_world_path(world, "good"), at);
        enum sk_status status = sk_damaged_salvage(world, "good", NULL, &result);
        assert_true(status == SK_DAMAGED || status == SK_REFUSED);
        sk_test_flip(sk_world_path(world, "good"), at);
    }
    sk_world_dump(archive(world), after);
    assert_memory_equal(before, after, sizeof(before));
}

/* ---- how much is lost ---- */

/* Title that deflates badly, so that damage in one place costs a few records only. */
static void add_long(struct sk_store *store, unsigned n)
{
    char title[BULK_TEXT + 1];
    uint8_t seed[randombytes_SEEDBYTES] = {(uint8_t)n, (uint8_t)(n >> 8)};
    uint8_t noise[BULK_TEXT];
    randombytes_buf_deterministic(noise, sizeof(noise), seed);
    for (size_t i = 0; i < BULK_TEXT; i++)
        title[i] = (char)('0' + noise[i] % 64);
    title[BULK_TEXT] = '\0';
    for (size_t i = 0; i < BULK_TEXT; i++)
        if (title[i] == '\\')
            title[i] = 'x';
    (void)sk_test_add(store, SK_TYPE_SOURCE, title);
}

static void make_bulk(struct sk_world *world)
{
    sk_world_pair(world);
    for (unsigned i = 0; i < BULK; i++)
        add_long(device(world), i);
    (void)sk_world_export(world, 0, "good");
}

/*
 * Records of 2,000 bytes fill frames of 1 MiB. A damaged chunk costs those of the frame that it
 * lies in, or of the two that it touches; only where it holds the head of a frame, everything
 * behind it.
 */
static void one_chunk_costs_little(void **state)
{
    struct sk_world *world = *state;
    const uint64_t frame = 1048576 / BULK_TEXT;
    size_t len = 0;
    unsigned cheap = 0;
    unsigned tried = 0;
    make_bulk(world);
    sk_damaged_save(world);
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    const size_t step = sk_test_effort(5, 3, 1);
    size_t first = 2 + BULK * SK_ENTRY_LEN / CHUNK + 1;
    for (size_t chunk = first; chunk < len / CHUNK; chunk += step) {
        struct sk_import_result result;
        size_t at = chunk * CHUNK + 999;
        bytes[at] ^= 0x80;
        sk_temp_write(sk_world_path(world, "bad"), bytes, len);
        bytes[at] ^= 0x80;
        EXPECT_OK(sk_damaged_salvage(world, "bad", NULL, &result));
        assert_true(result.payloads + sk_ranges_total(&result.lacking) == BULK);
        cheap += result.payloads + 2 * frame >= BULK;
        tried++;
        sk_import_result_clear(&result);
        sk_damaged_put_back(world);
    }
    assert_true(tried >= 6);
    if (cheap * 4 < tried * 3)
        fail_msg("%u of %u damaged chunks cost more than two frames", tried - cheap, tried);
    free(bytes);
}

/* ---- what it does not do ---- */

static void an_intact_bundle_is_imported(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    uint8_t expected[32], now[32];
    sk_damaged_make(world);
    sk_damaged_reference(world, expected);
    EXPECT_OK(sk_damaged_salvage(world, "good", NULL, &result));
    assert_false(result.salvaged);
    sk_import_result_clear(&result);
    sk_world_meaning(archive(world), now);
    assert_memory_equal(now, expected, sizeof(now));
    EXPECT_OK(sk_damaged_salvage(world, "good", NULL, &result));
    assert_true(result.known_file);
    sk_import_result_clear(&result);
    sk_test_flip(sk_world_path(world, "good"), 3 * CHUNK);
    EXPECT(SK_REFUSED, sk_damaged_salvage(world, "good", NULL, &result)); /* the index is spent */
}

/* A copy of the device goes another way: only a whole bundle may say so. */
static void a_damaged_fork_freezes_nothing(void **state)
{
    struct sk_world *world = *state;
    static const size_t chunks[] = {3};
    struct sk_export_result sent;
    struct sk_log log;
    sk_world_pair(world);
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "common");
    (void)sk_world_export(world, 0, "first");
    (void)sk_world_import(world, 0, "first");
    sk_test_close(&world->device[0]);
    sk_world_copy(world->device[0].path, sk_world_path(world, "copy"));
    sk_test_open(&world->device[0]);
    world->device[1] =
        (struct sk_test_store){world->dir, sk_temp_path(world->dir, "copy"), SK_STORE_DEVICE, NULL};
    sk_test_open(&world->device[1]);
    (void)sk_test_add(world->device[1].store, SK_TYPE_SOURCE, "another history");
    (void)sk_world_export(world, 1, "unused");
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "one history");
    sk_damaged_attach(world, &id, 300000);
    (void)sk_world_export(world, 0, "unseen");
    /* One index apart, so that the ratchet does not hide it. */
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "more"), 0, NULL, &sent, &sk_test_err));
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "good"), 0, NULL, &sent, &sk_test_err));
    EXPECT_OK(sk_export(world->device[1].store, sk_world_path(world, "other"), 0, NULL, &sent,
                        &sk_test_err));
    (void)sk_world_import(world, 0, "other");
    sk_damaged_write(world, "bad", chunks, 1);
    expect_nothing(world, "bad", "two histories");
    EXPECT_OK(sk_log_get(archive(world), 1, &log, &sk_test_err));
    assert_int_equal(log.state, SK_LOG_STATE_ENROLLED);
    /* The whole one freezes it, and then a damaged one is told so. */
    struct sk_import_result result = sk_world_import(world, 0, "good");
    assert_true(result.fork);
    sk_import_result_clear(&result);
    EXPECT_OK(
        sk_export(device(world), sk_world_path(world, "good2"), 1, NULL, &sent, &sk_test_err));
    sk_test_flip(sk_world_path(world, "good2"), 3 * CHUNK + 1);
    expect_nothing(world, "good2", "frozen");
}

static void a_device_that_waits(void **state)
{
    struct sk_world *world = *state;
    sk_world_devices(world, 2);
    sk_world_archives(world, 1);
    sk_world_invite(world, 0, "lark", "invite");
    sk_world_accept(world, 0, "invite");
    sk_world_accept(world, 1, "invite");
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "of the first");
    (void)sk_world_export(world, 0, "first");
    (void)sk_world_import(world, 0, "first");
    (void)sk_test_add(world->device[1].store, SK_TYPE_SOURCE, "of the second");
    (void)sk_world_export(world, 1, "unused");
    (void)sk_test_add(world->device[1].store, SK_TYPE_SOURCE, "more of it");
    (void)sk_world_export(world, 1, "second");
    sk_test_flip(sk_world_path(world, "second"), 2 * CHUNK + 1);
    expect_nothing(world, "second", "approve");
}

/* ---- a stick that fails in places ---- */

static size_t bad_from, bad_to; /* of every file that is read by pread */

static ssize_t failing_pread(int fd, void *out, size_t len, off_t offset)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && (size_t)st.st_size > 10 * CHUNK && (size_t)offset < bad_to &&
        (size_t)offset + len > bad_from) {
        errno = EIO;
        return -1;
    }
    return pread(fd, out, len, offset);
}

static void what_cannot_be_read(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    struct sk_file_calls calls = sk_system_calls;
    uint8_t expected[32];
    sk_damaged_make(world);
    sk_damaged_reference(world, expected);
    calls.pread = failing_pread;
    bad_from = 9 * CHUNK + 512;
    bad_to = bad_from + 512;
    sk_test_close(&world->archive[0]);
    sk_test_close(&world->device[0]);
    sk_file_use_calls(&calls);
    sk_test_open(&world->archive[0]);
    enum sk_status plain =
        sk_import(archive(world), sk_world_path(world, "good"), NULL, NULL, &result, &sk_test_err);
    enum sk_status status = sk_damaged_salvage(world, "good", NULL, &result);
    /* Where the entries cannot be read, that is said, and nothing of damage. */
    struct sk_import_result nothing;
    bad_from = CHUNK;
    bad_to = CHUNK + 512;
    enum sk_status unread = sk_damaged_salvage(world, "good", NULL, &nothing);
    assert_null(strstr(sk_test_err.text, "damaged"));
    sk_test_close(&world->archive[0]);
    sk_file_use_calls(NULL);
    sk_test_open(&world->archive[0]);
    sk_test_open(&world->device[0]);
    assert_int_equal(plain, SK_IO);
    assert_int_equal(unread, SK_IO);
    EXPECT_OK(status);
    assert_true(result.salvaged && result.payloads > 0);
    assert_true(result.payloads < sk_damaged_payloads(device(world)));
    sk_import_result_clear(&result);
    sk_damaged_complete(world, expected);
}

/* ---- through the worker ---- */

static void the_worker_finds_the_same(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    uint8_t here[32], by[32], expected[32];
    size_t len = 0;
    if (getenv("SK_UNDER_VALGRIND")) /* for its own calls the filter would kill it */
        skip();
    sk_damaged_make(world);
    sk_damaged_reference(world, expected);
    free(sk_test_read(sk_world_path(world, "good"), &len));
    const size_t step = sk_test_effort(9, 4, 1);
    for (size_t chunk = 1; chunk < len / CHUNK; chunk += step) {
        sk_damaged_write(world, "bad", &chunk, 1);
        enum sk_status status = sk_damaged_salvage(world, "bad", NULL, &result);
        sk_import_result_clear(&result);
        sk_world_meaning(archive(world), here);
        sk_damaged_put_back(world);
        EXPECT(status, sk_damaged_salvage(world, "bad", &real, &result));
        if (status != SK_OK)
            assert_non_null(strstr(sk_test_err.text, "nothing of it can be kept"));
        sk_import_result_clear(&result);
        sk_world_meaning(archive(world), by);
        assert_memory_equal(here, by, sizeof(here));
        sk_damaged_complete(world, expected);
        sk_damaged_put_back(world);
    }
}

/* A worker that says that something is lost, where it was not asked to look for that. */
static void a_worker_that_lies(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    static const size_t chunks[] = {5};
    sk_damaged_make(world);
    sk_damaged_save(world);
    sk_damaged_write(world, "bad", chunks, 1);
    for (unsigned n = 0; n < sk_test_effort(8, 40, 400); n++) {
        char name[32];
        const struct sk_worker liar = {name, 200};
        (void)snprintf(name, sizeof(name), "liar-%u", n * n * 37 % 60000);
        enum sk_status status = sk_damaged_salvage(world, "bad", &liar, &result);
        if (status == SK_OK)
            sk_import_result_clear(&result);
        sk_world_verify(archive(world));
        sk_damaged_put_back(world);
    }
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(damage_anywhere),
        TEST(cut_anywhere),
        TEST(a_damaged_header),
        TEST(one_chunk_costs_little),
        TEST(an_intact_bundle_is_imported),
        TEST(a_damaged_fork_freezes_nothing),
        TEST(a_device_that_waits),
        TEST(what_cannot_be_read),
        TEST(the_worker_finds_the_same),
        TEST(a_worker_that_lies),
    };
    sk_hostile_main(argc, argv);
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
