#include "tests/support/exchange.h"

#include "core/file.h"
#include "core/text.h"
#include "core/verify.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "sync/deliver.h"
#include "sync/invite_parts.h"
#include "sync/peer.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* ---- the world ---- */

int sk_world_setup(void **state)
{
    struct sk_world *world = calloc(1, sizeof(*world));
    if (!world)
        return -1;
    *state = world;
    world->dir = sk_temp_dir_make();
    return 0;
}

static void end_close(struct sk_test_store *end)
{
    sk_ignore(sk_store_close(end->store, NULL));
    free(end->path);
}

int sk_world_teardown(void **state)
{
    struct sk_world *world = *state;
    for (unsigned i = 0; i < SK_WORLD_ENDS; i++) {
        end_close(&world->device[i]);
        end_close(&world->archive[i]);
    }
    sk_temp_dir_remove(world->dir);
    free(world);
    if (sk_secret_live_count() != 0)
        print_error("%zu secrets are left\n", sk_secret_live_count());
    return sk_secret_live_count() ? -1 : 0;
}

static void end_make(struct sk_world *world, struct sk_test_store *end, const char *word,
                     unsigned n, enum sk_store_kind kind)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%s%u", word, n);
    end->dir = world->dir;
    end->kind = kind;
    end->path = sk_temp_path(world->dir, name);
    end->store = sk_test_make(end->path, kind);
}

void sk_world_devices(struct sk_world *world, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        end_make(world, &world->device[i], "device", i, SK_STORE_DEVICE);
}

void sk_world_archives(struct sk_world *world, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        end_make(world, &world->archive[i], "archive", i, SK_STORE_ARCHIVE);
}

void sk_world_pair(struct sk_world *world)
{
    sk_world_devices(world, 1);
    sk_world_archives(world, 1);
    sk_world_invite(world, 0, "lark", "invite");
    sk_world_accept(world, 0, "invite");
}

void sk_world_invite(struct sk_world *world, unsigned archive, const char *alias, const char *name)
{
    struct sk_store *store = world->archive[archive].store;
    uint8_t content[SK_INVITE_PLAIN_LEN];
    struct sk_invite invite = {.alias = ""};
    int64_t peer = 0;
    sk_invite_fill(&invite, store, alias);
    sk_invite_encode(content, &invite, sk_invite_seed(store));
    sk_temp_write(sk_world_path(world, name), content, sizeof(content));
    EXPECT_OK(sk_invite_add_device(store, &invite, &peer, &sk_test_err));
}

void sk_world_accept(struct sk_world *world, unsigned device, const char *name)
{
    struct sk_invite invite;
    size_t len = 0;
    uint8_t *content = sk_test_read(sk_world_path(world, name), &len);
    assert_int_equal(len, SK_INVITE_PLAIN_LEN);
    EXPECT_OK(sk_invite_decode(&invite, content, &sk_test_err));
    EXPECT_OK(sk_invite_add_archive(world->device[device].store, &invite, &sk_test_err));
    free(content);
}

const char *sk_world_path(const struct sk_world *world, const char *name)
{
    static char paths[16][512];
    static unsigned next;
    char *path = paths[next++ % 16];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", world->dir, name);
    return path;
}

struct copying {
    const char *from;
    const char *to;
};

static enum sk_status copy_file(void *context, const char *name, struct sk_error *err)
{
    const struct copying *copying = context;
    (void)err;
    if (strcmp(name, "media") == 0)
        return SK_OK;
    char *from = sk_temp_path(copying->from, name);
    char *to = sk_temp_path(copying->to, name);
    sk_temp_copy(from, to);
    free(from);
    free(to);
    return SK_OK;
}

void sk_world_copy(const char *from, const char *to)
{
    char *media_from = sk_temp_path(from, "media");
    char *media_to = sk_temp_path(to, "media");
    struct copying files = {from, to};
    struct copying media = {media_from, media_to};
    sk_dir_discard(to);
    EXPECT_OK(sk_dir_create(to, &sk_test_err));
    EXPECT_OK(sk_dir_create(media_to, &sk_test_err));
    EXPECT_OK(sk_dir_each(from, copy_file, &files, &sk_test_err));
    EXPECT_OK(sk_dir_each(media_from, copy_file, &media, &sk_test_err));
    free(media_from);
    free(media_to);
}

/* ---- the way ---- */

struct sk_export_result sk_world_export(struct sk_world *world, unsigned device, const char *name)
{
    struct sk_export_result result;
    EXPECT_OK(sk_export(world->device[device].store, sk_world_path(world, name), SK_EXPORT_NEW,
                        NULL, &result, &sk_test_err));
    assert_false(result.nothing);
    return result;
}

struct sk_import_result sk_world_import(struct sk_world *world, unsigned archive, const char *name)
{
    struct sk_import_result result;
    EXPECT_OK(sk_import(world->archive[archive].store, sk_world_path(world, name), NULL, NULL,
                        &result, &sk_test_err));
    return result;
}

void sk_world_import_fails(struct sk_world *world, unsigned archive, const char *name,
                           enum sk_status status, const char *words, bool same)
{
    struct sk_store *store = world->archive[archive].store;
    struct sk_import_result result;
    char *media = sk_temp_path(world->archive[archive].path, "media");
    unsigned files = sk_test_count_files(media);
    uint8_t before[32];
    uint8_t after[32];
    sk_world_dump(store, before);
    EXPECT(status, sk_import(store, sk_world_path(world, name), NULL, NULL, &result, &sk_test_err));
    if (words && !strstr(sk_test_err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", sk_test_err.text, words);
    sk_world_dump(store, after);
    if (same)
        assert_memory_equal(before, after, sizeof(before));
    assert_int_equal(sk_test_count_files(media), files);
    free(media);
}

struct sk_receipt_result sk_world_receipt(struct sk_world *world, unsigned archive, int64_t log,
                                          unsigned device, const char *name)
{
    struct sk_receipt_result result;
    char text[SK_CODE_LEN];
    EXPECT_OK(sk_receipt_write(world->archive[archive].store, log, sk_world_path(world, name), text,
                               &sk_test_err));
    EXPECT_OK(sk_receipt_take(world->device[device].store, sk_world_path(world, name), &result,
                              &sk_test_err));
    return result;
}

/* ---- what a store holds ---- */

/* Each gives one column of text. */
static const char *const dump_queries[] = {
    "SELECT key || quote(value) FROM meta ORDER BY key",
    "SELECT id || quote(log_id) || quote(sign_public) || quote(dh_public) || quote(alias) || state "
    "|| quote(peer) || '/' || size || quote(peaks) || quote(note) FROM log ORDER BY id",
    "SELECT log || '/' || level || '/' || idx || quote(hash) FROM node ORDER BY log, level, idx",
    "SELECT id || '/' || item || quote(bytes) FROM entry ORDER BY id",
    "SELECT id || quote(salt) || quote(hashes) || body_len || '/' || quote(media) || quote(text) "
    "FROM payload ORDER BY id",
    "SELECT id || quote(uid) || log || '/' || type || '/' || revision || '/' || entry || '/' || "
    "shown || '/' || erased || quote(title) FROM item ORDER BY id",
    "SELECT item || quote(source) || quote(role) || quote(target) FROM link ORDER BY item",
    "SELECT item || quote(record) || quote(name) || quote(type) || size || quote(sha256) "
    "FROM attachment ORDER BY item",
    "SELECT id || quote(name) || quote(key) || size FROM media ORDER BY id",
    "SELECT id || quote(block) FROM search_data ORDER BY id",
    "SELECT entry || quote(reason) FROM malformed ORDER BY entry",
    "SELECT entry || '' FROM lacking ORDER BY entry",
    "SELECT entry || quote(source) || quote(target) FROM purged ORDER BY entry",
    "SELECT log || '/' || peer || '/' || position || '/' || day FROM revoked ORDER BY log, peer",
    "SELECT peer || quote(name) || version || quote(hash) || offered || quote(text) FROM form "
    "ORDER BY peer, name",
    "SELECT entry || quote(hash) || quote(name) || version FROM form_entry ORDER BY entry",
    "SELECT entry || quote(hash) FROM form_use ORDER BY entry",
    "SELECT id || quote(key) || next FROM chain ORDER BY id",
    "SELECT chain || '/' || idx || quote(tag_key) || quote(mask_key) || quote(wrap_key) || "
    "quote(file_hash) || quote(header_hash) || quote(n0) FROM chain_index ORDER BY chain, idx",
    "SELECT id || quote(alias) || quote(archive_id) || quote(dh_public) || quote(sign_public) || "
    "send || '/' || receive || '/' || quote(log) || '/' || number || quote(exported) || "
    "quote(acknowledged) || quote(wanted) || quote(receipt) || quote(notice) FROM peer ORDER BY id",
    "SELECT peer || '/' || state || quote(dh_public) || quote(sign_public) FROM peer_key "
    "ORDER BY peer, state",
    "SELECT peer || '/' || log || '/' || number FROM key_known ORDER BY peer, log",
    "SELECT number || '/' || n0 || '/' || n1 || '/' || done FROM export ORDER BY number",
    "SELECT id || '/' || log || '/' || n0 || '/' || n1 || quote(peaks) || quote(note) || joined || "
    "'/' || number || quote(header_hash) FROM segment ORDER BY id",
    "SELECT id || '/' || log || '/' || peer || '/' || number || '/' || n0 || '/' || n1 || "
    "quote(reason) || quote(header_hash) || media FROM quarantine ORDER BY id",
};

/* The same, but for the numbers of rows, which follow the order of arrival. */
static const char *const meaning_queries[] = {
    "SELECT quote(log_id) || quote(alias) || state || '/' || size || quote(peaks) || quote(note) "
    "FROM log ORDER BY log_id",
    "SELECT log || '/' || level || '/' || idx || quote(hash) FROM node ORDER BY log, level, idx",
    "SELECT id || quote(bytes) FROM entry ORDER BY id",
    "SELECT id || quote(salt) || quote(hashes) || body_len || (media IS NULL) || quote(text) "
    "FROM payload ORDER BY id",
    "SELECT quote(uid) || log || '/' || type || '/' || revision || '/' || entry || '/' || shown || "
    "'/' || erased || quote(title) FROM item ORDER BY uid",
    "SELECT quote(uid) || quote(source) || quote(role) || quote(target) FROM link "
    "JOIN item ON item.id = link.item ORDER BY uid",
    "SELECT quote(uid) || quote(record) || quote(name) || quote(attachment.type) || size || "
    "quote(sha256) FROM attachment JOIN item ON item.id = attachment.item ORDER BY uid",
    "SELECT size FROM media ORDER BY size",
    "SELECT entry || quote(reason) FROM malformed ORDER BY entry",
    "SELECT entry || '' FROM lacking ORDER BY entry",
    "SELECT entry || quote(source) || quote(target) FROM purged ORDER BY entry",
    "SELECT log || '/' || position FROM revoked ORDER BY log, peer",
    "SELECT entry || quote(hash) || quote(name) || version FROM form_entry ORDER BY entry",
    "SELECT entry || quote(hash) FROM form_use ORDER BY entry",
    "SELECT n0 || '/' || n1 || quote(peaks) || quote(note) || joined FROM segment ORDER BY n0, n1",
};

static void hash_query(struct sk_store *store, const char *sql, struct sk_hash *hash)
{
    sk_auto_stmt stmt = NULL;
    EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt, sql, &sk_test_err));
    for (;;) {
        bool row = false;
        EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
        if (!row)
            return;
        const char *text = sk_column_text(stmt, 0);
        sk_hash_add(hash, text, strlen(text) + 1);
    }
}

static void hash_queries(struct sk_store *store, const char *const *queries, size_t count,
                         uint8_t out[static 32])
{
    struct sk_hash hash;
    sk_hash_init(&hash, NULL, SK_LABEL_FILE);
    for (size_t i = 0; i < count; i++)
        hash_query(store, queries[i], &hash);
    sk_hash_end(&hash, out);
}

void sk_world_dump(struct sk_store *store, uint8_t out[static 32])
{
    hash_queries(store, dump_queries, sizeof(dump_queries) / sizeof(dump_queries[0]), out);
}

void sk_world_meaning(struct sk_store *store, uint8_t out[static 32])
{
    hash_queries(store, meaning_queries, sizeof(meaning_queries) / sizeof(meaning_queries[0]), out);
}

const char *sk_world_ranges(const struct sk_ranges *ranges)
{
    static char texts[8][256];
    static unsigned next;
    char *text = texts[next++ % 8];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < ranges->count; i++)
        at += (size_t)snprintf(text + at, sizeof(texts[0]) - at, "%s%llu-%llu", i ? " " : "",
                               (unsigned long long)ranges->items[i].from,
                               (unsigned long long)ranges->items[i].to);
    return text;
}

struct telling {
    unsigned wanted;
    unsigned count;
    char text[600];
};

static enum sk_status tell_status(void *context, const struct sk_archive_status *status,
                                  struct sk_error *err)
{
    struct telling *telling = context;
    (void)err;
    if (telling->count++ == telling->wanted)
        (void)snprintf(telling->text, sizeof(telling->text), "%s|%s|%s|%s",
                       sk_world_ranges(status->acknowledged), sk_world_ranges(status->exported),
                       sk_world_ranges(status->unexported), sk_world_ranges(status->wanted));
    return SK_OK;
}

const char *sk_world_status(struct sk_store *store, unsigned n)
{
    static struct telling telling;
    telling = (struct telling){.wanted = n};
    EXPECT_OK(sk_status_each(store, tell_status, &telling, &sk_test_err));
    assert_true(telling.count > n);
    return telling.text;
}

static void report_problem(void *context, const char *sentence)
{
    ++*(unsigned *)context;
    print_error("verify: %s\n", sentence);
}

void sk_world_verify(struct sk_store *store)
{
    unsigned problems = 0;
    EXPECT_OK(sk_verify(store, report_problem, &problems, NULL, &sk_test_err));
    assert_int_equal(problems, 0);
}

/* ---- the hostile device ---- */

struct spoiling {
    struct sk_sink below;
    sk_forge_bytes_fn *spoil;
    uint64_t offset;
    unsigned head_left; /* writes before the entries: length, manifest, signature */
};

static enum sk_status spoil_write(void *context, const void *bytes, size_t len,
                                  struct sk_error *err)
{
    struct spoiling *spoiling = context;
    sk_auto_buf copy = SK_BUF_INIT;
    if (spoiling->head_left > 0) {
        spoiling->head_left--;
        return sk_sink_write(&spoiling->below, bytes, len, err);
    }
    SK_TRY(sk_buf_add(&copy, bytes, len, err));
    if (spoiling->spoil)
        spoiling->spoil(spoiling->offset, copy.bytes, len);
    spoiling->offset += len;
    return sk_sink_write(&spoiling->below, copy.bytes, len, err);
}

static void forge_manifest(struct sk_store *store, const struct sk_export_plan *plan,
                           const struct sk_peers *peers, const struct sk_envelope_writer *writer,
                           struct sk_manifest *m)
{
    struct sk_merkle tree;
    *m = (struct sk_manifest){.number = 900,
                              .k = 1,
                              .n = 1,
                              .recipient_count = (uint8_t)peers->count,
                              .n0 = plan->n0,
                              .n1 = plan->n1,
                              .payload_count = plan->payloads,
                              .plain_bytes = plan->plain_bytes,
                              .day = sk_day_now()};
    memcpy(m->sign_public, sk_store_sign_public(store), 32);
    memcpy(m->dh_public, sk_store_dh_public(store), 32);
    memcpy(m->set_id, sk_envelope_set_id(writer), SK_SET_ID_LEN);
    memcpy(m->header_hashes[0], sk_envelope_header_hash(writer), 32);
    memcpy(m->indices_hash, plan->indices_hash, 32);
    for (size_t i = 0; i < peers->count; i++)
        memcpy(m->recipients[i], peers->items[i].archive_id, 32);
    EXPECT_OK(sk_log_tree(store, SK_LOG_OWN, plan->n1, &tree, &sk_test_err));
    sk_merkle_root(&tree, m->root);
    EXPECT_OK(sk_log_sign_note(store, m->note, &tree, &sk_test_err));
}

static void forge_recipients(struct sk_store *store, const struct sk_peers *peers,
                             struct sk_recipient *out)
{
    struct sk_store *txn = NULL;
    uint64_t index = 0;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    for (size_t i = 0; i < peers->count; i++) {
        EXPECT_OK(sk_chain_take(store, peers->items[i].send, &index, &out[i].keys, &sk_test_err));
        memcpy(out[i].dh_public, peers->items[i].dh_public, SK_DH_LEN);
    }
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

void sk_world_forge_stream(struct sk_world *world, unsigned device, const char *name,
                           sk_forge_stream_fn *write, const void *context)
{
    struct sk_store *store = world->device[device].store;
    const char *path = sk_world_path(world, name);
    sk_auto_peers peers = {.count = 0};
    sk_auto_envelope_writer writer = NULL;
    struct sk_recipient recipients[SK_ARCHIVES_MAX];
    struct sk_file *file = NULL;
    struct sk_export_plan plan;
    struct sk_manifest manifest;
    struct sk_log log;
    uint8_t hash[32];
    struct sk_delivered delivered;
    EXPECT_OK(sk_peers_load(store, &peers, &sk_test_err));
    EXPECT_OK(sk_log_get(store, SK_LOG_OWN, &log, &sk_test_err));
    EXPECT_OK(sk_export_plan(store, 0, log.size, &plan, &sk_test_err));
    forge_recipients(store, &peers, recipients);
    EXPECT_OK(sk_file_create_beside(&file, path, &sk_test_err));
    EXPECT_OK(sk_envelope_create(&writer, file, recipients, peers.count, &sk_test_err));
    forge_manifest(store, &plan, &peers, writer, &manifest);
    write(context, store, &plan, &manifest, sk_envelope_sink(writer));
    EXPECT_OK(sk_deliver(writer, &file, path, hash, &delivered, &sk_test_err));
}

struct lies {
    sk_forge_manifest_fn *change;
    sk_forge_bytes_fn *spoil;
};

static void write_lies(const void *context, struct sk_store *store,
                       const struct sk_export_plan *plan, struct sk_manifest *manifest,
                       struct sk_sink sink)
{
    const struct lies *lies = context;
    if (lies->change)
        lies->change(store, manifest);
    struct spoiling spoiling = {sink, lies->spoil, 0, 3};
    struct sk_sink spoiled = {spoil_write, &spoiling};
    EXPECT_OK(sk_export_stream(store, plan, manifest, spoiled, NULL, &sk_test_err));
}

void sk_world_forge(struct sk_world *world, unsigned device, const char *name,
                    sk_forge_manifest_fn *change, sk_forge_bytes_fn *spoil)
{
    const struct lies lies = {change, spoil};
    sk_world_forge_stream(world, device, name, write_lies, &lies);
}

struct sk_id sk_world_put_text(struct sk_store *device, const char *text)
{
    struct sk_entry entry = {.type = SK_TYPE_SOURCE, .day = sk_day_now(), .revision = 1};
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    struct sk_store *txn = NULL;
    struct sk_log log;
    uint8_t hash[SK_HASH_LEN];
    bool malformed = false;
    sk_id_random(&entry.id);
    sk_random(payload.salt, sizeof(payload.salt));
    EXPECT_OK(sk_buf_add_text(&payload.text, text, &sk_test_err));
    sk_block_hash(hash, payload.salt, 0, text, strlen(text));
    EXPECT_OK(sk_buf_add(&payload.hashes, hash, sizeof(hash), &sk_test_err));
    sk_commitment(entry.commitment, &entry.id, 1, payload.salt, strlen(text), 0, hash);
    EXPECT_OK(sk_log_get(device, SK_LOG_OWN, &log, &sk_test_err));
    EXPECT_OK(sk_store_begin(&txn, device, &sk_test_err));
    EXPECT_OK(
        sk_item_put(device, SK_LOG_OWN, log.size, &entry, &payload, &malformed, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    return entry.id;
}
