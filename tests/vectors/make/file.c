/*
 * A file in a vector: the stream that fills its header, what differs from it there, the content of
 * its chunks, and what was done to the bytes afterwards.
 */
#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "tests/support/temp_dir.h"
#include "tests/vectors/make/draft.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define GAP 16   /* equal bytes that do not end what differs */
#define RUN 1000 /* equal bytes that are counted */

/* ---- reading ---- */

static void read_header(struct sk_buf *out, const json_t *file)
{
    uint8_t seed[32];
    size_t i;
    json_t *run;
    sk_hex_exactly(seed, sizeof(seed), json_object_get(file, "random"));
    MUST(sk_buf_grow(out, SK_VOLUME_HEADER_LEN, NULL) == SK_OK);
    randombytes_buf_deterministic(out->bytes, SK_VOLUME_HEADER_LEN, seed);
    out->len = SK_VOLUME_HEADER_LEN;
    json_array_foreach(json_object_get(file, "header"), i, run)
    {
        const struct sk_edit edit = {0, SK_SET, (long)json_integer_value(json_array_get(run, 0)),
                                     json_string_value(json_array_get(run, 1))};
        sk_edit_apply(out, &edit);
    }
}

static void read_chunk(struct sk_buf *out, const json_t *chunk, const uint8_t *key)
{
    sk_auto_buf plain = SK_BUF_INIT;
    uint8_t sealed[SK_CHUNK_LEN];
    uint8_t own[32];
    sk_hex_pieces(&plain, json_object_get(chunk, "plain"));
    MUST(plain.len <= SK_CHUNK_PLAIN_LEN);
    if (json_object_get(chunk, "key")) {
        sk_hex_exactly(own, sizeof(own), json_object_get(chunk, "key"));
        key = own;
    }
    MUST(sk_buf_grow(&plain, SK_CHUNK_PLAIN_LEN, NULL) == SK_OK);
    memset(plain.bytes + plain.len, 0, SK_CHUNK_PLAIN_LEN - plain.len);
    sk_chunk_seal(sealed, plain.bytes, SK_CHUNK_PLAIN_LEN,
                  (uint64_t)json_integer_value(json_object_get(chunk, "index")),
                  json_is_true(json_object_get(chunk, "last")), key);
    MUST(sk_buf_add(out, sealed, sizeof(sealed), NULL) == SK_OK);
}

static void read_edit(struct sk_buf *out, const json_t *edit)
{
    static const char *const words[] = {"set", "xor", "cut", "insert"};
    const char *word = json_string_value(json_object_get(edit, "do"));
    struct sk_edit e = {.at = (long)json_integer_value(json_object_get(edit, "at")),
                        .hex = json_string_value(json_object_get(edit, "hex"))};
    size_t kind = 0;
    while (kind < 4 && strcmp(word, words[kind]) != 0)
        kind++;
    MUST(kind < 4);
    e.kind = (enum sk_edit_kind)kind;
    sk_edit_apply(out, &e);
}

void sk_file_bytes(struct sk_buf *out, const json_t *file)
{
    uint8_t key[32];
    uint8_t digest[crypto_hash_sha256_BYTES];
    uint8_t want[crypto_hash_sha256_BYTES];
    size_t i;
    json_t *item;
    sk_buf_reset(out);
    read_header(out, file);
    sk_hex_exactly(key, sizeof(key), json_object_get(file, "key"));
    json_array_foreach(json_object_get(file, "chunks"), i, item)
    {
        read_chunk(out, item, key);
    }
    json_array_foreach(json_object_get(file, "edits"), i, item)
    {
        read_edit(out, item);
    }
    crypto_hash_sha256(digest, out->bytes, out->len);
    if (!json_object_get(file, "sha256")) /* it is being made */
        return;
    sk_hex_exactly(want, sizeof(want), json_object_get(file, "sha256"));
    MUST(memcmp(digest, want, sizeof(want)) == 0);
}

/* ---- making ---- */

/* What differs from the stream of random bytes. */
static json_t *header_runs(const struct sk_draft *draft)
{
    uint8_t random[SK_VOLUME_HEADER_LEN];
    json_t *runs = json_array();
    randombytes_buf_deterministic(random, sizeof(random), draft->random_seed);
    for (size_t at = 0; at < sizeof(random); at++) {
        size_t end = at;
        for (size_t i = at; i < sizeof(random) && i < end + GAP; i++)
            if (random[i] != draft->header[i])
                end = i + 1;
        if (end == at || random[at] == draft->header[at])
            continue;
        json_array_append_new(
            runs, json_pack("[I, o]", (json_int_t)at, sk_hex_json(draft->header + at, end - at)));
        at = end;
    }
    return runs;
}

/* How often a byte stands there. */
static size_t run_at(const uint8_t *bytes, size_t len)
{
    size_t run = 1;
    while (run < len && bytes[run] == bytes[0])
        run++;
    return run;
}

static void add_piece(json_t *pieces, const uint8_t *bytes, size_t len, size_t times)
{
    if (len > 0)
        json_array_append_new(pieces,
                              json_pack("[o, I]", sk_hex_json(bytes, len), (json_int_t)times));
}

/* As hex; where a byte stands there very often, by pieces. */
static json_t *plain_json(const uint8_t *bytes, size_t len)
{
    json_t *pieces = json_array();
    size_t from = 0;
    for (size_t at = 0; at < len;) {
        const size_t run = run_at(bytes + at, len - at);
        if (run >= RUN) {
            add_piece(pieces, bytes + from, at - from, 1);
            add_piece(pieces, bytes + at, 1, run);
            from = at + run;
        }
        at += run;
    }
    if (json_array_size(pieces) > 0) {
        add_piece(pieces, bytes + from, len - from, 1);
        return pieces;
    }
    json_decref(pieces);
    return sk_hex_json(bytes, len);
}

static json_t *honest_chunks(const struct sk_draft *draft)
{
    json_t *chunks = json_array();
    size_t needed = draft->inner.len == 0
                        ? 1
                        : (draft->inner.len + SK_CHUNK_PLAIN_LEN - 1) / SK_CHUNK_PLAIN_LEN;
    size_t total = (size_t)(sk_volume_padded(needed) / SK_CHUNK_LEN - 1);
    for (size_t j = 0; j < total; j++) {
        size_t at = j * SK_CHUNK_PLAIN_LEN;
        size_t len = at < draft->inner.len ? draft->inner.len - at : 0;
        len = len < SK_CHUNK_PLAIN_LEN ? len : SK_CHUNK_PLAIN_LEN;
        json_array_append_new(
            chunks,
            json_pack("{s:I, s:b, s:o}", "index", (json_int_t)j, "last", j + 1 == total, "plain",
                      len ? plain_json(draft->inner.bytes + at, len) : sk_hex_json(NULL, 0)));
    }
    return chunks;
}

/* What the programs' own writer makes of the same draws and the same inner stream. */
static void compare_with_writer(const struct sk_draft *draft, const struct sk_buf *whole,
                                const struct sk_recipient *recipient)
{
    struct sk_envelope_writer *writer = NULL;
    struct sk_file *file = NULL;
    uint8_t hash[32];
    size_t len = 0;
    const char *path = sk_fixed_path("written");
    sk_fixed_random(draft->name);
    MUST(sk_file_remove(path, NULL) == SK_OK);
    MUST(sk_file_create(&file, path, NULL) == SK_OK);
    MUST(sk_envelope_create(&writer, file, recipient, 1, NULL) == SK_OK);
    MUST(sk_envelope_write(writer, draft->inner.bytes, draft->inner.len, NULL) == SK_OK);
    MUST(sk_envelope_finish(writer, hash, NULL) == SK_OK);
    sk_envelope_writer_free(writer);
    sk_file_close(file);
    uint8_t *written = sk_temp_read(path, &len);
    MUST(len == whole->len && memcmp(written, whole->bytes, len) == 0);
    free(written);
}

static json_t *edits_json(const struct sk_bundle_case *c)
{
    static const char *const words[] = {"set", "xor", "cut", "insert"};
    json_t *edits = json_array();
    for (size_t i = 0; i < SK_EDITS_MAX; i++)
        if (c->edits[i].stage == SK_STAGE_FILE)
            json_array_append_new(edits, json_pack("{s:s, s:I, s:s}", "do", words[c->edits[i].kind],
                                                   "at", (json_int_t)c->edits[i].at, "hex",
                                                   c->edits[i].hex ? c->edits[i].hex : ""));
    return edits;
}

json_t *sk_draft_file(struct sk_draft *draft, const struct sk_bundle_case *c)
{
    sk_auto_buf whole = SK_BUF_INIT;
    uint8_t digest[crypto_hash_sha256_BYTES];
    json_t *file =
        json_pack("{s:o, s:o, s:o, s:o}", "random", sk_hex_json(draft->random_seed, 32), "header",
                  header_runs(draft), "key", sk_hex_json(draft->volume_key, 32), "chunks",
                  c->file ? c->file(draft) : honest_chunks(draft));
    MUST(file);
    if (!c->file && !c->header && !c->sealed && c->edits[0].stage != SK_STAGE_SLOT &&
        c->edits[0].stage != SK_STAGE_HEADER && c->edits[0].stage != SK_STAGE_MAC) {
        struct sk_recipient recipient;
        sk_draft_recipient(&recipient, draft);
        sk_file_bytes(&whole, file);
        compare_with_writer(draft, &whole, &recipient);
    }
    json_object_set_new(file, "edits", edits_json(c));
    sk_file_bytes(&whole, file);
    crypto_hash_sha256(digest, whole.bytes, whole.len);
    json_object_set_new(file, "sha256", sk_hex_json(digest, sizeof(digest)));
    return file;
}

json_t *sk_draft_chunks(const struct sk_draft *draft)
{
    return honest_chunks(draft);
}
