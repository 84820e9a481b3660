/*
 * Goal of this test: a bundle that its device sealed and signed, and that lies inside, changes
 * nothing, whatever it lies about.
 */
#include "crypto/bytes.h"
#include "sync/frames.h"
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

static void add(struct sk_store *store, const char *title)
{
    (void)sk_test_add(store, SK_TYPE_SOURCE, title);
}

static void wrong_root(struct sk_store *store, struct sk_manifest *m)
{
    struct sk_merkle tree;
    sk_merkle_init(&tree);
    for (uint64_t i = 0; i < m->n1; i++)
        sk_merkle_append(&tree, m->root);
    sk_merkle_root(&tree, m->root);
    EXPECT_OK(sk_log_sign_note(store, m->note, &tree, &sk_test_err));
}

static void root_without_note(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->root[0] ^= 1;
}

static void other_archive(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->recipients[0][5] ^= 1;
}

static void other_file(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->header_hashes[0][0] ^= 1;
}

static void other_set(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->set_id[0] ^= 1;
}

static void other_key(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->sign_public[0] ^= 1;
}

static void other_log(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->dh_public[0] ^= 1; /* another log id: the note names the old one */
}

static void more_payloads(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->payload_count++;
}

static void fewer_payloads(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->payload_count--;
}

static void more_bytes(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->plain_bytes++;
}

static void fewer_bytes(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->plain_bytes--;
}

static void other_indices(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->indices_hash[0] ^= 1;
}

static void volumes(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->n = 2;
}

static void spoil_entry(uint64_t offset, uint8_t *bytes, size_t len)
{
    if (offset == SK_ENTRY_LEN)
        bytes[len - 1] ^= 1;
}

static void lies_are_refused(void **state)
{
    struct sk_world *world = *state;
    static const struct {
        const char *name;
        sk_forge_manifest_fn *change;
        enum sk_status status;
    } lies[] = {
        {"l1", wrong_root, SK_DAMAGED},     {"l2", root_without_note, SK_DAMAGED},
        {"l3", other_archive, SK_REFUSED},  {"l4", other_file, SK_DAMAGED},
        {"l5", other_set, SK_DAMAGED},      {"l6", other_key, SK_DAMAGED},
        {"l7", other_log, SK_DAMAGED},      {"l8", more_payloads, SK_DAMAGED},
        {"l9", fewer_payloads, SK_DAMAGED}, {"l10", more_bytes, SK_DAMAGED},
        {"l11", fewer_bytes, SK_DAMAGED},   {"l12", other_indices, SK_DAMAGED},
        {"l13", volumes, SK_CONFIG},
    };
    sk_world_pair(world);
    for (unsigned i = 0; i < 3; i++)
        add(device(world), "entry");
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "withdrawn");
    (void)sk_test_withdraw(device(world), &id); /* two entries without payload */
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        sk_world_forge(world, 0, lies[i].name, lies[i].change, NULL);
        sk_world_import_fails(world, 0, lies[i].name, lies[i].status, NULL, true);
    }
    sk_world_forge(world, 0, "entry", NULL, spoil_entry);
    sk_world_import_fails(world, 0, "entry", SK_DAMAGED, "entries are not those", true);
    sk_world_forge(world, 0, "honest", NULL, NULL);
    struct sk_import_result result = sk_world_import(world, 0, "honest");
    assert_int_equal(result.entries_new, 5);
    sk_world_verify(archive(world));
}

/* The same lies about a log that goes to quarantine: it is verified before it is kept. */
static void lies_do_not_reach_quarantine(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    add(device(world), "one");
    add(device(world), "two");
    (void)sk_world_export(world, 0, "b1");
    (void)sk_world_import(world, 0, "b1");
    sk_test_sql(archive(world), "UPDATE log SET state = 3");
    sk_world_forge(world, 0, "l1", wrong_root, NULL);
    sk_world_import_fails(world, 0, "l1", SK_DAMAGED, NULL, true);
    sk_world_forge(world, 0, "l2", more_bytes, NULL);
    sk_world_import_fails(world, 0, "l2", SK_DAMAGED, NULL, true);
    sk_world_forge(world, 0, "l3", NULL, spoil_entry);
    sk_world_import_fails(world, 0, "l3", SK_DAMAGED, NULL, true);
    sk_world_forge(world, 0, "honest", NULL, NULL);
    struct sk_import_result result = sk_world_import(world, 0, "honest");
    assert_true(result.waiting);
    assert_int_equal(result.quarantined, 2);
}

/* A device that sends another text than it has signed. */
static void a_lying_commitment_is_refused(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    struct sk_export_result sent;
    sk_world_pair(world);
    add(device(world), "honest");
    sk_test_sql(device(world), "CREATE TEMP TABLE saved AS SELECT * FROM payload");
    sk_test_sql(device(world),
                "UPDATE payload SET text = CAST(replace(CAST(text AS TEXT), 'honest', 'Honest') "
                "AS BLOB)");
    (void)sk_world_export(world, 0, "b1");
    sk_world_import_fails(world, 0, "b1", SK_DAMAGED, "commits to", true);
    sk_test_sql(device(world), "UPDATE payload SET text = (SELECT text FROM saved),"
                               " salt = zeroblob(32)");
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "b2"), 0, NULL, &sent, &sk_test_err));
    sk_world_import_fails(world, 0, "b2", SK_DAMAGED, "commits to", true);
    sk_test_sql(device(world), "UPDATE payload SET salt = (SELECT salt FROM saved)");
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "b3"), 0, NULL, &sent, &sk_test_err));
    result = sk_world_import(world, 0, "b3");
    assert_int_equal(result.entries_new, 1);
}

/* The body is streamed to a media file before its last block is known to be right. */
static void a_lying_body_leaves_nothing(void **state)
{
    struct sk_world *world = *state;
    struct sk_id attachment;
    sk_world_pair(world);
    sk_test_write(sk_world_path(world, "film"), 3 * 1024 * 1024);
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "with a film");
    sk_auto_item item = sk_test_item(device(world), &id);
    EXPECT_OK(sk_attachment_add(device(world), &item, sk_world_path(world, "film"), NULL,
                                &attachment, &sk_test_err));
    /* The last block's hash, in the head as in the commitment: it is the block that differs. */
    sk_test_sql(device(world), "UPDATE payload SET hashes = "
                               "CAST(substr(hashes, 1, length(hashes) - 32) || randomblob(32) AS "
                               "BLOB) WHERE body_len > 0");
    (void)sk_world_export(world, 0, "b1");
    sk_world_import_fails(world, 0, "b1", SK_DAMAGED, "commits to", true);
}

/* The device signs another SHA-256 than that of the bytes: kept and marked, never shown, and no
 * damage that `verify` would tell of for ever. */
static void a_lying_description_is_marked(void **state)
{
    struct sk_world *world = *state;
    struct sk_entry entry = {.type = SK_TYPE_ATTACHMENT, .day = 1, .revision = 1};
    struct sk_import_result result;
    static const char text[] =
        "{\"recorded\":\"2026-01-02T03:04:05+00:00\",\"record\":"
        "\"01010101010101010101010101010101\",\"name\":\"a\",\"type\":\"text/plain\",\"size\":0,"
        "\"sha256\":\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"}";
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    struct sk_store *txn = NULL;
    uint8_t hash[SK_HASH_LEN];
    bool malformed = true;
    sk_world_pair(world);
    sk_id_random(&entry.id);
    EXPECT_OK(sk_buf_add_text(&payload.text, text, &sk_test_err));
    sk_block_hash(hash, payload.salt, 0, text, strlen(text));
    EXPECT_OK(sk_buf_add(&payload.hashes, hash, sizeof(hash), &sk_test_err));
    sk_commitment(entry.commitment, &entry.id, 1, payload.salt, strlen(text), 0, hash);
    EXPECT_OK(sk_store_begin(&txn, device(world), &sk_test_err));
    EXPECT_OK(
        sk_item_put(device(world), SK_LOG_OWN, 0, &entry, &payload, &malformed, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_false(malformed);
    (void)sk_world_export(world, 0, "b1");
    result = sk_world_import(world, 0, "b1");
    assert_int_equal(result.quarantined, 1);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM attachment"), 0);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM payload"), 1);
    sk_world_verify(archive(world));
}

/* And a true one is not. */
static void a_true_description_is_shown(void **state)
{
    struct sk_world *world = *state;
    struct sk_id attachment;
    struct sk_import_result result;
    sk_world_pair(world);
    sk_test_write(sk_world_path(world, "film"), 1000);
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "with a film");
    sk_auto_item item = sk_test_item(device(world), &id);
    EXPECT_OK(sk_attachment_add(device(world), &item, sk_world_path(world, "film"), NULL,
                                &attachment, &sk_test_err));
    (void)sk_world_export(world, 0, "b1");
    result = sk_world_import(world, 0, "b1");
    assert_int_equal(result.quarantined, 0);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM attachment"), 1);
    sk_world_verify(archive(world));
}

/* ---- inner streams that are no bundle ---- */

struct inner {
    const char *name;
    uint32_t len; /* announced */
    const char *bytes;
    enum sk_status status;
};

static void write_inner(const void *context, struct sk_store *store,
                        const struct sk_export_plan *plan, struct sk_manifest *manifest,
                        struct sk_sink sink)
{
    const struct inner *inner = context;
    uint8_t len[4];
    (void)store;
    (void)plan;
    (void)manifest;
    sk_put_u32(len, inner->len);
    EXPECT_OK(sk_sink_write(&sink, len, sizeof(len), &sk_test_err));
    EXPECT_OK(sk_sink_write(&sink, inner->bytes, strlen(inner->bytes), &sk_test_err));
}

static void an_inner_stream_without_manifest_is_refused(void **state)
{
    struct sk_world *world = *state;
    static const struct inner inners[] = {
        {"n1", 0, "", SK_LIMIT},
        {"n2", SK_MANIFEST_MAX + 1, "x", SK_LIMIT},
        {"n3", UINT32_MAX, "", SK_LIMIT},
        {"n4", SK_MANIFEST_MAX, "", SK_DAMAGED},
        {"n5", 1, "\1", SK_DAMAGED},
        {"n6", 18, "skrynia receipt 1\n", SK_CONFIG}, /* its first letters as a version */
    };
    sk_world_pair(world);
    add(device(world), "one");
    for (size_t i = 0; i < sizeof(inners) / sizeof(inners[0]); i++) {
        sk_world_forge_stream(world, 0, inners[i].name, write_inner, &inners[i]);
        sk_world_import_fails(world, 0, inners[i].name, inners[i].status, NULL, true);
    }
}

/* An honest manifest and honest entries, and one payload under another number. */
static void write_payload_of(const void *context, struct sk_store *store,
                             const struct sk_export_plan *plan, struct sk_manifest *manifest,
                             struct sk_sink sink)
{
    const uint32_t *index = context;
    sk_auto_buf encoded = SK_BUF_INIT;
    struct sk_frames_writer *frames = NULL;
    struct sk_payload_head head = {.index = *index, .text_len = 1};
    uint8_t len[4];
    uint8_t signature[SK_SIGNATURE_LEN];
    uint8_t hash[SK_HASH_LEN];
    EXPECT_OK(sk_manifest_encode(&encoded, manifest, &sk_test_err));
    sk_manifest_sign(store, signature, encoded.bytes, encoded.len);
    sk_put_u32(len, (uint32_t)encoded.len);
    EXPECT_OK(sk_sink_write(&sink, len, sizeof(len), &sk_test_err));
    EXPECT_OK(sk_sink_write(&sink, encoded.bytes, encoded.len, &sk_test_err));
    EXPECT_OK(sk_sink_write(&sink, signature, sizeof(signature), &sk_test_err));
    for (uint64_t i = plan->n0; i < plan->n1; i++) {
        uint8_t bytes[SK_ENTRY_LEN];
        bool found = false;
        EXPECT_OK(sk_log_entry(store, SK_LOG_OWN, i, bytes, &found, &sk_test_err));
        EXPECT_OK(sk_sink_write(&sink, bytes, sizeof(bytes), &sk_test_err));
    }
    sk_block_hash(hash, head.salt, 0, "x", 1);
    EXPECT_OK(sk_frames_writer_new(&frames, sink, SK_EFFORT_FAST, &sk_test_err));
    EXPECT_OK(sk_frames_begin(frames, &head, hash, &sk_test_err));
    EXPECT_OK(sk_frames_write(frames, "x", 1, &sk_test_err));
    EXPECT_OK(sk_frames_finish(frames, &sk_test_err));
    sk_frames_writer_free(frames);
}

static void a_payload_has_an_entry(void **state)
{
    struct sk_world *world = *state;
    static const struct {
        const char *name;
        uint32_t index;
        const char *words;
    } payloads[] = {{"p1", 2, "belongs to no entry"},
                    {"p2", UINT32_MAX, "belongs to no entry"},
                    {"p3", 1, "what its entry commits to"}};
    sk_world_pair(world);
    add(device(world), "one");
    add(device(world), "two");
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        sk_world_forge_stream(world, 0, payloads[i].name, write_payload_of, &payloads[i].index);
        sk_world_import_fails(world, 0, payloads[i].name, SK_DAMAGED, payloads[i].words, true);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(lies_are_refused),
        TEST(lies_do_not_reach_quarantine),
        TEST(a_lying_commitment_is_refused),
        TEST(a_lying_body_leaves_nothing),
        TEST(a_lying_description_is_marked),
        TEST(a_true_description_is_shown),
        TEST(an_inner_stream_without_manifest_is_refused),
        TEST(a_payload_has_an_entry),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
