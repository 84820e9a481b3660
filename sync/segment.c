/*
 * Segments: what a device signed about a part of its log in one bundle. Behind a gap they are the
 * only thing that what comes later can be held against.
 */
#include "sync/import_parts.h"

#include "core/continuation.h"

#include <string.h>

/* Column of peaks at n0, as a tree. */
static enum sk_status tree_column(struct sk_stmt *stmt, int index, uint64_t n0,
                                  struct sk_merkle *out, struct sk_error *err)
{
    uint8_t peaks[SK_MERKLE_PEAKS_MAX * SK_MERKLE_LEN];
    SK_TRY(sk_column_copy(stmt, index, peaks, sk_merkle_peak_count(n0) * SK_MERKLE_LEN, err));
    sk_merkle_from_peaks(out, n0, peaks);
    return SK_OK;
}

static enum sk_status append_entries(struct sk_store *store, int64_t log, uint64_t to,
                                     struct sk_merkle *tree, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT id, bytes FROM entry WHERE id >= ?1 AND id < ?2 ORDER BY id",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(log, tree->size));
    sk_bind_int(stmt, 2, sk_entry_row(log, to));
    while (tree->size < to) {
        uint8_t bytes[SK_ENTRY_LEN];
        uint8_t leaf[SK_MERKLE_LEN];
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row || sk_entry_row_position(sk_column_int(stmt, 0)) != tree->size)
            return sk_fail(err, SK_DAMAGED, "entry %llu of a log is gone",
                           (unsigned long long)tree->size);
        SK_TRY(sk_column_copy(stmt, 1, bytes, sizeof(bytes), err));
        sk_merkle_leaf(leaf, bytes, sizeof(bytes));
        sk_merkle_append(tree, leaf);
    }
    return SK_OK;
}

enum sk_status sk_segment_tree(struct sk_store *store, int64_t log, uint64_t position,
                               struct sk_merkle *out, bool *found, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT n0, peaks FROM segment WHERE log = ?1 AND n0 <= ?2 AND n1 >= ?2 "
                         "ORDER BY n0 DESC LIMIT 1",
                         err));
    sk_bind_int(stmt, 1, log);
    sk_bind_int(stmt, 2, (int64_t)position);
    SK_TRY(sk_step(stmt, &row, err));
    if (row) {
        struct sk_merkle tree;
        SK_TRY(tree_column(stmt, 1, (uint64_t)sk_column_int(stmt, 0), &tree, err));
        SK_TRY(append_entries(store, log, position, &tree, err));
        *out = tree;
    }
    *found = row;
    return SK_OK;
}

enum sk_status sk_segment_next(struct sk_store *store, int64_t log, uint64_t from, uint64_t *n0,
                               uint8_t root[static SK_MERKLE_LEN], struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT n0, peaks FROM segment WHERE log = ?1 AND n0 >= ?2 "
                         "ORDER BY n0 LIMIT 1",
                         err));
    sk_bind_int(stmt, 1, log);
    sk_bind_int(stmt, 2, (int64_t)from);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row) {
        *n0 = UINT64_MAX;
        return SK_OK;
    }
    struct sk_merkle tree;
    SK_TRY(tree_column(stmt, 1, (uint64_t)sk_column_int(stmt, 0), &tree, err));
    sk_merkle_root(&tree, root);
    *n0 = tree.size;
    return SK_OK;
}

enum sk_status sk_segment_note(struct sk_store *store, int64_t log, uint64_t most,
                               struct sk_buf *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT note FROM segment WHERE log = ?1 AND n1 <= ?2 "
                         "ORDER BY n1 DESC LIMIT 1",
                         err));
    sk_bind_int(stmt, 1, log);
    sk_bind_int(stmt, 2, (int64_t)most);
    SK_TRY(sk_step(stmt, &row, err));
    return row ? sk_buf_add_text(out, sk_column_text(stmt, 0), err) : SK_OK;
}

enum sk_status sk_malformed_count(struct sk_store *store, int64_t log, uint64_t n0, uint64_t n1,
                                  uint64_t *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT count(*) FROM malformed WHERE entry >= ?1 AND entry < ?2", err));
    sk_bind_int(stmt, 1, sk_entry_row(log, n0));
    sk_bind_int(stmt, 2, sk_entry_row(log, n1));
    SK_TRY(sk_step(stmt, &row, err));
    *out = (uint64_t)sk_column_int(stmt, 0);
    return SK_OK;
}

/* ---- after a bundle was taken ---- */

/* A damaged copy of this very bundle was salvaged before. */
static enum sk_status has_segment(const struct sk_intake *in, bool *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(in->store), &stmt,
                         "SELECT 1 FROM segment WHERE log = ?1 AND n0 = ?2 AND header_hash = ?3",
                         err));
    sk_bind_int(stmt, 1, in->log.id);
    sk_bind_int(stmt, 2, (int64_t)in->manifest.n0);
    sk_bind_bytes(stmt, 3, in->header_hash, SK_HASH_LEN);
    return sk_step(stmt, out, err);
}

static enum sk_status insert_segment(struct sk_intake *in, struct sk_error *err)
{
    const struct sk_manifest *m = &in->manifest;
    sk_auto_stmt stmt = NULL;
    bool there = false;
    SK_TRY(has_segment(in, &there, err));
    if (there)
        return SK_OK;
    SK_TRY(sk_db_prepare(sk_store_db(in->store), &stmt,
                         "INSERT INTO segment(log, n0, n1, peaks, note, joined, number, "
                         "header_hash) VALUES(?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)",
                         err));
    sk_bind_int(stmt, 1, in->log.id);
    sk_bind_int(stmt, 2, (int64_t)m->n0);
    sk_bind_int(stmt, 3, (int64_t)m->n1);
    sk_bind_bytes(stmt, 4, m->peaks, sk_merkle_peak_count(m->n0) * SK_MERKLE_LEN);
    sk_bind_text(stmt, 5, m->note);
    sk_bind_int(stmt, 6, (int64_t)m->number);
    sk_bind_bytes(stmt, 7, in->header_hash, SK_HASH_LEN);
    return sk_run(stmt, err);
}

static enum sk_status mark_joined(struct sk_intake *in, uint64_t size, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(in->store), &stmt,
                         "UPDATE segment SET joined = 1 WHERE log = ?1 AND n1 <= ?2 AND NOT joined",
                         err));
    sk_bind_int(stmt, 1, in->log.id);
    sk_bind_int(stmt, 2, (int64_t)size);
    return sk_run(stmt, err);
}

/*
 * The part without a gap always ends where some bundle ended. What was signed there has to be its
 * head, however it was put together.
 */
static enum sk_status check_head(struct sk_intake *in, uint64_t size, const char *note,
                                 struct sk_error *err)
{
    struct sk_checkpoint head;
    struct sk_merkle tree;
    uint8_t root[SK_MERKLE_LEN];
    SK_TRY(sk_log_check_note(in->log_id, in->manifest.sign_public, note, &head, err));
    SK_TRY(sk_log_tree(in->store, in->log.id, size, &tree, err));
    sk_merkle_root(&tree, root);
    if (head.size != size || memcmp(head.root, root, sizeof(root)) != 0)
        in->fork = true;
    return SK_OK;
}

enum sk_status sk_intake_finish(struct sk_intake *in, struct sk_error *err)
{
    sk_auto_buf note = SK_BUF_INIT;
    uint64_t size = 0;
    SK_TRY(insert_segment(in, err));
    SK_TRY(sk_lacking_settle(in->store, in->log.id, in->manifest.n0, in->manifest.n1, in->complete,
                             err));
    SK_TRY(sk_log_join(in->store, in->log.id, SK_POSITION_MAX, &size, err));
    if (size == 0) /* the beginning is still missing */
        return sk_continuation_settle(in->store, in->log_id, err);
    SK_TRY(mark_joined(in, size, err));
    SK_TRY(sk_segment_note(in->store, in->log.id, size, &note, err));
    SK_TRY(check_head(in, size, sk_buf_text(&note), err));
    if (in->fork) /* the caller rolls all of it back: there is nothing to settle */
        return SK_OK;
    SK_TRY(sk_log_set_note(in->store, in->log.id, sk_buf_text(&note), err));
    return sk_continuation_settle(in->store, in->log_id, err);
}
