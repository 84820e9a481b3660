#include "tests/vectors/make/draft.h"

#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "tests/support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- edits ---- */

static size_t edit_place(const struct sk_buf *bytes, const struct sk_edit *edit)
{
    long at = edit->at;
    if (at < 0)
        at += (long)bytes->len + (edit->kind == SK_INSERT);
    MUST(at >= 0 && (size_t)at <= bytes->len);
    return (size_t)at;
}

void sk_edit_apply(struct sk_buf *bytes, const struct sk_edit *edit)
{
    sk_auto_buf piece = SK_BUF_INIT;
    size_t at = edit_place(bytes, edit);
    sk_hex_add(&piece, edit->hex ? edit->hex : "");
    if (edit->kind == SK_CUT) {
        bytes->len = at;
    } else if (edit->kind == SK_INSERT) {
        MUST(sk_buf_grow(bytes, piece.len, NULL) == SK_OK);
        memmove(bytes->bytes + at + piece.len, bytes->bytes + at, bytes->len - at);
        memcpy(bytes->bytes + at, piece.bytes, piece.len);
        bytes->len += piece.len;
    } else {
        MUST(at + piece.len <= bytes->len);
        for (size_t i = 0; i < piece.len; i++)
            bytes->bytes[at + i] =
                (uint8_t)(edit->kind == SK_XOR ? bytes->bytes[at + i] ^ piece.bytes[i]
                                               : piece.bytes[i]);
    }
}

static void apply_all(struct sk_buf *bytes, const struct sk_bundle_case *c, enum sk_stage stage)
{
    for (size_t i = 0; i < SK_EDITS_MAX; i++)
        if (c->edits[i].stage == stage)
            sk_edit_apply(bytes, &c->edits[i]);
}

/* The same for bytes whose number does not change. */
static void apply_fixed(uint8_t *bytes, size_t len, const struct sk_bundle_case *c,
                        enum sk_stage stage)
{
    sk_auto_buf copy = SK_BUF_INIT;
    MUST(sk_buf_add(&copy, bytes, len, NULL) == SK_OK);
    apply_all(&copy, c, stage);
    MUST(copy.len == len);
    memcpy(bytes, copy.bytes, len);
}

/* ---- entries and payloads ---- */

static struct sk_id id_of(uint8_t fill)
{
    struct sk_id id;
    memset(id.bytes, fill, sizeof(id.bytes));
    return id;
}

void sk_draft_entry(struct sk_draft *draft, unsigned type, uint8_t id, uint32_t revision)
{
    struct sk_entry entry = {
        .type = (uint16_t)type, .day = 20000, .id = id_of(id), .revision = revision};
    struct sk_entry other;
    MUST(draft->entry_count < SK_DRAFT_MAX);
    for (size_t i = 0; i < draft->entry_count; i++)
        if (sk_entry_decode(&other, draft->entries[i]) == SK_OK && other.revision + 1 == revision &&
            memcmp(&other.id, &entry.id, sizeof(entry.id)) == 0) {
            sk_merkle_leaf(entry.previous, draft->entries[i], SK_ENTRY_LEN);
            entry.flags = type == SK_TYPE_ERASURE ? other.type : 0;
        }
    if (type != SK_TYPE_ERASURE)
        memset(entry.commitment, 0xc0 + (int)draft->entry_count, sizeof(entry.commitment));
    sk_entry_encode(draft->entries[draft->entry_count++], &entry);
}

static void add(struct sk_buf *out, const void *bytes, size_t len)
{
    MUST(sk_buf_add(out, bytes, len, NULL) == SK_OK);
}

static void add_hashes(struct sk_buf *out, const uint8_t *salt, const char *text, size_t text_len,
                       const char *body, size_t body_len)
{
    uint64_t text_blocks = sk_block_count(text_len, 0);
    for (uint64_t j = 0; j < sk_block_count(text_len, body_len); j++) {
        uint8_t hash[SK_HASH_LEN];
        const char *from =
            j < text_blocks ? text + j * SK_BLOCK_LEN : body + (j - text_blocks) * SK_BLOCK_LEN;
        sk_block_hash(hash, salt, j, from, sk_block_len(text_len, body_len, j));
        add(out, hash, sizeof(hash));
    }
}

void sk_draft_payload(struct sk_draft *draft, uint32_t index, const char *text, size_t text_len,
                      const char *body)
{
    struct sk_entry entry;
    sk_auto_buf hashes = SK_BUF_INIT;
    uint8_t head[48];
    size_t body_len = body ? strlen(body) : 0;
    sk_put_u32(head, index);
    memset(head + 4, draft->salt + (int)index, SK_SALT_LEN);
    sk_put_u32(head + 36, (uint32_t)text_len);
    sk_put_u64(head + 40, body_len);
    add_hashes(&hashes, head + 4, text, text_len, body, body_len);
    add(&draft->payloads, head, sizeof(head));
    add(&draft->payloads, hashes.bytes, hashes.len);
    add(&draft->payloads, text, text_len);
    add(&draft->payloads, body ? body : "", body_len);
    draft->payload_count++;
    draft->plain_bytes += text_len + body_len;
    sk_hash_add_u32(&draft->indices, index);

    if (index >= draft->entry_count || sk_entry_decode(&entry, draft->entries[index]) != SK_OK)
        return;
    sk_commitment(entry.commitment, &entry.id, entry.revision, head + 4, text_len, body_len,
                  hashes.bytes);
    sk_entry_encode(draft->entries[index], &entry);
}

void sk_draft_base(struct sk_draft *draft)
{
    static const char source[] = "{\"form\":\"source\",\"version\":1,\"recorded\":"
                                 "\"2026-01-02T03:04:05+00:00\",\"fields\":{\"title\":\"S\"}}";
    static const char attached[] =
        "{\"recorded\":\"2026-01-02T03:04:05+00:00\",\"record\":"
        "\"01010101010101010101010101010101\",\"name\":\"a\",\"type\":\"text/plain\","
        "\"size\":5,\"sha256\":"
        "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"}";
    sk_draft_entry(draft, SK_TYPE_SOURCE, 1, 1);
    sk_draft_entry(draft, SK_TYPE_EVENT, 2, 1);
    sk_draft_entry(draft, SK_TYPE_ATTACHMENT, 3, 1);
    sk_draft_payload(draft, 0, source, sizeof(source) - 1, NULL);
    sk_draft_payload(draft, 2, attached, sizeof(attached) - 1, "hello");
    sk_draft_entry(draft, SK_TYPE_ERASURE, 2, 2);
}

/* ---- the header ---- */

struct dh {
    const struct sk_fixed_party *party;
};

static enum sk_status agree(void *context, uint8_t shared[static SK_DH_LEN],
                            const uint8_t public_key[static SK_DH_LEN])
{
    const struct dh *dh = context;
    return sk_dh(shared, dh->party->scalar, public_key);
}

static void chain_keys(struct sk_slot_keys *out, const struct sk_draft *draft)
{
    uint8_t key[32];
    memcpy(key, draft->chain_key, sizeof(key));
    for (uint32_t i = 0; i < draft->chain_index; i++)
        sk_ratchet_next(key, key);
    sk_ratchet_keys(out, key);
}

static unsigned slot_of(const uint8_t *header, const struct sk_slot_keys *keys)
{
    uint8_t tag[16];
    unsigned slot = 0;
    sk_slot_tag(tag, keys->tag, header);
    while (slot < SK_VOLUME_SLOTS &&
           memcmp(tag, header + sk_volume_slot_at(slot), sizeof(tag)) != 0)
        slot++;
    MUST(slot < SK_VOLUME_SLOTS);
    return slot;
}

/* The key that a slot is sealed under: what its writer knows, from the reader's side. */
static void slot_key(uint8_t out[static 32], const uint8_t *header, unsigned slot,
                     const struct sk_slot_keys *keys, const struct sk_fixed_party *reader)
{
    uint8_t point[32];
    uint8_t shared[32] = {0};
    struct sk_hash h;
    sk_hash_of(point, keys->mask, SK_LABEL_MASK, header, 32);
    for (size_t i = 0; i < 32; i++)
        point[i] ^= header[sk_volume_slot_at(slot) + 16 + i];
    sk_ignore(sk_dh(shared, reader->scalar, point)); /* of low order: zeros */
    sk_hash_init(&h, keys->wrap, SK_LABEL_WRAP);
    sk_hash_add(&h, header, 32);
    sk_hash_add(&h, point, 32);
    sk_hash_add(&h, reader->dh_public, 32);
    sk_hash_add(&h, shared, 32);
    sk_hash_end(&h, out);
}

void sk_draft_seal_slot(struct sk_draft *draft, const uint8_t plain[static 64])
{
    struct sk_slot_keys keys;
    uint8_t key[32];
    uint8_t ad[80];
    chain_keys(&keys, draft);
    unsigned slot = slot_of(draft->header, &keys);
    uint8_t *at = draft->header + sk_volume_slot_at(slot);
    slot_key(key, draft->header, slot, &keys, draft->receiver);
    memcpy(ad, draft->header, 32);
    memcpy(ad + 32, at, 48);
    sk_wrap_seal(at + 48, plain, 64, ad, sizeof(ad), key);
}

void sk_draft_point(struct sk_draft *draft, const uint8_t point[static 32])
{
    struct sk_slot_keys keys;
    uint8_t mask[32];
    chain_keys(&keys, draft);
    uint8_t *at = draft->header + sk_volume_slot_at(slot_of(draft->header, &keys));
    sk_hash_of(mask, keys.mask, SK_LABEL_MASK, draft->header, 32);
    for (size_t i = 0; i < 32; i++)
        at[16 + i] = point[i] ^ mask[i];
}

void sk_draft_slot_plain(const struct sk_draft *draft, uint8_t out[static 64])
{
    memset(out, 0, 64);
    memcpy(out, draft->file_key, 32);
    memcpy(out + 32, draft->set_id, SK_SET_ID_LEN);
    out[48] = out[49] = out[51] = 1;
}

size_t sk_draft_slot_at(const struct sk_draft *draft)
{
    struct sk_slot_keys keys;
    chain_keys(&keys, draft);
    return sk_volume_slot_at(slot_of(draft->header, &keys));
}

void sk_draft_recipient(struct sk_recipient *out, const struct sk_draft *draft)
{
    chain_keys(&out->keys, draft);
    memcpy(out->dh_public, draft->receiver->dh_public, SK_DH_LEN);
}

/* As the programs write it: by the writer itself. */
static void write_header(struct sk_draft *draft)
{
    struct sk_envelope_writer *writer = NULL;
    struct sk_file *file = NULL;
    struct sk_recipient recipient;
    struct sk_slot_plain plain;
    struct dh dh = {draft->receiver};
    const char *path = sk_fixed_path("header");
    sk_draft_recipient(&recipient, draft);
    MUST(sk_file_remove(path, NULL) == SK_OK);
    MUST(sk_file_create(&file, path, NULL) == SK_OK);
    MUST(sk_envelope_create(&writer, file, &recipient, 1, NULL) == SK_OK);
    MUST(sk_file_read_at(file, draft->header, SK_VOLUME_HEADER_LEN, 0, NULL) == SK_OK);
    sk_envelope_writer_free(writer);
    sk_file_close(file);
    sk_fixed_random_seed(draft->random_seed, SK_VOLUME_HEADER_LEN);
    MUST(sk_volume_open_slot(&plain, draft->header, slot_of(draft->header, &recipient.keys),
                             &recipient.keys, agree, &dh, draft->receiver->dh_public) == SK_OK);
    memcpy(draft->file_key, plain.file_key, 32);
    memcpy(draft->set_id, plain.set_id, SK_SET_ID_LEN);
}

void sk_draft_header(struct sk_draft *draft, const struct sk_bundle_case *c)
{
    uint8_t plain[64];
    uint8_t whole[SK_VOLUME_HEADER_LEN];
    sk_fixed_random(draft->name);
    write_header(draft);
    memcpy(whole, draft->header, sizeof(whole));
    sk_draft_slot_plain(draft, plain);
    apply_fixed(plain, sizeof(plain), c, SK_STAGE_SLOT);
    if (c->header)
        c->header(draft);
    sk_draft_seal_slot(draft, plain);
    if (c->sealed)
        c->sealed(draft);
    apply_fixed(draft->header, SK_VOLUME_MAC_AT, c, SK_STAGE_HEADER);
    sk_volume_header_mac(draft->header + SK_VOLUME_MAC_AT, draft->header, draft->file_key);
    if (!c->header && !c->sealed && (!c->edits[0].stage || c->edits[0].stage > SK_STAGE_MAC))
        MUST(memcmp(whole, draft->header, sizeof(whole)) == 0); /* the writer's own, again */
    apply_fixed(draft->header, SK_VOLUME_HEADER_LEN, c, SK_STAGE_MAC);
    sk_header_hash(draft->header_hash, draft->header);
    sk_volume_key(draft->volume_key, draft->file_key, 0, draft->header_hash);
}

/* ---- the inner stream ---- */

void sk_frame_add(struct sk_buf *out, uint8_t codec, uint32_t data_len, uint32_t plain_len,
                  const void *data)
{
    uint8_t head[9] = {codec};
    sk_put_u32(head + 1, data_len);
    sk_put_u32(head + 5, plain_len);
    add(out, head, sizeof(head));
    if (data)
        add(out, data, data_len);
}

static void make_frames(struct sk_draft *draft)
{
    if (draft->frames.len > 0) /* a case made them itself */
        return;
    if (draft->payloads.len > 0)
        sk_frame_add(&draft->frames, 0, (uint32_t)draft->payloads.len,
                     (uint32_t)draft->payloads.len, draft->payloads.bytes);
    sk_frame_add(&draft->frames, 2, 0, 0, NULL);
}

void sk_draft_sign_note(struct sk_draft *draft)
{
    sk_fixed_checkpoint(draft->manifest.note, draft->signer, draft->log, draft->manifest.n1,
                        draft->manifest.root);
}

static void make_manifest(struct sk_draft *draft)
{
    struct sk_manifest *m = &draft->manifest;
    struct sk_merkle tree = draft->before;
    *m = (struct sk_manifest){.number = draft->number,
                              .k = 1,
                              .n = 1,
                              .recipient_count = 1,
                              .n0 = tree.size,
                              .n1 = tree.size + draft->entry_count,
                              .payload_count = draft->payload_count,
                              .plain_bytes = draft->plain_bytes,
                              .day = 20001};
    memcpy(m->peaks, tree.peaks, sk_merkle_peak_count(tree.size) * SK_MERKLE_LEN);
    for (size_t i = 0; i < draft->entry_count; i++) {
        uint8_t leaf[SK_MERKLE_LEN];
        sk_merkle_leaf(leaf, draft->entries[i], SK_ENTRY_LEN);
        sk_merkle_append(&tree, leaf);
    }
    sk_merkle_root(&tree, m->root);
    memcpy(m->sign_public, draft->log->sign_public, 32);
    memcpy(m->dh_public, draft->log->dh_public, 32);
    memcpy(m->set_id, draft->set_id, SK_SET_ID_LEN);
    memcpy(m->header_hashes[0], draft->header_hash, 32);
    memcpy(m->recipients[0], draft->receiver->id, 32);
    sk_hash_end(&draft->indices, m->indices_hash);
    sk_draft_sign_note(draft);
}

static void sign_manifest(struct sk_draft *draft)
{
    sk_auto_buf message = SK_BUF_INIT;
    uint8_t signature[SK_SIGNATURE_LEN];
    add(&message, SK_MANIFEST_CONTEXT, sizeof(SK_MANIFEST_CONTEXT));
    add(&message, draft->encoded.bytes, draft->encoded.len);
    sk_sign(signature, message.bytes, message.len, draft->signer->seed);
    add(&draft->signature, signature, sizeof(signature));
}

static void make_inner(struct sk_draft *draft, const struct sk_bundle_case *c)
{
    uint8_t len[4];
    apply_all(&draft->payloads, c, SK_STAGE_PAYLOADS);
    make_frames(draft);
    apply_all(&draft->frames, c, SK_STAGE_FRAMES);
    apply_fixed(draft->entries[0], draft->entry_count * SK_ENTRY_LEN, c, SK_STAGE_ENTRIES);
    make_manifest(draft);
    if (c->manifest)
        c->manifest(draft);
    MUST(sk_manifest_encode(&draft->encoded, &draft->manifest, NULL) == SK_OK);
    apply_all(&draft->encoded, c, SK_STAGE_MANIFEST);
    sign_manifest(draft);
    apply_all(&draft->signature, c, SK_STAGE_SIGNATURE);
    sk_put_u32(len, (uint32_t)draft->encoded.len);
    add(&draft->inner, len, sizeof(len));
    add(&draft->inner, draft->encoded.bytes, draft->encoded.len);
    add(&draft->inner, draft->signature.bytes, draft->signature.len);
    add(&draft->inner, draft->entries, draft->entry_count * SK_ENTRY_LEN);
    add(&draft->inner, draft->frames.bytes, draft->frames.len);
    apply_all(&draft->inner, c, SK_STAGE_INNER);
}

/* ---- the whole ---- */

void sk_draft_clear(struct sk_draft *draft)
{
    sk_buf_clear(&draft->payloads);
    sk_buf_clear(&draft->frames);
    sk_buf_clear(&draft->encoded);
    sk_buf_clear(&draft->signature);
    sk_buf_clear(&draft->inner);
}

void sk_draft_init(struct sk_draft *draft, const char *name)
{
    *draft = (struct sk_draft){.name = name,
                               .signer = &sk_device,
                               .log = &sk_device,
                               .receiver = &sk_archive,
                               .number = 1,
                               .salt = 0xa0};
    memcpy(draft->chain_key, sk_psk, sizeof(draft->chain_key));
    sk_merkle_init(&draft->before);
    sk_hash_init(&draft->indices, NULL, SK_LABEL_INDICES);
}

json_t *sk_bundle_file(const struct sk_bundle_case *c)
{
    static struct sk_draft draft; /* large */
    sk_draft_init(&draft, c->name);
    if (c->start)
        c->start(&draft);
    else
        sk_draft_base(&draft);
    sk_draft_header(&draft, c);
    make_inner(&draft, c);
    json_t *file = sk_draft_file(&draft, c);
    sk_draft_clear(&draft);
    return file;
}
