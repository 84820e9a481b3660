/*
 * The payloads of a bundle: each is held against the commitment of its entry by its block hashes
 * before its first block is read, and each block against its hash before it goes anywhere.
 */
#include "sync/import_parts.h"

#include "core/digest.h"
#include "crypto/bytes.h"

#include <string.h>

#define MANY 1000u /* payloads, from which on the search index is told of them */

struct payloads {
    struct sk_intake *in;
    struct sk_hash indices;
    uint64_t count;
    uint64_t plain_bytes;
    bool lost;              /* the payload at hand, in a salvage */
    bool incomplete;        /* one was */
    struct sk_merkle again; /* without `keep`: of the entries that in->again has given */
    uint8_t entry[SK_ENTRY_LEN];
    struct sk_digest *digest; /* of a body; its blocks pass through there */
};

static void payloads_clear(struct payloads *p)
{
    sk_digest_free(p->digest);
}

/* What is known of the entry that a payload belongs to. */
struct target {
    struct sk_entry entry;
    bool known; /* of a kind that has a payload: otherwise it is read and dropped */
    bool keep;  /* the store lacks it */
};

/* From the log: its bytes, and whether what it commits to is there or was erased. */
static enum sk_status find_held(struct payloads *p, uint64_t position, bool *wanted,
                                struct sk_error *err)
{
    enum sk_status status =
        sk_item_wants(p->in->store, p->in->log.id, position, p->entry, wanted, err);
    return status == SK_MISSING ? sk_fail(err, SK_INTERNAL, "an entry that was put is not there")
                                : status;
}

/* The next entry of the second reading. */
static enum sk_status read_again(struct payloads *p, struct sk_error *err)
{
    uint8_t leaf[SK_MERKLE_LEN];
    struct sk_source source = sk_unpack_source(p->in->again);
    SK_TRY(sk_source_read(&source, p->entry, SK_ENTRY_LEN, err));
    sk_merkle_leaf(leaf, p->entry, SK_ENTRY_LEN);
    sk_merkle_append(&p->again, leaf);
    return SK_OK;
}

/* From the second reading of the bundle: payloads come in the order of their entries. */
static enum sk_status find_read(struct payloads *p, uint32_t index, struct sk_error *err)
{
    while (p->again.size <= p->in->manifest.n0 + index)
        SK_TRY(read_again(p, err));
    return SK_OK;
}

/* What the payloads were held against has to be what the device signed, as the first reading was.
 */
static enum sk_status check_again(struct payloads *p, struct sk_error *err)
{
    uint8_t root[SK_MERKLE_LEN];
    while (p->again.size < p->in->manifest.n1)
        SK_TRY(read_again(p, err));
    sk_merkle_root(&p->again, root);
    return memcmp(root, p->in->manifest.root, sizeof(root)) == 0
               ? SK_OK
               : sk_fail(err, SK_DAMAGED, "the bundle changed while it was read");
}

/* What is wrong with one payload; a salvage passes over it. */
static enum sk_status fail_payload(struct payloads *p, const char *words, struct sk_error *err)
{
    p->lost = p->in->salvage;
    return sk_fail(err, SK_DAMAGED, "%s", words);
}

static enum sk_status find_target(struct payloads *p, const struct sk_payload_head *head,
                                  struct target *out, struct sk_error *err)
{
    const struct sk_manifest *m = &p->in->manifest;
    bool wanted = false;
    if (head->index >= m->n1 - m->n0)
        return fail_payload(p, "a payload belongs to no entry of the bundle", err);
    if (p->in->keep)
        SK_TRY(find_held(p, m->n0 + head->index, &wanted, err));
    else
        SK_TRY(find_read(p, head->index, err));
    out->known =
        sk_entry_decode(&out->entry, p->entry) == SK_OK && sk_entry_has_payload(&out->entry);
    out->keep = out->known && wanted;
    return SK_OK;
}

/* ---- one payload ---- */

#define NOT_COMMITTED "a payload is not what its entry commits to"

/* Reads block j and holds it against its hash. */
static enum sk_status read_block(struct payloads *p, const struct sk_payload_head *head,
                                 const uint8_t *hashes, uint64_t j, uint8_t *out, size_t len,
                                 struct sk_error *err)
{
    uint8_t hash[SK_HASH_LEN];
    bool lost = false;
    SK_TRY(sk_unpack_try(p->in->unpack, out, len, &lost, err));
    if (lost)
        return fail_payload(p, "a payload is lost", err);
    sk_block_hash(hash, head->salt, j, out, len);
    if (memcmp(hash, hashes + j * SK_HASH_LEN, sizeof(hash)) != 0)
        return fail_payload(p, NOT_COMMITTED, err);
    return SK_OK;
}

static enum sk_status check_commitment(struct payloads *p, const struct target *target,
                                       const struct sk_payload_head *head,
                                       const struct sk_buf *hashes, struct sk_error *err)
{
    uint8_t commitment[SK_HASH_LEN];
    if (!target->known)
        return SK_OK;
    sk_commitment(commitment, &target->entry.id, target->entry.revision, head->salt, head->text_len,
                  head->body_len, hashes->bytes);
    if (memcmp(commitment, target->entry.commitment, sizeof(commitment)) != 0)
        return fail_payload(p, NOT_COMMITTED, err);
    return SK_OK;
}

static enum sk_status read_text(struct payloads *p, const struct sk_payload_head *head,
                                struct sk_payload *payload, struct sk_error *err)
{
    uint64_t blocks = sk_block_count(head->text_len, 0);
    SK_TRY(sk_buf_grow(&payload->text, head->text_len, err));
    for (uint64_t j = 0; j < blocks; j++) {
        size_t len = sk_block_len(head->text_len, 0, j);
        uint8_t *at = payload->text.bytes + payload->text.len;
        SK_TRY(read_block(p, head, payload->hashes.bytes, j, at, len, err));
        payload->text.len += len;
        payload->text.bytes[payload->text.len] = 0;
    }
    return SK_OK;
}

/* media: NULL when the body is only to be verified; otherwise it goes through the digest too. */
static enum sk_status read_body(struct payloads *p, const struct sk_payload_head *head,
                                const struct sk_payload *payload, struct sk_media_writer *media,
                                struct sk_error *err)
{
    uint64_t first = sk_block_count(head->text_len, 0);
    uint64_t blocks = sk_block_count(head->text_len, head->body_len);
    for (uint64_t j = first; j < blocks; j++) {
        size_t len = sk_block_len(head->text_len, head->body_len, j);
        uint8_t *block = sk_digest_block(p->digest);
        SK_TRY(read_block(p, head, payload->hashes.bytes, j, block, len, err));
        if (!media)
            continue;
        SK_TRY(sk_media_write(media, block, len, err));
        SK_TRY(sk_digest_add(p->digest, len, err));
    }
    return SK_OK;
}

static enum sk_status write_body(struct payloads *p, const struct sk_payload_head *head,
                                 struct sk_payload *payload, struct sk_error *err)
{
    sk_auto_media_writer media = NULL;
    SK_TRY(sk_media_create(p->in->store, &media, err));
    SK_TRY(read_body(p, head, payload, media, err));
    SK_TRY(sk_media_finish(media, err));
    return sk_media_keep(media, &payload->media, err);
}

/* What an attachment says of its bytes has to be true. */
static enum sk_status keep_body(struct payloads *p, const struct sk_payload_head *head,
                                struct sk_payload *payload, struct sk_error *err)
{
    SK_TRY(sk_digest_begin(p->digest, err));
    if (head->body_len > 0)
        SK_TRY(write_body(p, head, payload, err));
    payload->hashed = true;
    return sk_digest_end(p->digest, payload->sha256, err);
}

static enum sk_status take_payload(struct payloads *p, const struct sk_payload_head *head,
                                   const struct target *target, struct sk_payload *payload,
                                   struct sk_error *err)
{
    bool kept = false;
    memcpy(payload->salt, head->salt, SK_SALT_LEN);
    payload->body_len = head->body_len;
    SK_TRY(check_commitment(p, target, head, &payload->hashes, err));
    SK_TRY(read_text(p, head, payload, err));
    if (!target->keep)
        return read_body(p, head, payload, NULL, err);
    SK_TRY(keep_body(p, head, payload, err));
    SK_TRY(sk_item_fill(p->in->store, p->in->log.id, p->in->manifest.n0 + head->index, payload,
                        &kept, NULL, err));
    p->in->payloads_kept += kept;
    return SK_OK;
}

static void head_wipe(struct sk_payload_head *head)
{
    sk_wipe(head, sizeof(*head));
}

/* Counts a payload as its head says, and takes it. */
static enum sk_status count_payload(struct payloads *p, const struct sk_payload_head *head,
                                    struct sk_payload *payload, struct sk_error *err)
{
    struct target target = {.known = false};
    if (++p->count > p->in->manifest.payload_count)
        return sk_fail(err, SK_DAMAGED, "there are more payloads than the device signed");
    p->plain_bytes += head->text_len + head->body_len;
    sk_hash_add_u32(&p->indices, head->index);
    SK_TRY(find_target(p, head, &target, err));
    return take_payload(p, head, &target, payload, err);
}

static enum sk_status next_payload(struct payloads *p, struct sk_payload *payload, bool *more,
                                   struct sk_error *err)
{
    __attribute__((cleanup(head_wipe))) struct sk_payload_head head = {0};
    sk_buf_reset(&payload->text);
    payload->media = 0;
    payload->hashed = false;
    p->lost = false;
    SK_TRY(sk_unpack_next(p->in->unpack, &head, &payload->hashes,
                          p->in->manifest.plain_bytes - p->plain_bytes, more, err));
    if (!*more)
        return SK_OK;
    enum sk_status status = count_payload(p, &head, payload, err);
    if (status == SK_OK || !p->lost)
        return status;
    sk_error_clear(err);
    p->incomplete = true;
    return SK_OK;
}

/* Nothing may be missing either: an archive that passes a bundle on could leave something out. */
static bool totals_fit(struct payloads *p)
{
    const struct sk_manifest *m = &p->in->manifest;
    uint8_t indices[SK_HASH_LEN];
    sk_hash_end(&p->indices, indices);
    return p->count == m->payload_count && p->plain_bytes == m->plain_bytes &&
           memcmp(indices, m->indices_hash, sizeof(indices)) == 0;
}

enum sk_status sk_intake_payloads(struct sk_intake *in, struct sk_error *err)
{
    __attribute__((cleanup(payloads_clear))) struct payloads p = {.in = in};
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool more = true;
    SK_TRY(sk_digest_new(&p.digest, err));
    sk_merkle_from_peaks(&p.again, in->manifest.n0, &in->manifest.peaks[0][0]);
    sk_hash_init(&p.indices, NULL, SK_LABEL_INDICES);
    if (in->keep && in->manifest.payload_count >= MANY)
        SK_TRY(sk_search_many(in->store, err));
    while (more)
        SK_TRY(next_payload(&p, &payload, &more, err));
    if (!in->keep)
        SK_TRY(check_again(&p, err));
    p.in->complete = totals_fit(&p) && !p.incomplete;
    return p.in->complete || in->salvage
               ? SK_OK
               : sk_fail(err, SK_DAMAGED, "the payloads are not those that the device signed");
}
