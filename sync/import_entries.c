/*
 * The manifest and the entries of a bundle.
 *
 * What the device signed is a root over all entries up to n1. Peaks at n0 and the bundle's entries
 * give that root again: then the entries are the device's, whoever carried them. Only after that do
 * they say anything about the device: if they differ from what the log holds, it has two histories.
 */
#include "sync/import_parts.h"

#include "crypto/bytes.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_ENTRIES ((size_t)512)

/* ---- manifest ---- */

static enum sk_status check_recipients(const struct sk_intake *in, struct sk_error *err)
{
    const struct sk_manifest *m = &in->manifest;
    for (unsigned i = 0; i < m->recipient_count; i++)
        if (memcmp(m->recipients[i], sk_store_id(in->store), SK_HASH_LEN) == 0)
            return SK_OK;
    return sk_fail(err, SK_REFUSED,
                   "the device did not sign this bundle for this archive: somebody else wrapped "
                   "it. Ask for it again");
}

static enum sk_status check_manifest(const struct sk_intake *in,
                                     const struct sk_intake_envelope *envelope,
                                     struct sk_error *err)
{
    const struct sk_manifest *m = &in->manifest;
    struct sk_checkpoint head;
    if (m->k != 1 || m->n != 1)
        return sk_fail(err, SK_CONFIG, "this is a part of a bundle in several files");
    if (memcmp(m->header_hashes[0], envelope->header_hash, SK_HASH_LEN) != 0 ||
        (envelope->set_id && memcmp(m->set_id, envelope->set_id, SK_SET_ID_LEN) != 0))
        return sk_fail(err, SK_DAMAGED, "the manifest was signed for another file");
    SK_TRY(check_recipients(in, err));
    SK_TRY(sk_log_check_note(in->log_id, m->sign_public, m->note, &head, err));
    if (head.size != m->n1 || memcmp(head.root, m->root, SK_MERKLE_LEN) != 0)
        return sk_fail(err, SK_DAMAGED, "the manifest and its checkpoint do not agree");
    return SK_OK;
}

enum sk_status sk_intake_manifest(struct sk_intake *in, const struct sk_intake_envelope *envelope,
                                  struct sk_error *err)
{
    sk_auto_buf encoded = SK_BUF_INIT;
    uint8_t len_bytes[4];
    uint8_t signature[SK_SIGNATURE_LEN];
    struct sk_source source = sk_unpack_source(in->unpack);
    SK_TRY(sk_source_read(&source, len_bytes, sizeof(len_bytes), err));
    uint32_t len = sk_get_u32(len_bytes);
    if (len == 0 || len > SK_MANIFEST_MAX)
        return sk_fail(err, SK_LIMIT, "the manifest is too long");
    SK_TRY(sk_buf_grow(&encoded, len, err));
    SK_TRY(sk_source_read(&source, encoded.bytes, len, err));
    encoded.len = len;
    SK_TRY(sk_source_read(&source, signature, sizeof(signature), err));
    SK_TRY(sk_manifest_decode(&in->manifest, encoded.bytes, encoded.len, err));
    SK_TRY(
        sk_manifest_verify(signature, encoded.bytes, encoded.len, in->manifest.sign_public, err));
    sk_log_id(in->log_id, in->manifest.sign_public, in->manifest.dh_public);
    memcpy(in->header_hash, envelope->header_hash, SK_HASH_LEN);
    return check_manifest(in, envelope, err);
}

/* ---- entries ---- */

/* How the entries compare with what the log holds, while they are read. */
struct compare {
    struct sk_merkle tree;            /* of the bundle, at the position reached */
    struct sk_ranges held;            /* what the log has stored before */
    uint64_t next_n0;                 /* where the next known head stands ... */
    uint8_t next_root[SK_MERKLE_LEN]; /* ... and what it is */
};

static void compare_clear(struct compare *compare)
{
    sk_ranges_clear(&compare->held);
}

static bool same_root(const struct sk_merkle *a, const struct sk_merkle *b)
{
    uint8_t x[SK_MERKLE_LEN];
    uint8_t y[SK_MERKLE_LEN];
    sk_merkle_root(a, x);
    sk_merkle_root(b, y);
    return memcmp(x, y, sizeof(x)) == 0;
}

/* Holds the peaks at n0 against the log's own tree, or that of a part behind a gap. */
static enum sk_status compare_start(struct sk_intake *in, struct compare *compare,
                                    struct sk_error *err)
{
    uint64_t n0 = in->manifest.n0;
    struct sk_merkle own;
    bool known = n0 <= in->log.size;
    if (known)
        SK_TRY(sk_log_tree(in->store, in->log.id, n0, &own, err));
    else
        SK_TRY(sk_segment_tree(in->store, in->log.id, n0, &own, &known, err));
    if (known && !same_root(&own, &compare->tree))
        in->fork = true;
    SK_TRY(sk_log_ranges(in->store, in->log.id, &compare->held, err));
    return sk_segment_next(in->store, in->log.id, n0, &compare->next_n0, compare->next_root, err);
}

/* At the beginning of a part that came before: its peaks were signed, and have to be these. */
static enum sk_status compare_head(struct sk_intake *in, struct compare *compare,
                                   struct sk_error *err)
{
    uint8_t root[SK_MERKLE_LEN];
    if (compare->tree.size != compare->next_n0)
        return SK_OK;
    sk_merkle_root(&compare->tree, root);
    if (memcmp(root, compare->next_root, sizeof(root)) != 0)
        in->fork = true;
    return sk_segment_next(in->store, in->log.id, compare->tree.size + 1, &compare->next_n0,
                           compare->next_root, err);
}

/* Marks an entry as malformed unless it is already. */
static enum sk_status mark(struct sk_store *store, int64_t row, const char *reason,
                           struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "INSERT OR IGNORE INTO malformed(entry, reason) VALUES(?1, ?2)", err));
    sk_bind_int(stmt, 1, row);
    sk_bind_text(stmt, 2, reason);
    return sk_run(stmt, err);
}

static enum sk_status put_entry(struct sk_intake *in, uint64_t position,
                                const uint8_t bytes[static SK_ENTRY_LEN], struct sk_error *err)
{
    struct sk_entry entry;
    int64_t row = sk_entry_row(in->log.id, position);
    in->entries_new++;
    if (sk_entry_decode(&entry, bytes) != SK_OK) {
        SK_TRY(sk_log_put(in->store, in->log.id, position, bytes, 0, err));
        return mark(in->store, row, "it is not an entry of a kind that is known here", err);
    }
    SK_TRY(sk_item_put(in->store, in->log.id, position, &entry, NULL, NULL, err));
    if (in->salvage)
        SK_TRY(sk_lacking_add(in->store, in->log.id, position, err));
    return sk_mark_revisions(in->store, row, bytes, err);
}

/* One entry: into the tree, and into the log if it is not there. After a fork only the tree grows.
 */
static enum sk_status take_entry(struct sk_intake *in, struct compare *compare,
                                 const uint8_t bytes[static SK_ENTRY_LEN], struct sk_error *err)
{
    uint8_t leaf[SK_MERKLE_LEN];
    uint8_t own[SK_ENTRY_LEN];
    uint64_t position = compare->tree.size;
    bool found = false;
    sk_merkle_leaf(leaf, bytes, SK_ENTRY_LEN);
    if (in->keep)
        SK_TRY(compare_head(in, compare, err));
    sk_merkle_append(&compare->tree, leaf);
    if (!in->keep || in->fork)
        return SK_OK;
    if (sk_ranges_contain(&compare->held, position))
        SK_TRY(sk_log_entry(in->store, in->log.id, position, own, &found, err));
    if (!found)
        return put_entry(in, position, bytes, err);
    in->entries_known++;
    in->fork = memcmp(own, bytes, SK_ENTRY_LEN) != 0;
    return SK_OK;
}

static enum sk_status read_entries(struct sk_intake *in, struct compare *compare,
                                   struct sk_error *err)
{
    sk_auto_free uint8_t *piece = malloc(PIECE_ENTRIES * SK_ENTRY_LEN);
    struct sk_source source = sk_unpack_source(in->unpack);
    if (!piece)
        return sk_fail_status(err, SK_NOMEM);
    while (compare->tree.size < in->manifest.n1) {
        uint64_t left = in->manifest.n1 - compare->tree.size;
        size_t count = left < PIECE_ENTRIES ? (size_t)left : PIECE_ENTRIES;
        SK_TRY(sk_source_read(&source, piece, count * SK_ENTRY_LEN, err));
        for (size_t i = 0; i < count; i++)
            SK_TRY(take_entry(in, compare, piece + i * SK_ENTRY_LEN, err));
    }
    return in->keep ? compare_head(in, compare, err) : SK_OK;
}

enum sk_status sk_intake_entries(struct sk_intake *in, struct sk_error *err)
{
    __attribute__((cleanup(compare_clear))) struct compare compare = {.next_n0 = UINT64_MAX};
    uint8_t root[SK_MERKLE_LEN];
    sk_merkle_from_peaks(&compare.tree, in->manifest.n0, &in->manifest.peaks[0][0]);
    if (in->keep)
        SK_TRY(compare_start(in, &compare, err));
    SK_TRY(read_entries(in, &compare, err));
    sk_merkle_root(&compare.tree, root);
    if (memcmp(root, in->manifest.root, sizeof(root)) != 0) {
        in->fork = false;
        return sk_fail(err, SK_DAMAGED, "the entries are not those that the device signed");
    }
    return SK_OK;
}
