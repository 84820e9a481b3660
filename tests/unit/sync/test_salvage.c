/*
 * Goal of this test: of a bundle that is damaged anywhere, what verifies is kept on demand, what is
 * lost is known and asked for, and an intact copy, another damaged one or what the device sends
 * again makes the archive what it would be without the damage. Nothing else comes of a damaged
 * bundle: no quarantine, no frozen log, no spent index, no half attachment.
 */
#include "core/file_calls.h"
#include "core/lacking.h"
#include "tests/support/effort.h"
#include "tests/support/exchange.h"
#include "tests/support/hostile_worker.h"
#include "tests/support/lineage.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHUNK     65536u
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

/* ---- the archive as it was, again and again ---- */

static void save(struct sk_world *world)
{
    sk_test_close(&world->archive[0]);
    sk_world_copy(world->archive[0].path, sk_world_path(world, "saved"));
    sk_test_open(&world->archive[0]);
}

static void put_back(struct sk_world *world)
{
    sk_test_close(&world->archive[0]);
    sk_world_copy(sk_world_path(world, "saved"), world->archive[0].path);
    sk_test_open(&world->archive[0]);
}

/* ---- bundles ---- */

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

static void attach(struct sk_world *world, const struct sk_id *id, size_t len)
{
    struct sk_id attachment;
    sk_auto_item item = sk_test_item(device(world), id);
    sk_test_write(sk_world_path(world, "picture"), len);
    EXPECT_OK(sk_attachment_add(device(world), &item, sk_world_path(world, "picture"), NULL,
                                &attachment, &sk_test_err));
}

/* A bundle "good" of everything that a log can hold. */
static void make_mixed(struct sk_world *world)
{
    struct sk_store *txn = NULL;
    struct sk_id link;
    sk_world_pair(world);
    struct sk_id one = sk_test_add(device(world), SK_TYPE_SOURCE, "with a picture");
    attach(world, &one, 150000);
    struct sk_id two = sk_test_add(device(world), SK_TYPE_EVENT, "with two of them");
    attach(world, &two, 1300000);
    (void)sk_world_put_text(device(world), "{\"this is\": [\"no record\"");
    sk_test_edit(device(world), &one, "with another title");
    attach(world, &two, 90000);
    struct sk_id gone = sk_test_add(device(world), SK_TYPE_SOURCE, "withdrawn before it was sent");
    attach(world, &gone, 5000);
    (void)sk_test_withdraw(device(world), &gone);
    sk_auto_item from = sk_test_item(device(world), &one);
    sk_auto_item to = sk_test_item(device(world), &two);
    EXPECT_OK(sk_store_begin(&txn, device(world), &sk_test_err));
    EXPECT_OK(sk_link_add(device(world), &from, "tells-of", &to, &link, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    (void)sk_test_add(device(world), SK_TYPE_PERSON, "the last one");
    (void)sk_world_export(world, 0, "good");
}

/* What an archive holds that got "good" as it is. */
static void reference(struct sk_world *world, uint8_t out[static 32])
{
    save(world);
    struct sk_import_result result = sk_world_import(world, 0, "good");
    sk_import_result_clear(&result);
    sk_world_meaning(archive(world), out);
    put_back(world);
}

/* ---- salvaging ---- */

static enum sk_status salvage(struct sk_world *world, const char *name,
                              const struct sk_worker *worker, struct sk_import_result *result)
{
    sk_error_clear(&sk_test_err);
    *result = (struct sk_import_result){.log = 0};
    return sk_import_salvage(archive(world), sk_world_path(world, name), worker, NULL, result,
                             &sk_test_err);
}

static uint64_t lacking(struct sk_world *world)
{
    uint64_t count = 0;
    EXPECT_OK(sk_lacking_count(archive(world), &count, &sk_test_err));
    return count;
}

static uint64_t payloads(struct sk_store *store)
{
    return (uint64_t)sk_test_sql_int(store, "SELECT count(*) FROM payload");
}

static void complete(struct sk_world *world, const uint8_t expected[static 32])
{
    uint8_t now[32];
    struct sk_import_result result = sk_world_import(world, 0, "good");
    assert_false(result.salvaged || result.known_file);
    sk_import_result_clear(&result);
    assert_int_equal(lacking(world), 0);
    sk_world_meaning(archive(world), now);
    assert_memory_equal(now, expected, sizeof(now));
    sk_world_verify(archive(world));
}

/* The archive and its media are untouched. */
static void expect_nothing(struct sk_world *world, const char *name, const char *words)
{
    struct sk_import_result result;
    char *media = sk_temp_path(world->archive[0].path, "media");
    unsigned files = sk_test_count_files(media);
    uint8_t before[32], after[32];
    sk_world_dump(archive(world), before);
    EXPECT(SK_DAMAGED, salvage(world, name, NULL, &result));
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
    enum sk_status status = salvage(world, "bad", NULL, &result);
    if (status != SK_OK) {
        assert_int_equal(status, SK_DAMAGED);
        assert_non_null(strstr(sk_test_err.text, "nothing of it can be kept"));
        assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM log"), 0);
        complete(world, expected);
        put_back(world);
        return 0;
    }
    assert_true(result.salvaged && !result.waiting && !result.fork);
    assert_int_not_equal(result.reason[0], 0);
    assert_int_equal(result.payloads, payloads(archive(world)));
    assert_int_equal(sk_ranges_total(&result.lacking), lacking(world));
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
    complete(world, expected);
    put_back(world);
    return kept;
}

static void damage_anywhere(void **state)
{
    struct sk_world *world = *state;
    uint8_t expected[32];
    size_t len = 0;
    uint64_t most = 0;
    make_mixed(world);
    reference(world, expected);
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
    assert_true(most >= 5 && most < payloads(device(world))); /* the last chunk holds one too */
    free(bytes);
}

static void cut_anywhere(void **state)
{
    struct sk_world *world = *state;
    uint8_t expected[32];
    size_t len = 0;
    uint64_t before = 0;
    make_mixed(world);
    reference(world, expected);
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    const size_t step = sk_test_effort(8, 3, 1) * CHUNK / 2 + 1;
    for (size_t cut = 2 * CHUNK; cut < len; cut += step) {
        sk_temp_write(sk_world_path(world, "bad"), bytes, cut);
        uint64_t kept = try_copy(world, expected);
        assert_true(kept >= before);
        before = kept;
    }
    assert_true(before > 1 && before < payloads(device(world)));
    /* What was added behind it, and what is not there at all. */
    uint8_t *longer = calloc(1, len + 3 * CHUNK);
    assert_non_null(longer);
    memcpy(longer, bytes, len);
    sk_temp_write(sk_world_path(world, "bad"), longer, len + 3 * CHUNK);
    assert_int_equal(try_copy(world, expected), payloads(device(world)));
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
    make_mixed(world);
    sk_world_dump(archive(world), before);
    for (size_t at = 0; at < CHUNK; at += 1093) {
        sk_test_flip(sk_world_path(world, "good"), at);
        enum sk_status status = salvage(world, "good", NULL, &result);
        assert_true(status == SK_DAMAGED || status == SK_REFUSED);
        sk_test_flip(sk_world_path(world, "good"), at);
    }
    sk_world_dump(archive(world), after);
    assert_memory_equal(before, after, sizeof(before));
}

/* ---- how much is lost ---- */

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
    save(world);
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    const size_t step = sk_test_effort(5, 3, 1);
    size_t first = 2 + BULK * SK_ENTRY_LEN / CHUNK + 1;
    for (size_t chunk = first; chunk < len / CHUNK; chunk += step) {
        struct sk_import_result result;
        size_t at = chunk * CHUNK + 999;
        bytes[at] ^= 0x80;
        sk_temp_write(sk_world_path(world, "bad"), bytes, len);
        bytes[at] ^= 0x80;
        EXPECT_OK(salvage(world, "bad", NULL, &result));
        assert_true(result.payloads + sk_ranges_total(&result.lacking) == BULK);
        cheap += result.payloads + 2 * frame >= BULK;
        tried++;
        sk_import_result_clear(&result);
        put_back(world);
    }
    assert_true(tried >= 6);
    if (cheap * 4 < tried * 3)
        fail_msg("%u of %u damaged chunks cost more than two frames", tried - cheap, tried);
    free(bytes);
}

/* ---- several copies, and what is asked for ---- */

static void write_damaged(struct sk_world *world, const char *name, const size_t *chunks,
                          size_t count)
{
    size_t len = 0;
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    for (size_t i = 0; i < count; i++)
        bytes[chunks[i] * CHUNK + 5] ^= 4;
    sk_temp_write(sk_world_path(world, name), bytes, len);
    free(bytes);
}

/* Two copies that are damaged in different places give the whole; the index waits for an intact
 * one. */
static void two_copies_make_one(void **state)
{
    struct sk_world *world = *state;
    static const size_t early[] = {2}, late[] = {20};
    struct sk_import_result result;
    uint8_t expected[32];
    make_mixed(world);
    reference(world, expected);
    write_damaged(world, "early", early, 1);
    write_damaged(world, "late", late, 1);
    EXPECT_OK(salvage(world, "early", NULL, &result));
    uint64_t kept = result.payloads;
    assert_true(lacking(world) > 0);
    sk_import_result_clear(&result);
    EXPECT_OK(salvage(world, "early", NULL, &result)); /* again: nothing new */
    assert_int_equal(result.payloads, 0);
    assert_int_equal(result.entries_new, 0);
    sk_import_result_clear(&result);
    EXPECT_OK(salvage(world, "late", NULL, &result));
    assert_int_equal(kept + result.payloads, payloads(device(world)));
    assert_int_equal(result.lacking.count, 0);
    sk_import_result_clear(&result);
    assert_int_equal(lacking(world), 0);
    complete(world, expected);
}

/* Salvage, receipt, and the device sends again what is asked for, by itself. */
static void what_is_lost_is_asked_for(void **state)
{
    struct sk_world *world = *state;
    uint8_t expected[32], now[32];
    struct sk_import_result result;
    struct sk_log log;
    static const size_t chunks[] = {12};
    make_mixed(world);
    save(world);
    write_damaged(world, "bad", chunks, 1);
    EXPECT_OK(salvage(world, "bad", NULL, &result));
    assert_int_equal(result.lacking.count, 1);
    uint64_t from = result.lacking.items[0].from;
    uint64_t to = result.lacking.items[0].to;
    sk_import_result_clear(&result);
    EXPECT_OK(sk_log_get(archive(world), 1, &log, &sk_test_err));
    char status[64];
    (void)snprintf(status, sizeof(status), "0-%d %d-%d||%d-%d|%d-%d", (int)from, (int)to,
                   (int)log.size, (int)from, (int)to, (int)from, (int)to);
    struct sk_receipt_result answer = sk_world_receipt(world, 0, 1, 0, "answer");
    assert_int_equal(answer.size, log.size);
    assert_false(answer.rollback);
    sk_receipt_result_clear(&answer);
    assert_string_equal(sk_world_status(device(world), 0), status);
    struct sk_export_result sent = sk_world_export(world, 0, "again");
    assert_int_equal(sent.n0, from);
    result = sk_world_import(world, 0, "again");
    assert_int_equal(result.entries_new, 0);
    sk_import_result_clear(&result);
    assert_int_equal(lacking(world), 0);
    answer = sk_world_receipt(world, 0, 1, 0, "answer2");
    sk_receipt_result_clear(&answer);
    (void)snprintf(status, sizeof(status), "0-%d|||", (int)log.size);
    assert_string_equal(sk_world_status(device(world), 0), status);
    sk_world_verify(archive(world));
    sk_world_meaning(archive(world), now);
    /* The same as where the damage never was. */
    put_back(world);
    (void)sk_world_import(world, 0, "good");
    (void)sk_world_import(world, 0, "again");
    sk_world_meaning(archive(world), expected);
    assert_memory_equal(now, expected, sizeof(now));
}

/* What its device had erased cannot be told from what is lost, until an intact bundle says so. */
static void what_was_erased_before(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    size_t len = 0;
    sk_world_pair(world);
    struct sk_id gone = sk_test_add(device(world), SK_TYPE_SOURCE, "soon withdrawn");
    struct sk_id kept = sk_test_add(device(world), SK_TYPE_SOURCE, "kept");
    attach(world, &kept, 400000);
    (void)sk_test_withdraw(device(world), &gone);
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "whole"), 0, NULL,
                        &(struct sk_export_result){0}, &sk_test_err));
    uint8_t *bytes = sk_test_read(sk_world_path(world, "whole"), &len);
    sk_temp_write(sk_world_path(world, "bad"), bytes, len / 2 / CHUNK * CHUNK);
    free(bytes);
    EXPECT_OK(salvage(world, "bad", NULL, &result));
    assert_string_equal(sk_world_ranges(&result.lacking), "2-3"); /* 0 was withdrawn by 3 */
    sk_import_result_clear(&result);
    /* And what is lacking is withdrawn. */
    (void)sk_test_withdraw(device(world), &kept);
    (void)sk_world_export(world, 0, "withdrawal");
    result = sk_world_import(world, 0, "withdrawal");
    sk_import_result_clear(&result);
    assert_int_equal(lacking(world), 0);
    result = sk_world_import(world, 0, "whole");
    sk_import_result_clear(&result);
    assert_int_equal(payloads(archive(world)), 0);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM media"), 0);
    sk_world_verify(archive(world));
}

/* Behind a gap it is the same, and the part before can come later. */
static void behind_a_gap(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    static const size_t chunks[] = {3};
    uint8_t expected[32], now[32];
    sk_world_pair(world);
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "the first");
    (void)sk_world_export(world, 0, "first");
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "with a picture");
    attach(world, &id, 300000);
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "the last");
    (void)sk_world_export(world, 0, "good");
    save(world);
    (void)sk_world_import(world, 0, "first");
    (void)sk_world_import(world, 0, "good");
    sk_world_meaning(archive(world), expected);
    put_back(world);
    write_damaged(world, "bad", chunks, 1);
    EXPECT_OK(salvage(world, "bad", NULL, &result));
    assert_string_equal(sk_world_ranges(&result.gaps), "0-1");
    assert_string_equal(sk_world_ranges(&result.lacking), "2-3");
    sk_import_result_clear(&result);
    struct sk_receipt_result answer = sk_world_receipt(world, 0, 1, 0, "answer");
    sk_receipt_result_clear(&answer);
    assert_string_equal(sk_world_status(device(world), 0), "1-2 3-4||0-1 2-3|0-1 2-3");
    result = sk_world_import(world, 0, "first");
    sk_import_result_clear(&result);
    sk_world_verify(archive(world));
    assert_int_equal(lacking(world), 1);
    result = sk_world_import(world, 0, "good");
    sk_import_result_clear(&result);
    sk_world_meaning(archive(world), now);
    assert_memory_equal(now, expected, sizeof(now));
}

/* A newer revision is lacking: the older one is shown until it comes. */
static void an_older_revision_is_shown(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    uint64_t position = 0;
    bool found = false;
    size_t len = 0;
    sk_world_pair(world);
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "as it was");
    attach(world, &id, 300000);
    sk_test_edit(device(world), &id, "as it is");
    (void)sk_world_export(world, 0, "good");
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    sk_temp_write(sk_world_path(world, "bad"), bytes, 3 * CHUNK);
    free(bytes);
    EXPECT_OK(salvage(world, "bad", NULL, &result));
    sk_import_result_clear(&result);
    sk_auto_item item = {.title = NULL};
    EXPECT_OK(sk_item_get(archive(world), 1, &id, &item, &sk_test_err));
    assert_string_equal(item.title, "as it was");
    EXPECT_OK(sk_lacking_newest(archive(world), &item, &position, &found, &sk_test_err));
    assert_true(found && position == 2);
    EXPECT_OK(sk_lacking_is(archive(world), 1, 0, &found, &sk_test_err));
    assert_false(found);
    result = sk_world_import(world, 0, "good");
    sk_item_clear(&item);
    EXPECT_OK(sk_item_get(archive(world), 1, &id, &item, &sk_test_err));
    assert_string_equal(item.title, "as it is");
    EXPECT_OK(sk_lacking_newest(archive(world), &item, &position, &found, &sk_test_err));
    assert_false(found);
}

/* What is lacking says which log this one continues. When it comes, what was withdrawn here goes
 * there as well. */
static void a_continuation_that_is_lacking(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    uint8_t expected[32], now[32];
    bool is = false;
    sk_world_pair(world);
    struct sk_id gone = sk_test_add(device(world), SK_TYPE_SOURCE, "withdrawn by the heir");
    for (unsigned i = 0; i < 800; i++)
        (void)sk_test_add(device(world), SK_TYPE_SOURCE, "one of many");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    sk_test_withdraw(world->device[1].store, &gone);
    (void)sk_world_export(world, 1, "good");
    sk_lineage_import(world, "old");
    reference(world, expected);
    static const size_t chunks[] = {3}; /* its entries end before, its first frame behind */
    write_damaged(world, "bad", chunks, 1);
    EXPECT_OK(salvage(world, "bad", NULL, &result));
    sk_import_result_clear(&result);
    EXPECT_OK(sk_lacking_is(archive(world), 2, 0, &is, &sk_test_err));
    assert_true(is);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM kin"), 0);
    sk_world_verify(archive(world));
    result = sk_world_import(world, 0, "good");
    sk_import_result_clear(&result);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM item WHERE erased"), 2);
    sk_world_meaning(archive(world), now);
    assert_memory_equal(now, expected, sizeof(now));
    sk_world_verify(archive(world));
}

/* ---- what it does not do ---- */

static void an_intact_bundle_is_imported(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    uint8_t expected[32], now[32];
    make_mixed(world);
    reference(world, expected);
    EXPECT_OK(salvage(world, "good", NULL, &result));
    assert_false(result.salvaged);
    sk_import_result_clear(&result);
    sk_world_meaning(archive(world), now);
    assert_memory_equal(now, expected, sizeof(now));
    EXPECT_OK(salvage(world, "good", NULL, &result));
    assert_true(result.known_file);
    sk_import_result_clear(&result);
    sk_test_flip(sk_world_path(world, "good"), 3 * CHUNK);
    EXPECT(SK_REFUSED, salvage(world, "good", NULL, &result)); /* the index is spent */
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
    attach(world, &id, 300000);
    (void)sk_world_export(world, 0, "unseen");
    /* One index apart, so that the ratchet does not hide it. */
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "more"), 0, NULL, &sent, &sk_test_err));
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "good"), 0, NULL, &sent, &sk_test_err));
    EXPECT_OK(sk_export(world->device[1].store, sk_world_path(world, "other"), 0, NULL, &sent,
                        &sk_test_err));
    (void)sk_world_import(world, 0, "other");
    write_damaged(world, "bad", chunks, 1);
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
    make_mixed(world);
    reference(world, expected);
    calls.pread = failing_pread;
    bad_from = 9 * CHUNK + 512;
    bad_to = bad_from + 512;
    sk_test_close(&world->archive[0]);
    sk_test_close(&world->device[0]);
    sk_file_use_calls(&calls);
    sk_test_open(&world->archive[0]);
    enum sk_status plain =
        sk_import(archive(world), sk_world_path(world, "good"), NULL, NULL, &result, &sk_test_err);
    enum sk_status status = salvage(world, "good", NULL, &result);
    /* Where the entries cannot be read, that is said, and nothing of damage. */
    struct sk_import_result nothing;
    bad_from = CHUNK;
    bad_to = CHUNK + 512;
    enum sk_status unread = salvage(world, "good", NULL, &nothing);
    assert_null(strstr(sk_test_err.text, "damaged"));
    sk_test_close(&world->archive[0]);
    sk_file_use_calls(NULL);
    sk_test_open(&world->archive[0]);
    sk_test_open(&world->device[0]);
    assert_int_equal(plain, SK_IO);
    assert_int_equal(unread, SK_IO);
    EXPECT_OK(status);
    assert_true(result.salvaged && result.payloads > 0);
    assert_true(result.payloads < payloads(device(world)));
    sk_import_result_clear(&result);
    complete(world, expected);
}

/* ---- through the worker ---- */

static void the_worker_finds_the_same(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    uint8_t here[32], by[32], expected[32];
    size_t len = 0;
    make_mixed(world);
    reference(world, expected);
    free(sk_test_read(sk_world_path(world, "good"), &len));
    const size_t step = sk_test_effort(9, 4, 1);
    for (size_t chunk = 1; chunk < len / CHUNK; chunk += step) {
        write_damaged(world, "bad", &chunk, 1);
        enum sk_status status = salvage(world, "bad", NULL, &result);
        sk_import_result_clear(&result);
        sk_world_meaning(archive(world), here);
        put_back(world);
        EXPECT(status, salvage(world, "bad", &real, &result));
        if (status != SK_OK)
            assert_non_null(strstr(sk_test_err.text, "nothing of it can be kept"));
        sk_import_result_clear(&result);
        sk_world_meaning(archive(world), by);
        assert_memory_equal(here, by, sizeof(here));
        complete(world, expected);
        put_back(world);
    }
}

/* A worker that says that something is lost, where it was not asked to look for that. */
static void a_worker_that_lies(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    static const size_t chunks[] = {5};
    make_mixed(world);
    save(world);
    write_damaged(world, "bad", chunks, 1);
    for (unsigned n = 0; n < sk_test_effort(8, 40, 400); n++) {
        char name[32];
        const struct sk_worker liar = {name, 200};
        (void)snprintf(name, sizeof(name), "liar-%u", n * n * 37 % 60000);
        enum sk_status status = salvage(world, "bad", &liar, &result);
        if (status == SK_OK)
            sk_import_result_clear(&result);
        sk_world_verify(archive(world));
        put_back(world);
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
        TEST(two_copies_make_one),
        TEST(what_is_lost_is_asked_for),
        TEST(what_was_erased_before),
        TEST(behind_a_gap),
        TEST(an_older_revision_is_shown),
        TEST(a_continuation_that_is_lacking),
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
