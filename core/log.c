#include "core/log.h"

#include "core/store_internal.h"

/* Subtrees from this level up have their roots kept in `node`; below, 256 leaves are hashed again.
 */
#define NODE_LEVEL_MIN 8

static const char *const state_names[] = {"own", "enrolled", "waiting", "frozen"};

const char *sk_log_state_name(enum sk_log_state state)
{
    return (size_t)state < sizeof(state_names) / sizeof(state_names[0]) ? state_names[state]
                                                                        : "unknown";
}

void sk_log_origin(char out[static SK_ORIGIN_LEN], const uint8_t log_id[static SK_HASH_LEN])
{
    static const char prefix[] = "skrynia/";
    memcpy(out, prefix, sizeof(prefix) - 1);
    sk_hex(out + sizeof(prefix) - 1, log_id, SK_HASH_LEN);
}

void sk_log_id(uint8_t out[static SK_HASH_LEN],
               const uint8_t sign_public[static SK_SIGN_PUBLIC_LEN],
               const uint8_t dh_public[static SK_DH_LEN])
{
    uint8_t both[SK_SIGN_PUBLIC_LEN + SK_DH_LEN];
    memcpy(both, sign_public, SK_SIGN_PUBLIC_LEN);
    memcpy(both + SK_SIGN_PUBLIC_LEN, dh_public, SK_DH_LEN);
    sk_hash_of(out, NULL, SK_LABEL_LOG_ID, both, sizeof(both));
}

int64_t sk_entry_row(int64_t log, uint64_t position)
{
    return log * (int64_t)SK_POSITION_MAX + (int64_t)position;
}

int64_t sk_entry_row_log(int64_t row)
{
    return row / (int64_t)SK_POSITION_MAX;
}

uint64_t sk_entry_row_position(int64_t row)
{
    return (uint64_t)(row % (int64_t)SK_POSITION_MAX);
}

/* Rows of the table `log` */

#define LOG_COLUMNS "id, log_id, sign_public, dh_public, alias, state, ifnull(peer, 0), size"

static enum sk_status log_from_row(const struct sk_store *store, struct sk_stmt *stmt,
                                   struct sk_log *out, struct sk_error *err)
{
    struct sk_log log = {.id = sk_column_int(stmt, 0)};
    SK_TRY(sk_column_copy(stmt, 1, log.log_id, SK_HASH_LEN, err));
    SK_TRY(sk_column_copy(stmt, 2, log.sign_public, SK_SIGN_PUBLIC_LEN, err));
    SK_TRY(sk_column_copy(stmt, 3, log.dh_public, SK_DH_LEN, err));
    (void)snprintf(log.alias, sizeof(log.alias), "%s", sk_column_text(stmt, 4));
    log.state = (enum sk_log_state)sk_column_int(stmt, 5);
    log.peer = sk_column_int(stmt, 6);
    log.size = (uint64_t)sk_column_int(stmt, 7);
    if (store->tail.log == log.id)
        log.size = store->tail.tree.size;
    *out = log;
    return SK_OK;
}

enum sk_status sk_log_get(struct sk_store *store, int64_t id, struct sk_log *out,
                          struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT " LOG_COLUMNS " FROM log WHERE id = ?1", err));
    sk_bind_int(stmt, 1, id);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return sk_fail(err, SK_MISSING, "there is no such log");
    return log_from_row(store, stmt, out, err);
}

enum sk_status sk_log_find(struct sk_store *store, const uint8_t log_id[static SK_HASH_LEN],
                           struct sk_log *out, bool *found, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(
        sk_db_prepare(store->db, &stmt, "SELECT " LOG_COLUMNS " FROM log WHERE log_id = ?1", err));
    sk_bind_bytes(stmt, 1, log_id, SK_HASH_LEN);
    SK_TRY(sk_step(stmt, &row, err));
    if (row)
        SK_TRY(log_from_row(store, stmt, out, err));
    *found = row;
    return SK_OK;
}

enum sk_status sk_log_each(struct sk_store *store, sk_log_each_fn *each, void *context,
                           struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT " LOG_COLUMNS " FROM log ORDER BY id", err));
    for (;;) {
        bool row = false;
        struct sk_log log;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(log_from_row(store, stmt, &log, err));
        SK_TRY(each(context, &log, err));
    }
}

enum sk_status sk_log_create(struct sk_store *store, struct sk_log *log, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT INTO log(log_id, sign_public, dh_public, alias, state, peer, "
                         "size, peaks, note) VALUES(?1, ?2, ?3, ?4, ?5, nullif(?6, 0), 0, x'', '')",
                         err));
    sk_bind_bytes(stmt, 1, log->log_id, SK_HASH_LEN);
    sk_bind_bytes(stmt, 2, log->sign_public, SK_SIGN_PUBLIC_LEN);
    sk_bind_bytes(stmt, 3, log->dh_public, SK_DH_LEN);
    sk_bind_text(stmt, 4, log->alias);
    sk_bind_int(stmt, 5, log->state);
    sk_bind_int(stmt, 6, log->peer);
    SK_TRY(sk_run(stmt, err));
    store->kin_changed = true;
    log->id = sk_db_last_id(store->db);
    log->size = 0;
    return SK_OK;
}

enum sk_status sk_log_set_state(struct sk_store *store, int64_t id, enum sk_log_state state,
                                struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "UPDATE log SET state = ?2 WHERE id = ?1", err));
    sk_bind_int(stmt, 1, id);
    sk_bind_int(stmt, 2, state);
    return sk_run(stmt, err);
}

enum sk_status sk_log_entry(struct sk_store *store, int64_t log, uint64_t position,
                            uint8_t out[static SK_ENTRY_LEN], bool *found, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT bytes FROM entry WHERE id = ?1", err));
    sk_bind_int(stmt, 1, sk_entry_row(log, position));
    bool row = false;
    SK_TRY(sk_step(stmt, &row, err));
    if (row)
        SK_TRY(sk_column_copy(stmt, 0, out, SK_ENTRY_LEN, err));
    *found = row;
    return SK_OK;
}

/* Size and peaks of the part without a gap */

static enum sk_status load_tree(struct sk_store *store, int64_t log, struct sk_merkle *out,
                                struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT size, peaks FROM log WHERE id = ?1", err));
    sk_bind_int(stmt, 1, log);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return sk_fail(err, SK_DAMAGED, "the database lacks a log");
    uint64_t size = (uint64_t)sk_column_int(stmt, 0);
    size_t len = 0;
    const uint8_t *peaks = sk_column_bytes(stmt, 1, &len);
    if (size >= SK_POSITION_MAX || len != sk_merkle_peak_count(size) * SK_MERKLE_LEN)
        return sk_fail(err, SK_DAMAGED, "the size of a log and its peaks do not agree");
    sk_merkle_from_peaks(out, size, peaks);
    return SK_OK;
}

static enum sk_status save_tree(struct sk_store *store, int64_t log, const struct sk_merkle *tree,
                                struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(
        sk_db_prepare(store->db, &stmt, "UPDATE log SET size = ?2, peaks = ?3 WHERE id = ?1", err));
    sk_bind_int(stmt, 1, log);
    sk_bind_int(stmt, 2, (int64_t)tree->size);
    sk_bind_bytes(stmt, 3, tree->peaks, sk_merkle_peak_count(tree->size) * SK_MERKLE_LEN);
    return sk_run(stmt, err);
}

static enum sk_status save_node(struct sk_store *store, int64_t log, unsigned level, uint64_t index,
                                const uint8_t *hash, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT OR REPLACE INTO node(log, level, idx, hash) "
                         "VALUES(?1, ?2, ?3, ?4)",
                         err));
    sk_bind_int(stmt, 1, log);
    sk_bind_int(stmt, 2, level);
    sk_bind_int(stmt, 3, (int64_t)index);
    sk_bind_bytes(stmt, 4, hash, SK_MERKLE_LEN);
    return sk_run(stmt, err);
}

/* The root of a large full subtree, as kept. */
static enum sk_status load_node(struct sk_store *store, int64_t log, unsigned level, uint64_t index,
                                uint8_t out[static SK_MERKLE_LEN], struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT hash FROM node WHERE log = ?1 AND level = ?2 AND idx = ?3", err));
    sk_bind_int(stmt, 1, log);
    sk_bind_int(stmt, 2, level);
    sk_bind_int(stmt, 3, (int64_t)index);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return sk_fail(err, SK_DAMAGED, "the database lacks a node of a log's tree");
    return sk_column_copy(stmt, 0, out, SK_MERKLE_LEN, err);
}

static enum sk_status check_node(struct sk_store *store, int64_t log, unsigned level,
                                 uint64_t index, const uint8_t *hash, struct sk_error *err)
{
    uint8_t kept[SK_MERKLE_LEN];
    SK_TRY(load_node(store, log, level, index, kept, err));
    if (memcmp(kept, hash, SK_MERKLE_LEN) != 0)
        return sk_fail(err, SK_DAMAGED, "a node of a log's tree is not that of its entries");
    return SK_OK;
}

/* What is done with the root of each large subtree: save_node() or check_node(). */
typedef enum sk_status node_fn(struct sk_store *store, int64_t log, unsigned level, uint64_t index,
                               const uint8_t *hash, struct sk_error *err);

/*
 * Adds a leaf and gives out the roots of the large subtrees that it completes. A subtree of level L
 * is complete when 2^L divides the size; those roots come up while the peaks are merged, so they
 * are made here by a tree of the same steps over the larger peaks.
 */
static enum sk_status append_leaf(struct sk_store *store, int64_t log, struct sk_merkle *tree,
                                  const uint8_t leaf[static SK_MERKLE_LEN], node_fn *node,
                                  struct sk_error *err)
{
    struct sk_merkle before = *tree;
    sk_merkle_append(tree, leaf);
    if (tree->size % (1u << NODE_LEVEL_MIN) != 0)
        return SK_OK;
    /* The last peaks of `before` are full subtrees of level 0, 1, 2 ... from the right. */
    uint8_t hash[SK_MERKLE_LEN];
    memcpy(hash, leaf, SK_MERKLE_LEN);
    size_t peak = sk_merkle_peak_count(before.size);
    for (unsigned level = 1; level < 64 && tree->size % (1ull << level) == 0; level++) {
        sk_merkle_node(hash, before.peaks[--peak], hash);
        if (level >= NODE_LEVEL_MIN)
            SK_TRY(node(store, log, level, (tree->size >> level) - 1, hash, err));
    }
    return SK_OK;
}

/* The tail of a log, read if it is not the one at hand. */
static enum sk_status tail_of(struct sk_store *store, int64_t log, struct sk_merkle **tree,
                              struct sk_error *err)
{
    struct sk_log_tail *tail = &store->tail;
    if (tail->log != log) {
        if (tail->dirty)
            SK_TRY(save_tree(store, tail->log, &tail->tree, err));
        tail->log = 0;
        tail->dirty = false;
        SK_TRY(load_tree(store, log, &tail->tree, err));
        tail->log = log;
    }
    *tree = &tail->tree;
    return SK_OK;
}

enum sk_status sk_log_size(struct sk_store *store, int64_t log, uint64_t *size,
                           struct sk_error *err)
{
    struct sk_merkle *tree = NULL;
    SK_TRY(tail_of(store, log, &tree, err));
    *size = tree->size;
    return SK_OK;
}

enum sk_status sk_log_finish(struct sk_store *store, struct sk_error *err)
{
    struct sk_log_tail *tail = &store->tail;
    if (!tail->dirty)
        return SK_OK;
    SK_TRY(save_tree(store, tail->log, &tail->tree, err));
    if (store->kind == SK_STORE_DEVICE) {
        char note[SK_CHECKPOINT_NOTE_MAX];
        SK_TRY(sk_log_sign_note(store, note, &tail->tree, err));
        SK_TRY(sk_log_set_note(store, tail->log, note, err));
    }
    tail->dirty = false;
    return SK_OK;
}

void sk_log_forget(struct sk_store *store)
{
    store->tail.log = 0;
    store->tail.dirty = false;
}

static enum sk_status insert_entry(struct sk_store *store, int64_t row, int64_t item,
                                   const uint8_t *bytes, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "INSERT INTO entry(id, item, bytes) VALUES(?1, ?2, ?3)",
                         err));
    sk_bind_int(stmt, 1, row);
    sk_bind_int(stmt, 2, item);
    sk_bind_bytes(stmt, 3, bytes, SK_ENTRY_LEN);
    return sk_run(stmt, err);
}

enum sk_status sk_log_put(struct sk_store *store, int64_t log, uint64_t position,
                          const uint8_t bytes[static SK_ENTRY_LEN], int64_t item,
                          struct sk_error *err)
{
    if (position >= SK_POSITION_MAX - 1)
        return sk_fail(err, SK_LIMIT, "the log is full");
    struct sk_merkle *tree = NULL;
    SK_TRY(tail_of(store, log, &tree, err));
    if (store->kind == SK_STORE_DEVICE && position != tree->size)
        return sk_fail(err, SK_REFUSED, "a log only grows at its end");
    bool taken = false;
    uint8_t there[SK_ENTRY_LEN];
    SK_TRY(sk_log_entry(store, log, position, there, &taken, err));
    if (taken)
        return sk_fail(err, SK_REFUSED, "the log has an entry at this position already");
    SK_TRY(insert_entry(store, sk_entry_row(log, position), item, bytes, err));
    if (position != tree->size)
        return SK_OK;
    uint8_t leaf[SK_MERKLE_LEN];
    sk_merkle_leaf(leaf, bytes, SK_ENTRY_LEN);
    store->tail.dirty = true;
    return append_leaf(store, log, tree, leaf, save_node, err);
}

enum sk_status sk_log_join(struct sk_store *store, int64_t log, uint64_t limit, uint64_t *size,
                           struct sk_error *err)
{
    struct sk_merkle *tree = NULL;
    SK_TRY(tail_of(store, log, &tree, err));
    while (tree->size < limit) {
        uint8_t bytes[SK_ENTRY_LEN];
        uint8_t leaf[SK_MERKLE_LEN];
        bool found = false;
        SK_TRY(sk_log_entry(store, log, tree->size, bytes, &found, err));
        if (!found)
            break;
        sk_merkle_leaf(leaf, bytes, SK_ENTRY_LEN);
        store->tail.dirty = true;
        SK_TRY(append_leaf(store, log, tree, leaf, save_node, err));
    }
    *size = tree->size;
    return SK_OK;
}

/* Trees and proofs */

struct tree_reader {
    struct sk_store *store;
    int64_t log;
    struct sk_error *err;
};

/* The root of a small full subtree, from its entries. */
static enum sk_status hash_leaves(const struct tree_reader *reader, uint64_t first, uint64_t count,
                                  uint8_t out[static SK_MERKLE_LEN])
{
    sk_auto_stmt stmt = NULL;
    struct sk_merkle tree;
    sk_merkle_init(&tree);
    SK_TRY(sk_db_prepare(reader->store->db, &stmt,
                         "SELECT bytes FROM entry WHERE id >= ?1 AND id < ?2 ORDER BY id",
                         reader->err));
    sk_bind_int(stmt, 1, sk_entry_row(reader->log, first));
    sk_bind_int(stmt, 2, sk_entry_row(reader->log, first + count));
    for (uint64_t i = 0; i < count; i++) {
        bool row = false;
        uint8_t bytes[SK_ENTRY_LEN];
        uint8_t leaf[SK_MERKLE_LEN];
        SK_TRY(sk_step(stmt, &row, reader->err));
        if (!row)
            return sk_fail(reader->err, SK_DAMAGED, "the database lacks an entry of a log");
        SK_TRY(sk_column_copy(stmt, 0, bytes, SK_ENTRY_LEN, reader->err));
        sk_merkle_leaf(leaf, bytes, SK_ENTRY_LEN);
        sk_merkle_append(&tree, leaf);
    }
    sk_merkle_root(&tree, out);
    return SK_OK;
}

static enum sk_status read_subtree(void *context, unsigned level, uint64_t index,
                                   uint8_t out[static SK_MERKLE_LEN])
{
    const struct tree_reader *reader = context;
    if (level < NODE_LEVEL_MIN)
        return hash_leaves(reader, index << level, 1ull << level, out);
    return load_node(reader->store, reader->log, level, index, out, reader->err);
}

enum sk_status sk_log_tree(struct sk_store *store, int64_t log, uint64_t size,
                           struct sk_merkle *out, struct sk_error *err)
{
    uint64_t now = 0;
    SK_TRY(sk_log_size(store, log, &now, err));
    if (size > now)
        return sk_fail(err, SK_USAGE, "the log has only %llu entries", (unsigned long long)now);
    struct tree_reader reader = {store, log, err};
    return sk_merkle_peaks_at(out, size, read_subtree, &reader);
}

enum sk_status sk_log_prove(struct sk_store *store, int64_t log, uint64_t old_size,
                            uint64_t new_size,
                            uint8_t proof[static SK_MERKLE_PROOF_MAX][SK_MERKLE_LEN], size_t *count,
                            struct sk_error *err)
{
    uint64_t now = 0;
    SK_TRY(sk_log_size(store, log, &now, err));
    if (old_size == 0 || old_size > new_size || new_size > now)
        return sk_fail(err, SK_USAGE, "a proof goes from a size of at least 1 to at most %llu",
                       (unsigned long long)now);
    struct tree_reader reader = {store, log, err};
    return sk_merkle_prove_consistency(proof, count, old_size, new_size, read_subtree, &reader);
}

/* Notes */

enum sk_status sk_log_note(struct sk_store *store, int64_t log, struct sk_buf *out,
                           struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT note FROM log WHERE id = ?1", err));
    sk_bind_int(stmt, 1, log);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return sk_fail(err, SK_MISSING, "there is no such log");
    return sk_buf_add_text(out, sk_column_text(stmt, 0), err);
}

enum sk_status sk_log_set_note(struct sk_store *store, int64_t log, const char *note,
                               struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "UPDATE log SET note = ?2 WHERE id = ?1", err));
    sk_bind_int(stmt, 1, log);
    sk_bind_text(stmt, 2, note);
    return sk_run(stmt, err);
}

enum sk_status sk_log_sign_note(const struct sk_store *store,
                                char note[static SK_CHECKPOINT_NOTE_MAX],
                                const struct sk_merkle *tree, struct sk_error *err)
{
    struct sk_checkpoint checkpoint = {.size = tree->size};
    sk_log_origin(checkpoint.origin, store->id);
    sk_merkle_root(tree, checkpoint.root);
    char text[SK_CHECKPOINT_TEXT_MAX];
    char line[SK_NOTE_LINE_MAX];
    enum sk_status status = sk_checkpoint_format(text, &checkpoint);
    if (status == SK_OK)
        status = sk_note_sign(line, text, strlen(text), checkpoint.origin, sk_store_seed(store));
    if (status != SK_OK)
        return sk_fail_status(err, status);
    (void)snprintf(note, SK_CHECKPOINT_NOTE_MAX, "%s\n%s", text, line);
    return SK_OK;
}

enum sk_status sk_log_check_note(const uint8_t log_id[static SK_HASH_LEN],
                                 const uint8_t sign_public[static SK_SIGN_PUBLIC_LEN],
                                 const char *note, struct sk_checkpoint *out, struct sk_error *err)
{
    char origin[SK_ORIGIN_LEN];
    size_t text_len = 0;
    struct sk_checkpoint checkpoint;
    sk_log_origin(origin, log_id);
    if (sk_note_verify(note, strlen(note), origin, sign_public, &text_len) != SK_OK ||
        sk_checkpoint_parse(&checkpoint, note, text_len) != SK_OK ||
        strcmp(checkpoint.origin, origin) != 0)
        return sk_fail(err, SK_DAMAGED, "a checkpoint is not signed by its log's key");
    *out = checkpoint;
    return SK_OK;
}

/* Ranges, and the whole log again */

enum sk_status sk_log_ranges(struct sk_store *store, int64_t log, struct sk_ranges *out,
                             struct sk_error *err)
{
    uint64_t size = 0;
    SK_TRY(sk_log_size(store, log, &size, err));
    if (size)
        SK_TRY(sk_ranges_add(out, 0, size, err));
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT n0, n1 FROM segment WHERE log = ?1 AND NOT joined ORDER BY n0",
                         err));
    sk_bind_int(stmt, 1, log);
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(sk_ranges_add(out, (uint64_t)sk_column_int(stmt, 0),
                             (uint64_t)sk_column_int(stmt, 1), err));
    }
}

enum sk_status sk_entry_ranges(struct sk_stmt *stmt, struct sk_ranges *out, struct sk_error *err)
{
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        uint64_t position = sk_entry_row_position(sk_column_int(stmt, 0));
        SK_TRY(sk_ranges_add(out, position, position + 1, err));
    }
}

/* Hashes every entry of the part without a gap, and holds the kept nodes against it. */
static enum sk_status rebuild(struct sk_store *store, const struct sk_log *log,
                              const struct sk_checkpoint *head, struct sk_merkle *tree,
                              const struct sk_progress *progress, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    sk_merkle_init(tree);
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT id, bytes FROM entry WHERE id >= ?1 AND id < ?2 ORDER BY id",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(log->id, 0));
    sk_bind_int(stmt, 2, sk_entry_row(log->id, log->size));
    while (tree->size < log->size) {
        bool row = false;
        uint8_t bytes[SK_ENTRY_LEN];
        uint8_t leaf[SK_MERKLE_LEN];
        SK_TRY(sk_step(stmt, &row, err));
        if (!row || sk_entry_row_position(sk_column_int(stmt, 0)) != tree->size)
            return sk_fail(err, SK_DAMAGED, "entry %llu of the log of \"%s\" is gone",
                           (unsigned long long)tree->size, log->alias);
        SK_TRY(sk_column_copy(stmt, 1, bytes, SK_ENTRY_LEN, err));
        sk_merkle_leaf(leaf, bytes, SK_ENTRY_LEN);
        SK_TRY(append_leaf(store, log->id, tree, leaf, check_node, err));
        if (head && tree->size == head->size) {
            uint8_t root[SK_MERKLE_LEN];
            sk_merkle_root(tree, root);
            if (memcmp(root, head->root, SK_MERKLE_LEN) != 0)
                return sk_fail(err, SK_DAMAGED,
                               "the entries of the log of \"%s\" are not those its head was "
                               "signed for",
                               log->alias);
        }
        if (tree->size % 1024 == 0)
            sk_progress_tell(progress, tree->size, log->size);
    }
    return SK_OK;
}

enum sk_status sk_log_verify(struct sk_store *store, const struct sk_log *log,
                             const struct sk_progress *progress, struct sk_error *err)
{
    sk_auto_buf note = SK_BUF_INIT;
    struct sk_checkpoint head = {.size = 0};
    SK_TRY(sk_log_note(store, log->id, &note, err));
    bool has_head = note.len > 0;
    if (has_head)
        SK_TRY(sk_log_check_note(log->log_id, log->sign_public, sk_buf_text(&note), &head, err));
    if (log->state == SK_LOG_STATE_OWN && (!has_head || head.size != log->size))
        return sk_fail(err, SK_DAMAGED, "the log and its signed head are not of one size");

    struct sk_merkle stored;
    struct sk_merkle tree;
    SK_TRY(load_tree(store, log->id, &stored, err));
    SK_TRY(rebuild(store, log, has_head ? &head : NULL, &tree, progress, err));
    if (tree.size != stored.size ||
        memcmp(tree.peaks, stored.peaks, sk_merkle_peak_count(tree.size) * SK_MERKLE_LEN) != 0)
        return sk_fail(err, SK_DAMAGED, "the entries of the log of \"%s\" and its peaks differ",
                       log->alias);
    return SK_OK;
}
