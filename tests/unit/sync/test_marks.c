/*
 * Goal of this test: what an archive shows of a device that signs strange things (two types under
 * one id, revisions that do not follow each other, texts that are none) depends on what it holds
 * and not on the order in which it came; and what is withdrawn leaves no words in a list either.
 */
#include "core/continuation.h"
#include "crypto/secret.h"
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES_MAX 4

static const char empty_sha256[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char other_sha256[] =
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/* ---- entries ---- */

/* One of a row of entries under one id. */
struct strange {
    unsigned type;     /* 0: the row ends */
    uint32_t revision; /* 0: its place in the row, from 1 */
    bool astray;       /* it names another revision before it */
    bool lie;          /* no text; of an attachment, not the SHA-256 of its bytes */
    unsigned erases;   /* of an erasure */
};

static void continuation_text(char *out, size_t room)
{
    struct sk_continuation c = {.size = 3};
    uint8_t seed[SK_SIGN_SEED_LEN];
    char hex[6][2 * SK_SIGNATURE_LEN + 1];
    sk_random(seed, sizeof(seed));
    sk_random(c.log_id, sizeof(c.log_id));
    sk_random(c.dh_public, sizeof(c.dh_public));
    sk_random(c.root, sizeof(c.root));
    sk_sign_public(c.sign_public, seed);
    sk_log_id(c.old_id, c.sign_public, c.dh_public);
    sk_continuation_sign(&c, seed);
    sk_hex(hex[0], c.log_id, SK_HASH_LEN);
    sk_hex(hex[1], c.old_id, SK_HASH_LEN);
    sk_hex(hex[2], c.sign_public, SK_HASH_LEN);
    sk_hex(hex[3], c.dh_public, SK_HASH_LEN);
    sk_hex(hex[4], c.root, SK_HASH_LEN);
    sk_hex(hex[5], c.signature, SK_SIGNATURE_LEN);
    (void)snprintf(out, room,
                   "{\"recorded\":\"2026-01-02T03:04:05+00:00\",\"log\":\"%s\",\"continues\":"
                   "\"%s\",\"sign\":\"%s\",\"dh\":\"%s\",\"size\":3,\"root\":\"%s\","
                   "\"signature\":\"%s\"}",
                   hex[0], hex[1], hex[2], hex[3], hex[4], hex[5]);
}

static void text_of(const struct strange *strange, unsigned n, char *out, size_t room)
{
    static const char head[] = "{\"recorded\":\"2026-01-02T03:04:05+00:00\"";
    static const char some[] = "01010101010101010101010101010101";
    if (strange->type == SK_TYPE_ATTACHMENT)
        (void)snprintf(out, room,
                       "%s,\"record\":\"%s\",\"name\":\"word%u\",\"type\":\"text/plain\","
                       "\"size\":0,\"sha256\":\"%s\"}",
                       head, some, n, strange->lie ? other_sha256 : empty_sha256);
    else if (strange->type == SK_TYPE_CONTINUATION)
        continuation_text(out, room);
    else if (strange->type == SK_TYPE_LINK)
        (void)snprintf(out, room, "%s,\"source\":\"%s\",\"target\":\"%s\",\"role\":\"word%u\"}",
                       head, some, some, n);
    else
        (void)snprintf(out, room,
                       "%s,\"form\":\"%s\",\"version\":1,\"fields\":{\"title\":\"word%u\"%s}}",
                       head, sk_type_name(strange->type), n, strange->lie ? ",\"secret\":1" : "");
}

/* Puts the n-th at the end of the device's log, and sends it in a bundle of its own. */
static void put(struct sk_world *world, const struct strange *strange, unsigned n,
                struct sk_entry *entry, uint8_t bytes[static SK_ENTRY_LEN])
{
    struct sk_store *device = world->device[0].store;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    struct sk_store *txn = NULL;
    struct sk_log log;
    char text[2000];
    char name[8];
    uint8_t hash[SK_HASH_LEN];
    bool erasure = strange->type == SK_TYPE_ERASURE;
    sk_entry_name(entry->previous, bytes);
    entry->type = (uint16_t)strange->type;
    entry->flags = strange->erases;
    entry->revision = strange->revision ? strange->revision : n + 1;
    if (entry->revision == 1)
        memset(entry->previous, 0, sizeof(entry->previous));
    if (strange->astray)
        entry->previous[0] ^= 1;
    text_of(strange, n, text, sizeof(text));
    sk_random(payload.salt, sizeof(payload.salt));
    EXPECT_OK(sk_buf_add_text(&payload.text, text, &sk_test_err));
    sk_block_hash(hash, payload.salt, 0, text, strlen(text));
    EXPECT_OK(sk_buf_add(&payload.hashes, hash, sizeof(hash), &sk_test_err));
    sk_commitment(entry->commitment, &entry->id, entry->revision, payload.salt, strlen(text), 0,
                  hash);
    if (erasure)
        memset(entry->commitment, 0, sizeof(entry->commitment));
    sk_entry_encode(bytes, entry);
    EXPECT_OK(sk_log_get(device, SK_LOG_OWN, &log, &sk_test_err));
    EXPECT_OK(sk_store_begin(&txn, device, &sk_test_err));
    EXPECT_OK(sk_item_put(device, SK_LOG_OWN, log.size, entry, erasure ? NULL : &payload, NULL,
                          &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    (void)snprintf(name, sizeof(name), "b%u", n);
    (void)sk_world_export(world, 0, name);
}

/* ---- orders ---- */

/* The n-th permutation of `count` things. */
static void permutation(unsigned n, unsigned count, unsigned out[static ENTRIES_MAX])
{
    for (unsigned i = 0; i < count; i++) {
        unsigned at = n % (i + 1);
        n /= i + 1;
        out[i] = out[at];
        out[at] = i;
    }
}

/* A new archive, as it was before anything came. */
static void begin_again(struct sk_world *world)
{
    struct sk_test_store *at = &world->archive[0];
    sk_test_close(at);
    sk_world_copy(sk_world_path(world, "fresh"), at->path);
    sk_test_open(at);
}

static void import_in_order(struct sk_world *world, const unsigned *order, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "b%u", order[i]);
        struct sk_import_result result = sk_world_import(world, 0, name);
        assert_true(result.quarantined <= count);
        sk_import_result_clear(&result);
    }
    sk_world_verify(world->archive[0].store);
}

/* Whatever order a row comes in, the archive has the same; returns the number of its marks. */
static int64_t every_order(struct sk_world *world, const struct strange *row)
{
    struct sk_store **archive = &world->archive[0].store;
    struct sk_entry entry = {.day = 1};
    uint8_t bytes[SK_ENTRY_LEN] = {0};
    uint8_t first[32];
    unsigned count = 0;
    unsigned orders = 1;
    sk_world_pair(world);
    sk_test_close(&world->archive[0]);
    sk_world_copy(world->archive[0].path, sk_world_path(world, "fresh"));
    sk_test_open(&world->archive[0]);
    sk_id_random(&entry.id);
    for (; count < ENTRIES_MAX && row[count].type; count++) {
        put(world, &row[count], count, &entry, bytes);
        orders *= count + 1;
    }
    for (unsigned n = 0; n < orders; n++) {
        unsigned order[ENTRIES_MAX] = {0};
        uint8_t meaning[32];
        permutation(orders - 1 - n, count, order); /* the last one is that of the log */
        begin_again(world);
        import_in_order(world, order, count);
        sk_world_meaning(*archive, meaning);
        if (n == 0)
            memcpy(first, meaning, sizeof(first));
        if (memcmp(first, meaning, sizeof(first)) != 0)
            fail_msg("another order (%u) makes another archive", n);
    }
    return sk_test_sql_int(*archive, "SELECT count(*) FROM malformed");
}

#define FOUND(word) "SELECT count(*) FROM search WHERE search MATCH '" word "'"

/* ---- two types under one id ---- */

static void two_kinds_of_record(void **state)
{
    const struct strange row[ENTRIES_MAX] = {{.type = SK_TYPE_SOURCE}, {.type = SK_TYPE_CASE}};
    struct sk_world *world = *state;
    assert_int_equal(every_order(world, row), 1);
    assert_int_equal(sk_test_sql_int(world->archive[0].store, FOUND("word0")), 1);
    assert_int_equal(sk_test_sql_int(world->archive[0].store, FOUND("word1")), 0);
    assert_int_equal(sk_test_sql_int(world->archive[0].store, "SELECT type FROM item"),
                     SK_TYPE_SOURCE);
}

static void three_turns(void **state)
{
    const struct strange row[ENTRIES_MAX] = {{.type = SK_TYPE_SOURCE},
                                             {.type = SK_TYPE_CASE},
                                             {.type = SK_TYPE_LINK},
                                             {.type = SK_TYPE_SOURCE}};
    struct sk_world *world = *state;
    assert_int_equal(every_order(world, row), 2);
    assert_int_equal(sk_test_sql_int(world->archive[0].store, FOUND("word3")), 1);
    assert_int_equal(sk_test_sql_int(world->archive[0].store, "SELECT count(*) FROM link"), 0);
}

static void a_link_first(void **state)
{
    const struct strange row[ENTRIES_MAX] = {{.type = SK_TYPE_LINK}, {.type = SK_TYPE_CASE}};
    struct sk_world *world = *state;
    assert_int_equal(every_order(world, row), 1);
    assert_int_equal(sk_test_sql_int(world->archive[0].store, "SELECT count(*) FROM link"), 1);
}

static void an_attachment_first(void **state)
{
    const struct strange row[ENTRIES_MAX] = {{.type = SK_TYPE_ATTACHMENT},
                                             {.type = SK_TYPE_CASE},
                                             {.type = SK_TYPE_ATTACHMENT, .lie = true}};
    struct sk_world *world = *state;
    assert_int_equal(every_order(world, row), 2);
    assert_int_equal(sk_test_sql_int(world->archive[0].store, "SELECT count(*) FROM attachment"),
                     1);
}

static void a_continuation_behind_a_record(void **state)
{
    const struct strange row[ENTRIES_MAX] = {{.type = SK_TYPE_CASE},
                                             {.type = SK_TYPE_CONTINUATION}};
    struct sk_world *world = *state;
    assert_int_equal(every_order(world, row), 1);
    assert_int_equal(sk_test_sql_int(world->archive[0].store, "SELECT count(*) FROM continuation"),
                     0);
}

static void withdrawn_under_another_type(void **state)
{
    const struct strange row[ENTRIES_MAX] = {{.type = SK_TYPE_LINK},
                                             {.type = SK_TYPE_CASE},
                                             {.type = SK_TYPE_ERASURE, .erases = SK_TYPE_CASE}};
    struct sk_world *world = *state;
    assert_int_equal(every_order(world, row), 0);
    assert_int_equal(sk_test_sql_int(world->archive[0].store, "SELECT count(*) FROM payload"), 0);
}

/* ---- revisions that do not follow each other ---- */

/* The third one says it follows the first; between them is another that is not the one before it.
 */
static void a_gap_that_closes_takes_the_mark_away(void **state)
{
    const struct strange row[ENTRIES_MAX] = {{.type = SK_TYPE_CASE},
                                             {.type = SK_TYPE_CASE, .revision = 5},
                                             {.type = SK_TYPE_CASE, .revision = 2, .astray = true}};
    assert_int_equal(every_order(*state, row), 0);
}

static void one_that_is_astray_is_marked(void **state)
{
    const struct strange row[ENTRIES_MAX] = {
        {.type = SK_TYPE_CASE}, {.type = SK_TYPE_CASE, .astray = true}, {.type = SK_TYPE_CASE}};
    assert_int_equal(every_order(*state, row), 1);
}

/* ---- withdrawn ---- */

static void a_text_that_is_none_is_withdrawn(void **state)
{
    const struct strange row[ENTRIES_MAX] = {{.type = SK_TYPE_CASE, .lie = true},
                                             {.type = SK_TYPE_ERASURE, .erases = SK_TYPE_CASE}};
    assert_int_equal(every_order(*state, row), 0);
}

/* What is left to say of it does not come from its text. */
static void one_that_is_astray_too(void **state)
{
    const struct strange row[ENTRIES_MAX] = {{.type = SK_TYPE_CASE},
                                             {.type = SK_TYPE_CASE, .astray = true, .lie = true},
                                             {.type = SK_TYPE_ERASURE, .erases = SK_TYPE_CASE}};
    struct sk_world *world = *state;
    assert_int_equal(every_order(world, row), 1);
    assert_int_equal(
        sk_test_sql_int(world->archive[0].store,
                        "SELECT count(*) FROM malformed WHERE instr(reason, 'follow')"),
        1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(two_kinds_of_record),
        TEST(three_turns),
        TEST(a_link_first),
        TEST(an_attachment_first),
        TEST(a_continuation_behind_a_record),
        TEST(withdrawn_under_another_type),
        TEST(a_gap_that_closes_takes_the_mark_away),
        TEST(one_that_is_astray_is_marked),
        TEST(a_text_that_is_none_is_withdrawn),
        TEST(one_that_is_astray_too),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
