#include "tests/fuzz/seal.h"

#include "core/entry.h"
#include "core/log.h"
#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "sync/deflate.h"
#include "sync/frames.h"
#include "sync/manifest.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAX   (255 + SK_SKETCH_ENTRIES) /* positions that are made */
#define PIECE_LEN 256                       /* of a small frame */

void sk_seal_party_init(struct sk_seal_party *party, uint8_t fill)
{
    memset(party->seed, fill, sizeof(party->seed));
    memset(party->scalar, fill + 1, sizeof(party->scalar));
    sk_sign_public(party->sign_public, party->seed);
    sk_dh_public(party->dh_public, party->scalar);
    sk_log_id(party->id, party->sign_public, party->dh_public);
}

void sk_seal_header_init(struct sk_seal_header *out, const uint8_t psk[static 32], unsigned index,
                         const uint8_t dh_public[static SK_DH_LEN])
{
    struct sk_recipient recipient;
    struct sk_slot_plain plain = {{1}, {2}, 1, 1, 0, SK_VOLUME_FORMAT};
    uint8_t key[32];
    memcpy(key, psk, sizeof(key));
    for (unsigned i = 0; i < index; i++)
        sk_ratchet_next(key, key);
    sk_ratchet_keys(&recipient.keys, key);
    memcpy(recipient.dh_public, dh_public, SK_DH_LEN);
    sk_random(out->bytes, sizeof(out->bytes));
    plain.set_id[1] = (uint8_t)index;
    memcpy(out->set_id, plain.set_id, sizeof(out->set_id));
    SK_FUZZ_CHECK(sk_volume_seal_slot(out->bytes, index % SK_VOLUME_SLOTS, &recipient, &plain) ==
                  SK_OK);
    sk_volume_header_mac(out->bytes + SK_VOLUME_MAC_AT, out->bytes, plain.file_key);
    sk_header_hash(out->hash, out->bytes);
    sk_volume_key(out->volume_key, plain.file_key, 0, out->hash);
}

bool sk_seal_file(uint8_t out[static SK_VOLUME_BYTES_MIN], const struct sk_seal_header *header,
                  const uint8_t *inner, size_t len)
{
    static uint8_t plain[SK_SEAL_CHUNKS * SK_CHUNK_PLAIN_LEN];
    if (len > sizeof(plain))
        return false;
    memcpy(plain, inner, len);
    memset(plain + len, 0, sizeof(plain) - len);
    memcpy(out, header->bytes, sizeof(header->bytes));
    for (unsigned j = 0; j < SK_SEAL_CHUNKS; j++)
        sk_chunk_seal(out + SK_VOLUME_HEADER_LEN + j * SK_CHUNK_LEN, plain + j * SK_CHUNK_PLAIN_LEN,
                      SK_CHUNK_PLAIN_LEN, j, j + 1 == SK_SEAL_CHUNKS, header->volume_key);
    return true;
}

/* ---- edits ---- */

static void add(struct sk_buf *out, const void *bytes, size_t len)
{
    SK_FUZZ_CHECK(sk_buf_add(out, bytes, len, NULL) == SK_OK);
}

static void edit(struct sk_buf *bytes, const struct sk_sketch_edit *e)
{
    size_t at = e->at < bytes->len ? e->at : bytes->len;
    size_t over = e->len < bytes->len - at ? e->len : bytes->len - at;
    if (e->kind == SK_SKETCH_CUT) {
        bytes->len = at;
    } else if (e->kind == SK_SKETCH_INSERT) {
        SK_FUZZ_CHECK(sk_buf_grow(bytes, e->len, NULL) == SK_OK);
        memmove(bytes->bytes + at + e->len, bytes->bytes + at, bytes->len - at);
        memcpy(bytes->bytes + at, e->bytes, e->len);
        bytes->len += e->len;
    } else {
        for (size_t i = 0; i < over; i++)
            bytes->bytes[at + i] =
                (uint8_t)(e->kind == SK_SKETCH_XOR ? bytes->bytes[at + i] ^ e->bytes[i]
                                                   : e->bytes[i]);
    }
}

static void edit_all(struct sk_buf *bytes, const struct sk_sketch *sketch,
                     enum sk_sketch_stage stage)
{
    if (!bytes->bytes)
        SK_FUZZ_CHECK(sk_buf_grow(bytes, 1, NULL) == SK_OK);
    for (size_t i = 0; i < sketch->edit_count; i++)
        if (sketch->edits[i].stage == stage)
            edit(bytes, &sketch->edits[i]);
}

/* ---- entries ---- */

static const struct sk_sketch_payload *payload_of(const struct sk_sketch *sketch, size_t index)
{
    for (size_t i = 0; i < sketch->payload_count; i++)
        if (sketch->payloads[i].index == index)
            return &sketch->payloads[i];
    return NULL;
}

static void salt_of(uint8_t salt[static SK_SALT_LEN], size_t index)
{
    memset(salt, (int)(0x80 + index), SK_SALT_LEN);
}

/* Both are short: one block each. */
static size_t hashes_of(uint8_t out[static 2 * SK_HASH_LEN], const struct sk_sketch_payload *p)
{
    uint8_t salt[SK_SALT_LEN];
    salt_of(salt, p->index);
    sk_block_hash(out, salt, 0, p->text, p->text_len);
    if (p->body_len == 0)
        return SK_HASH_LEN;
    sk_block_hash(out + SK_HASH_LEN, salt, 1, p->body, p->body_len);
    return (size_t)2 * SK_HASH_LEN;
}

static void commit(struct sk_entry *entry, const struct sk_sketch_payload *p)
{
    uint8_t salt[SK_SALT_LEN];
    uint8_t hashes[2 * SK_HASH_LEN];
    salt_of(salt, p->index);
    (void)hashes_of(hashes, p);
    sk_commitment(entry->commitment, &entry->id, entry->revision, salt, (uint32_t)p->text_len,
                  p->body_len, hashes);
}

/* The log as far as it is made: the bytes of its entries. */
struct log_bytes {
    uint8_t entries[LOG_MAX][SK_ENTRY_LEN];
    size_t count;
};

static void name_previous(const struct log_bytes *log, struct sk_entry *entry)
{
    struct sk_entry other;
    for (size_t i = 0; i < log->count; i++)
        if (sk_entry_decode(&other, log->entries[i]) == SK_OK &&
            other.revision + 1 == entry->revision &&
            memcmp(&other.id, &entry->id, sizeof(entry->id)) == 0)
            sk_entry_name(entry->previous, log->entries[i]);
}

static void make_entry(struct log_bytes *log, const struct sk_sketch *sketch, size_t index)
{
    const struct sk_sketch_entry *e = &sketch->entries[index];
    const struct sk_sketch_payload *p = payload_of(sketch, index);
    struct sk_entry entry = {.type = e->type,
                             .flags = e->flags,
                             .day = e->day,
                             .revision = e->revision,
                             .unproven = (e->mark & 1) != 0};
    memset(entry.id.bytes, e->id, sizeof(entry.id.bytes));
    if (e->type != SK_TYPE_ERASURE)
        memset(entry.commitment, 0xc0 + (int)index, sizeof(entry.commitment));
    if (p && !(sketch->wrong & SK_SKETCH_COMMITMENTS))
        commit(&entry, p);
    if (!(sketch->wrong & SK_SKETCH_PREVIOUS))
        name_previous(log, &entry);
    sk_entry_encode(log->entries[log->count++], &entry);
}

/* What stands between the log that is known and n0: nobody ever sees it. */
static void make_filler(struct log_bytes *log)
{
    struct sk_entry entry = {.type = SK_TYPE_PERSON, .revision = 1};
    memset(entry.id.bytes, (int)(0x40 + log->count), sizeof(entry.id.bytes));
    sk_entry_encode(log->entries[log->count++], &entry);
}

static void copy_entry(struct log_bytes *log, const struct log_bytes *known)
{
    memcpy(log->entries[log->count], known->entries[log->count], SK_ENTRY_LEN);
    log->count++;
}

/* Up to n0, and the sketch's entries into `out`. */
static void make_log(struct log_bytes *log, const struct sk_seal_world *world,
                     const struct sk_sketch *sketch, struct sk_buf *out)
{
    static struct log_bytes known;
    known.count = log->count = 0;
    for (size_t i = 0; i < world->log.entry_count; i++)
        make_entry(&known, &world->log, i);
    while (log->count < sketch->n0)
        if (log->count < known.count)
            copy_entry(log, &known);
        else
            make_filler(log);
    for (size_t i = 0; i < sketch->entry_count; i++)
        if (sketch->entries[i].type == 0 && log->count < known.count)
            copy_entry(log, &known);
        else
            make_entry(log, sketch, i);
    add(out, log->entries[sketch->n0], sketch->entry_count * SK_ENTRY_LEN);
}

/* ---- payloads ---- */

static void make_payloads(struct sk_buf *out, const struct sk_sketch *sketch)
{
    for (size_t i = 0; i < sketch->payload_count; i++) {
        const struct sk_sketch_payload *p = &sketch->payloads[i];
        struct sk_payload_head head = {
            .index = p->index, .text_len = (uint32_t)p->text_len, .body_len = p->body_len};
        uint8_t encoded[SK_PAYLOAD_HEAD_LEN];
        uint8_t hashes[2 * SK_HASH_LEN];
        salt_of(head.salt, p->index);
        sk_payload_head_encode(encoded, &head);
        add(out, encoded, sizeof(encoded));
        add(out, hashes, hashes_of(hashes, p));
        add(out, p->text, p->text_len);
        add(out, p->body, p->body_len);
    }
}

static void add_frame(struct sk_buf *out, uint8_t codec, const uint8_t *data, size_t data_len,
                      size_t plain_len)
{
    uint8_t head[9] = {codec};
    sk_put_u32(head + 1, (uint32_t)data_len);
    sk_put_u32(head + 5, (uint32_t)plain_len);
    add(out, head, sizeof(head));
    if (data_len > 0)
        add(out, data, data_len);
}

static void make_frames(struct sk_buf *out, const struct sk_buf *payloads, uint8_t framing)
{
    static struct sk_deflater *deflater;
    static uint8_t packed[65536];
    if (!deflater)
        SK_FUZZ_CHECK(sk_deflater_new(&deflater, SK_EFFORT_FAST, NULL) == SK_OK);
    size_t piece = framing & 2 ? PIECE_LEN : sizeof(packed);
    for (size_t at = 0; at < payloads->len;) {
        size_t len = payloads->len - at < piece ? payloads->len - at : piece;
        const uint8_t *plain = payloads->bytes + at;
        size_t got = framing & 1 && len > 1 ? sk_deflate(deflater, packed, len - 1, plain, len) : 0;
        if (got > 0)
            add_frame(out, 1, packed, got, len);
        else
            add_frame(out, 0, plain, len, len);
        at += len;
    }
    add_frame(out, 2, NULL, 0, 0);
}

/* ---- manifest ---- */

static void make_checkpoint(struct sk_manifest *m, const struct sk_seal_party *signer)
{
    struct sk_checkpoint head = {.size = m->n1};
    char text[SK_CHECKPOINT_TEXT_MAX];
    char line[SK_NOTE_LINE_MAX];
    sk_log_origin(head.origin, signer->id);
    memcpy(head.root, m->root, sizeof(head.root));
    SK_FUZZ_CHECK(sk_checkpoint_format(text, &head) == SK_OK);
    SK_FUZZ_CHECK(sk_note_sign(line, text, strlen(text), head.origin, signer->seed) == SK_OK);
    (void)snprintf(m->note, sizeof(m->note), "%s\n%s", text, line);
}

static void count_payloads(struct sk_manifest *m, const struct sk_sketch *sketch)
{
    struct sk_hash h;
    sk_hash_init(&h, NULL, SK_LABEL_INDICES);
    for (size_t i = 0; i < sketch->payload_count; i++) {
        m->plain_bytes += sketch->payloads[i].text_len + sketch->payloads[i].body_len;
        sk_hash_add_u32(&h, sketch->payloads[i].index);
    }
    m->payload_count = sketch->payload_count;
    sk_hash_end(&h, m->indices_hash);
}

static void make_tree(struct sk_manifest *m, const struct log_bytes *log, const struct sk_buf *own,
                      const struct sk_sketch *sketch)
{
    struct sk_merkle tree;
    uint8_t leaf[SK_MERKLE_LEN];
    sk_merkle_init(&tree);
    for (size_t i = 0; i < sketch->n0; i++) {
        sk_merkle_leaf(leaf, log->entries[i], SK_ENTRY_LEN);
        leaf[0] ^= (sketch->wrong & SK_SKETCH_HEAD_OF_LOG) && i == 0;
        sk_merkle_append(&tree, leaf);
    }
    memcpy(m->peaks, tree.peaks, sk_merkle_peak_count(tree.size) * SK_MERKLE_LEN);
    for (size_t at = 0; at + SK_ENTRY_LEN <= own->len; at += SK_ENTRY_LEN) {
        sk_merkle_leaf(leaf, own->bytes + at, SK_ENTRY_LEN);
        sk_merkle_append(&tree, leaf);
    }
    if (!(sketch->wrong & SK_SKETCH_ROOT))
        sk_merkle_root(&tree, m->root);
}

static void make_manifest(struct sk_buf *out, const struct sk_seal_world *world,
                          const struct sk_seal_header *header, const struct sk_sketch *sketch,
                          const struct log_bytes *log, const struct sk_buf *own, uint64_t number)
{
    static struct sk_manifest m; /* large */
    const struct sk_seal_party *signer =
        sketch->wrong & SK_SKETCH_STRANGER ? &world->stranger : &world->device;
    m = (struct sk_manifest){.number = number,
                             .k = 1,
                             .n = 1,
                             .recipient_count = 1,
                             .n0 = sketch->n0,
                             .n1 = sketch->n0 + sketch->entry_count,
                             .day = 20001};
    memcpy(m.sign_public, signer->sign_public, 32);
    memcpy(m.dh_public, signer->dh_public, 32);
    make_tree(&m, log, own, sketch);
    if (!(sketch->wrong & SK_SKETCH_COUNTS))
        count_payloads(&m, sketch);
    if (!(sketch->wrong & SK_SKETCH_ENVELOPE)) {
        memcpy(m.set_id, header->set_id, SK_SET_ID_LEN);
        memcpy(m.header_hashes[0], header->hash, 32);
        memcpy(m.recipients[0], world->archive_id, 32);
    }
    if (sketch->wrong & SK_SKETCH_CHECKPOINT)
        m.note[0] = '-';
    else
        make_checkpoint(&m, signer);
    if (sk_manifest_encode(out, &m, NULL) != SK_OK) /* no entries: edits may help it */
        add(out, m.note, strlen(m.note));
    edit_all(out, sketch, SK_SKETCH_AT_MANIFEST);
}

static void sign_manifest(struct sk_buf *out, const struct sk_buf *manifest,
                          const struct sk_seal_party *signer)
{
    sk_auto_buf message = SK_BUF_INIT;
    uint8_t signature[SK_SIGNATURE_LEN];
    add(&message, SK_MANIFEST_CONTEXT, sizeof(SK_MANIFEST_CONTEXT));
    add(&message, manifest->bytes, manifest->len);
    sk_sign(signature, message.bytes, message.len, signer->seed);
    add(out, signature, sizeof(signature));
}

/* ---- the whole ---- */

void sk_seal_inner(struct sk_buf *out, const struct sk_seal_world *world,
                   const struct sk_seal_header *header, const struct sk_sketch *sketch,
                   uint64_t number)
{
    static struct log_bytes log;
    sk_auto_buf payloads = SK_BUF_INIT;
    sk_auto_buf frames = SK_BUF_INIT;
    sk_auto_buf entries = SK_BUF_INIT;
    sk_auto_buf manifest = SK_BUF_INIT;
    sk_auto_buf signature = SK_BUF_INIT;
    uint8_t len[4];
    make_payloads(&payloads, sketch);
    edit_all(&payloads, sketch, SK_SKETCH_AT_PAYLOADS);
    make_frames(&frames, &payloads, sketch->framing);
    edit_all(&frames, sketch, SK_SKETCH_AT_FRAMES);
    make_log(&log, world, sketch, &entries);
    edit_all(&entries, sketch, SK_SKETCH_AT_ENTRIES);
    make_manifest(&manifest, world, header, sketch, &log, &entries, number);
    sign_manifest(&signature, &manifest,
                  sketch->wrong & SK_SKETCH_STRANGER ? &world->stranger : &world->device);
    edit_all(&signature, sketch, SK_SKETCH_AT_SIGNATURE);
    sk_put_u32(len, (uint32_t)manifest.len);
    add(out, len, sizeof(len));
    add(out, manifest.bytes, manifest.len);
    add(out, signature.bytes, signature.len);
    add(out, entries.bytes, entries.len);
    add(out, frames.bytes, frames.len);
    edit_all(out, sketch, SK_SKETCH_AT_INNER);
}
