#include "tests/support/liar.h"

#include "crypto/bytes.h"
#include "sync/frames.h"
#include "tests/support/own_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sk_store *store_of(const struct sk_liar *liar)
{
    return liar->world->device[liar->device].store;
}

void sk_liar_init(struct sk_liar *liar, struct sk_world *world, unsigned device)
{
    struct sk_log log;
    *liar = (struct sk_liar){.world = world, .device = device, .entries = SK_BUF_INIT};
    EXPECT_OK(sk_log_get(store_of(liar), SK_LOG_OWN, &log, &sk_test_err));
    if (log.size == 0) /* an honest plan needs one */
        (void)sk_test_add(store_of(liar), SK_TYPE_SOURCE, "never sent");
}

void sk_liar_clear(struct sk_liar *liar)
{
    for (size_t i = 0; i < liar->count; i++) {
        sk_buf_clear(&liar->payloads[i].hashes);
        sk_buf_clear(&liar->payloads[i].text);
        sk_buf_clear(&liar->payloads[i].body);
    }
    free(liar->payloads);
    sk_buf_clear(&liar->entries);
}

/* ---- entries ---- */

static struct sk_liar_payload *append(struct sk_liar *liar, const uint8_t *bytes)
{
    EXPECT_OK(sk_buf_add(&liar->entries, bytes, SK_ENTRY_LEN, &sk_test_err));
    if ((liar->count & (liar->count - 1)) == 0) {
        size_t room = liar->count ? 2 * liar->count : 1;
        liar->payloads = reallocarray(liar->payloads, room, sizeof(*liar->payloads));
        assert_non_null(liar->payloads);
    }
    struct sk_liar_payload *payload = &liar->payloads[liar->count++];
    *payload =
        (struct sk_liar_payload){.hashes = SK_BUF_INIT, .text = SK_BUF_INIT, .body = SK_BUF_INIT};
    return payload;
}

void sk_liar_bytes(struct sk_liar *liar, const uint8_t bytes[static SK_ENTRY_LEN])
{
    (void)append(liar, bytes);
}

static void copy_buf(struct sk_buf *to, const struct sk_buf *from)
{
    EXPECT_OK(sk_buf_add(to, sk_buf_text(from), from->len, &sk_test_err));
}

void sk_liar_copy(struct sk_liar *liar, const struct sk_liar *from, uint64_t position)
{
    const struct sk_liar_payload *theirs = &from->payloads[position];
    struct sk_liar_payload *payload = append(liar, from->entries.bytes + position * SK_ENTRY_LEN);
    payload->there = theirs->there;
    memcpy(payload->salt, theirs->salt, sizeof(payload->salt));
    copy_buf(&payload->hashes, &theirs->hashes);
    copy_buf(&payload->text, &theirs->text);
    copy_buf(&payload->body, &theirs->body);
}

struct sk_id sk_liar_id(uint32_t number)
{
    struct sk_id id = {.bytes = {0xda, 0x7a}};
    sk_put_u32(id.bytes + SK_ID_LEN - 4, number);
    return id;
}

/* What an entry of the revision before is named, if the newest of that id among the last entries
 * is one. */
static void find_previous(const struct sk_liar *liar, struct sk_entry *entry)
{
    for (size_t i = liar->count, tried = 0; i > 0 && tried < 64; i--, tried++) {
        const uint8_t *bytes = liar->entries.bytes + (i - 1) * SK_ENTRY_LEN;
        struct sk_entry before;
        if (memcmp(bytes + 12, entry->id.bytes, SK_ID_LEN) != 0)
            continue;
        if (sk_entry_decode(&before, bytes) == SK_OK && before.revision + 1 == entry->revision)
            sk_entry_name(entry->previous, bytes);
        return;
    }
}

static void add_block(struct sk_liar_payload *payload, uint64_t j, const void *bytes, size_t len)
{
    uint8_t hash[SK_HASH_LEN];
    sk_block_hash(hash, payload->salt, j, bytes, len);
    EXPECT_OK(sk_buf_add(&payload->hashes, hash, sizeof(hash), &sk_test_err));
}

static void hash_blocks(struct sk_liar_payload *payload)
{
    uint64_t texts = sk_block_count(payload->text.len, 0);
    uint64_t all = sk_block_count(payload->text.len, payload->body.len);
    for (uint64_t j = 0; j < all; j++) {
        bool text = j < texts;
        const uint8_t *from = text ? (const uint8_t *)sk_buf_text(&payload->text) + (j << 20)
                                   : payload->body.bytes + ((j - texts) << 20);
        add_block(payload, j, from, sk_block_len(payload->text.len, payload->body.len, j));
    }
}

static void put(struct sk_liar *liar, struct sk_entry *entry, const char *text, const void *body,
                size_t body_len)
{
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_liar_payload payload = {
        .there = text != NULL, .hashes = SK_BUF_INIT, .text = SK_BUF_INIT, .body = SK_BUF_INIT};
    if (entry->revision > 1) {
        memset(entry->previous, 0xee, sizeof(entry->previous));
        find_previous(liar, entry);
    }
    if (text) {
        sk_put_u64(payload.salt, liar->count);
        payload.salt[31] = (uint8_t)liar->device;
        EXPECT_OK(sk_buf_add_text(&payload.text, text, &sk_test_err));
        EXPECT_OK(sk_buf_add(&payload.body, body ? body : "", body_len, &sk_test_err));
        hash_blocks(&payload);
        sk_commitment(entry->commitment, &entry->id, entry->revision, payload.salt,
                      payload.text.len, payload.body.len, payload.hashes.bytes);
    }
    sk_entry_encode(bytes, entry);
    *append(liar, bytes) = payload;
}

void sk_liar_put_id(struct sk_liar *liar, unsigned type, const struct sk_id *id, uint32_t revision,
                    const char *text)
{
    struct sk_entry entry = {.type = (uint16_t)type, .day = 20000, .id = *id, .revision = revision};
    put(liar, &entry, text, NULL, 0);
}

void sk_liar_put(struct sk_liar *liar, unsigned type, uint32_t id, uint32_t revision,
                 const char *text)
{
    const struct sk_id made = sk_liar_id(id);
    sk_liar_put_id(liar, type, &made, revision, text);
}

void sk_liar_put_body(struct sk_liar *liar, unsigned type, uint32_t id, uint32_t revision,
                      const char *text, const void *body, size_t body_len)
{
    struct sk_entry entry = {
        .type = (uint16_t)type, .day = 20000, .id = sk_liar_id(id), .revision = revision};
    put(liar, &entry, text, body, body_len);
}

void sk_liar_erase(struct sk_liar *liar, unsigned type, uint32_t id, uint32_t revision)
{
    struct sk_entry entry = {.type = SK_TYPE_ERASURE,
                             .flags = type,
                             .day = 20000,
                             .id = sk_liar_id(id),
                             .revision = revision};
    put(liar, &entry, NULL, NULL, 0);
}

/* ---- texts ---- */

#define HEAD "{\"recorded\":\"2026-01-02T03:04:05+00:00\""

static char *next_text(size_t *room)
{
    static char texts[8][4096];
    static unsigned next;
    *room = sizeof(texts[0]);
    return texts[next++ % 8];
}

const char *sk_liar_record(unsigned type, const char *title)
{
    size_t room = 0;
    char *text = next_text(&room);
    (void)snprintf(text, room, HEAD ",\"form\":\"%s\",\"version\":1,\"fields\":{\"title\":\"%s\"}}",
                   sk_type_name(type), title);
    return text;
}

const char *sk_liar_under(const char *form_text, const char *title)
{
    size_t room = 0;
    char *text = next_text(&room);
    char hex[2 * SK_HASH_LEN + 1];
    struct sk_own_form *own = NULL;
    EXPECT_OK(sk_own_form_read(&own, form_text, strlen(form_text), &sk_test_err));
    sk_hex(hex, sk_own_form_of(own)->hash, SK_HASH_LEN);
    (void)snprintf(text, room,
                   HEAD ",\"form\":\"%s\",\"version\":%u,\"fields\":{\"title\":\"%s\"}}", hex,
                   sk_own_form_of(own)->version, title);
    sk_own_form_unref(own);
    return text;
}

/* ---- continuations ---- */

static void put_continuation(struct sk_liar *liar, struct sk_continuation *c,
                             const uint8_t seed[static SK_SIGN_SEED_LEN])
{
    size_t room = 0;
    char *text = next_text(&room);
    char hex[6][2 * SK_SIGNATURE_LEN + 1];
    sk_continuation_sign(c, seed);
    sk_hex(hex[0], c->log_id, SK_HASH_LEN);
    sk_hex(hex[1], c->old_id, SK_HASH_LEN);
    sk_hex(hex[2], c->sign_public, SK_HASH_LEN);
    sk_hex(hex[3], c->dh_public, SK_HASH_LEN);
    sk_hex(hex[4], c->root, SK_HASH_LEN);
    sk_hex(hex[5], c->signature, SK_SIGNATURE_LEN);
    (void)snprintf(text, room,
                   HEAD ",\"log\":\"%s\",\"continues\":\"%s\",\"sign\":\"%s\",\"dh\":\"%s\","
                        "\"size\":%llu,\"root\":\"%s\",\"signature\":\"%s\"}",
                   hex[0], hex[1], hex[2], hex[3], (unsigned long long)c->size, hex[4], hex[5]);
    sk_liar_put(liar, SK_TYPE_CONTINUATION, 0xc0000000u + (uint32_t)liar->count, 1, text);
}

static void tree_at(const struct sk_liar *liar, uint64_t size, struct sk_merkle *tree)
{
    sk_merkle_init(tree);
    for (uint64_t i = 0; i < size; i++) {
        uint8_t leaf[SK_MERKLE_LEN];
        sk_merkle_leaf(leaf, liar->entries.bytes + i * SK_ENTRY_LEN, SK_ENTRY_LEN);
        sk_merkle_append(tree, leaf);
    }
}

void sk_liar_continue(struct sk_liar *liar, const uint8_t log[static SK_HASH_LEN],
                      const struct sk_liar *old, uint64_t size)
{
    struct sk_continuation c = {.size = size};
    struct sk_merkle tree;
    memcpy(c.log_id, log, SK_HASH_LEN);
    memcpy(c.sign_public, sk_store_sign_public(store_of(old)), sizeof(c.sign_public));
    memcpy(c.dh_public, sk_store_dh_public(store_of(old)), sizeof(c.dh_public));
    sk_log_id(c.old_id, c.sign_public, c.dh_public);
    tree_at(old, size, &tree);
    sk_merkle_root(&tree, c.root);
    put_continuation(liar, &c, sk_store_seed(store_of(old)));
}

static void made_keys(uint32_t number, uint8_t seed[static SK_SIGN_SEED_LEN],
                      struct sk_continuation *c)
{
    memset(seed, 0x5e, SK_SIGN_SEED_LEN);
    sk_put_u32(seed, number);
    sk_sign_public(c->sign_public, seed);
    memset(c->dh_public, 9, sizeof(c->dh_public));
    sk_log_id(c->old_id, c->sign_public, c->dh_public);
}

void sk_liar_made_id(uint32_t number, uint8_t out[static SK_HASH_LEN])
{
    uint8_t seed[SK_SIGN_SEED_LEN];
    struct sk_continuation c = {.size = 0};
    made_keys(number, seed, &c);
    memcpy(out, c.old_id, SK_HASH_LEN);
}

void sk_liar_continue_made(struct sk_liar *liar, const uint8_t log[static SK_HASH_LEN],
                           uint32_t number, uint64_t size)
{
    uint8_t seed[SK_SIGN_SEED_LEN];
    struct sk_continuation c = {.size = size};
    memcpy(c.log_id, log, SK_HASH_LEN);
    made_keys(number, seed, &c);
    memset(c.root, 7, sizeof(c.root));
    put_continuation(liar, &c, seed);
}

/* ---- bundles ---- */

struct part {
    struct sk_liar *liar;
    uint64_t n0, n1;
};

static void fill_manifest(const struct part *part, struct sk_store *store, struct sk_manifest *m)
{
    const struct sk_liar *liar = part->liar;
    struct sk_merkle tree;
    struct sk_hash indices;
    m->number = liar->number;
    m->n0 = part->n0;
    m->n1 = part->n1;
    m->payload_count = 0;
    m->plain_bytes = 0;
    tree_at(liar, part->n0, &tree);
    memcpy(m->peaks, tree.peaks, sk_merkle_peak_count(part->n0) * SK_MERKLE_LEN);
    sk_hash_init(&indices, NULL, SK_LABEL_INDICES);
    for (uint64_t i = part->n0; i < part->n1; i++) {
        const struct sk_liar_payload *payload = &liar->payloads[i];
        uint8_t leaf[SK_MERKLE_LEN];
        sk_merkle_leaf(leaf, liar->entries.bytes + i * SK_ENTRY_LEN, SK_ENTRY_LEN);
        sk_merkle_append(&tree, leaf);
        if (!payload->there)
            continue;
        m->payload_count++;
        m->plain_bytes += payload->text.len + payload->body.len;
        sk_hash_add_u32(&indices, (uint32_t)(i - part->n0));
    }
    sk_hash_end(&indices, m->indices_hash);
    sk_merkle_root(&tree, m->root);
    EXPECT_OK(sk_log_sign_note(store, m->note, &tree, &sk_test_err));
    if (liar->change)
        liar->change(store, m);
}

static void write_payload(struct sk_frames_writer *frames, const struct sk_liar_payload *payload,
                          uint32_t index)
{
    struct sk_payload_head head = {
        .index = index, .text_len = (uint32_t)payload->text.len, .body_len = payload->body.len};
    memcpy(head.salt, payload->salt, sizeof(head.salt));
    EXPECT_OK(sk_frames_begin(frames, &head, payload->hashes.bytes, &sk_test_err));
    EXPECT_OK(
        sk_frames_write(frames, sk_buf_text(&payload->text), payload->text.len, &sk_test_err));
    if (payload->body.len > 0)
        EXPECT_OK(sk_frames_write(frames, payload->body.bytes, payload->body.len, &sk_test_err));
}

static void write_part(const void *context, struct sk_store *store,
                       const struct sk_export_plan *plan, struct sk_manifest *m,
                       struct sk_sink sink)
{
    const struct part *part = context;
    const struct sk_liar *liar = part->liar;
    sk_auto_buf encoded = SK_BUF_INIT;
    struct sk_frames_writer *frames = NULL;
    uint8_t len[4];
    uint8_t signature[SK_SIGNATURE_LEN];
    (void)plan;
    fill_manifest(part, store, m);
    EXPECT_OK(sk_manifest_encode(&encoded, m, &sk_test_err));
    sk_manifest_sign(store, signature, encoded.bytes, encoded.len);
    sk_put_u32(len, (uint32_t)encoded.len);
    EXPECT_OK(sk_sink_write(&sink, len, sizeof(len), &sk_test_err));
    EXPECT_OK(sk_sink_write(&sink, encoded.bytes, encoded.len, &sk_test_err));
    EXPECT_OK(sk_sink_write(&sink, signature, sizeof(signature), &sk_test_err));
    EXPECT_OK(sk_sink_write(&sink, liar->entries.bytes + part->n0 * SK_ENTRY_LEN,
                            (size_t)(part->n1 - part->n0) * SK_ENTRY_LEN, &sk_test_err));
    EXPECT_OK(sk_frames_writer_new(&frames, sink, SK_EFFORT_FAST, &sk_test_err));
    for (uint64_t i = part->n0; i < part->n1; i++)
        if (liar->payloads[i].there)
            write_payload(frames, &liar->payloads[i], (uint32_t)(i - part->n0));
    EXPECT_OK(sk_frames_finish(frames, &sk_test_err));
    sk_frames_writer_free(frames);
}

void sk_liar_bundle(struct sk_liar *liar, const char *name, uint64_t n0, uint64_t n1)
{
    const struct part part = {liar, n0, n1};
    liar->number++;
    sk_world_forge_stream(liar->world, liar->device, name, write_part, &part);
}

struct sk_import_result sk_liar_send(struct sk_liar *liar, const char *name, uint64_t n0,
                                     uint64_t n1)
{
    sk_liar_bundle(liar, name, n0, n1);
    return sk_world_import(liar->world, 0, name);
}
