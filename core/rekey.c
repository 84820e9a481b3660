#include "core/rekey.h"

#include "core/media.h"
#include "core/store_internal.h"
#include "core/vfs.h"
#include "crypto/bytes.h"

/* Media files are renewed several to a transaction, since each ends with a checkpoint. */
#define BATCH_FILES 32u
#define BATCH_BYTES ((uint64_t)64 * 1024 * 1024)
#define PIECE_LEN   65536u
#define SPACE_SPARE ((uint64_t)1024 * 1024)

/*
 * The row `rekey` of `meta`, written before `data` is copied and removed with the last media file:
 * store id[16] | u64 last | u64 done. Media rows with done < id <= last are under keys from before.
 * While the id is that of `keys`, the pages were not renewed and the row means nothing.
 */
#define MARK_KEY "rekey"
#define MARK_LEN (SK_STORE_ID_LEN + 16)

struct mark {
    uint8_t store_id[SK_STORE_ID_LEN]; /* from before */
    int64_t last;
    int64_t done;
};

/* Media rows whose files could not be read, and may be the next time. */
struct unread {
    int64_t done;        /* of the mark, before the first of them */
    int64_t last;        /* of them; 0: there is none */
    struct sk_error why; /* of the first */
};

struct job {
    struct sk_store *store;
    const struct sk_progress *progress;
    uint64_t done, total; /* bytes */
    struct mark mark;
    struct unread unread;
    struct sk_rekey result;
};

/* ---- the mark ---- */

static enum sk_status load_mark(struct sk_store *store, struct mark *out, bool *found,
                                struct sk_error *err)
{
    uint8_t bytes[MARK_LEN];
    SK_TRY(sk_meta_get(store->db, MARK_KEY, bytes, sizeof(bytes), found, err));
    if (!*found)
        return SK_OK;
    memcpy(out->store_id, bytes, SK_STORE_ID_LEN);
    out->last = (int64_t)sk_get_u64(bytes + SK_STORE_ID_LEN);
    out->done = (int64_t)sk_get_u64(bytes + SK_STORE_ID_LEN + 8);
    /* The same id: it was stopped before it had changed anything. */
    *found = memcmp(out->store_id, sk_keys_store_id(&store->keys), SK_STORE_ID_LEN) != 0;
    return SK_OK;
}

/* Within a transaction. */
static enum sk_status store_mark(struct sk_store *store, const struct mark *mark,
                                 struct sk_error *err)
{
    uint8_t bytes[MARK_LEN];
    memcpy(bytes, mark->store_id, SK_STORE_ID_LEN);
    sk_put_u64(bytes + SK_STORE_ID_LEN, (uint64_t)mark->last);
    sk_put_u64(bytes + SK_STORE_ID_LEN + 8, (uint64_t)mark->done);
    return sk_meta_put(store->db, MARK_KEY, bytes, sizeof(bytes), err);
}

/* Media rows from done (not included) to last: how many, their plain bytes, the largest. */
struct rows {
    uint64_t count, bytes, largest;
};

static enum sk_status count_rows(struct sk_store *store, const struct mark *mark, struct rows *out,
                                 struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT count(*), coalesce(sum(size), 0), coalesce(max(size), 0) "
                         "FROM media WHERE id > ?1 AND id <= ?2",
                         err));
    sk_bind_int(stmt, 1, mark->done);
    sk_bind_int(stmt, 2, mark->last);
    SK_TRY(sk_step(stmt, &row, err));
    out->count = (uint64_t)sk_column_int(stmt, 0);
    out->bytes = (uint64_t)sk_column_int(stmt, 1);
    out->largest = (uint64_t)sk_column_int(stmt, 2);
    return SK_OK;
}

enum sk_status sk_rekey_left(struct sk_store *store, uint64_t *files, struct sk_error *err)
{
    struct mark mark;
    struct rows rows = {0};
    bool found = false;
    SK_TRY(load_mark(store, &mark, &found, err));
    if (found)
        SK_TRY(count_rows(store, &mark, &rows, err));
    *files = rows.count;
    return SK_OK;
}

static void advance(void *context, uint64_t bytes)
{
    struct job *job = context;
    job->done += bytes;
    sk_progress_tell(job->progress, job->done, job->total);
}

/* ---- the pages ---- */

/* Every media row that is there now is under a key from before, until it was renewed. */
static enum sk_status make_mark(struct job *job, struct sk_error *err)
{
    struct sk_store *store = job->store;
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT coalesce(max(id), 0) FROM media", err));
    SK_TRY(sk_step(stmt, &row, err));
    job->mark = (struct mark){.last = sk_column_int(stmt, 0)};
    memcpy(job->mark.store_id, sk_keys_store_id(&store->keys), SK_STORE_ID_LEN);
    return SK_OK;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What files of so many plain bytes take on disk, at most: chunks are filled up, sizes rounded. */
static uint64_t padded(uint64_t bytes, uint64_t files)
{
    return bytes + bytes / 8 + 2 * files * PIECE_LEN;
}

/* The second `data` and, when the first is gone, a batch of media files need room. */
static enum sk_status check_space(const struct job *job, uint64_t data_len, const struct rows *rows,
                                  struct sk_error *err)
{
    uint64_t media =
        smaller(padded(rows->bytes, rows->count), padded(BATCH_BYTES + rows->largest, BATCH_FILES));
    uint64_t need = (data_len > media ? data_len : media) + SPACE_SPARE;
    uint64_t room = 0;
    SK_TRY(sk_file_space(job->store->dir, &room, err));
    if (room >= need)
        return SK_OK;
    return sk_fail(
        err, SK_FULL,
        "new keys need %llu MB of free space at the store for a while, and there are %llu "
        "MB",
        (unsigned long long)(need / 1000000 + 1), (unsigned long long)(room / 1000000));
}

/* The paths of `data` and of what takes its place. */
struct paths {
    char *data, *wal, *next;
};

static void paths_clear(struct paths *paths)
{
    free(paths->data);
    free(paths->wal);
    free(paths->next);
}
#define auto_paths __attribute__((cleanup(paths_clear))) struct paths

static enum sk_status find_paths(struct paths *out, const struct sk_store *store,
                                 struct sk_error *err)
{
    SK_TRY(sk_path_join(&out->data, store->dir, SK_DATA_FILE, err));
    SK_TRY(sk_path_join(&out->wal, store->dir, SK_DATA_FILE "-wal", err));
    return sk_path_join(&out->next, store->dir, SK_DATA_NEXT_FILE, err);
}

/* All is in `data`, and nothing of ours holds it open. */
static enum sk_status close_database(struct sk_store *store, const struct paths *paths,
                                     struct sk_error *err)
{
    struct sk_db *db = store->db;
    bool there = false;
    store->db = NULL;
    SK_TRY(sk_db_close(db, err));
    SK_TRY(sk_file_find(paths->wal, &there, err));
    if (there)
        return sk_fail(err, SK_IO, "%s: this file should be gone", paths->wal);
    return SK_OK;
}

/* `keys` for the new store key, with the slot that opened the old one. */
static enum sk_status make_keys(const struct sk_store *store, struct sk_keys *out,
                                struct sk_secret *store_key, const struct sk_unlock *unlock,
                                const struct sk_words *words, struct sk_error *err)
{
    struct sk_kdf_params params = sk_store_kdf_params(sk_store_insecure(store));

    sk_random(sk_secret_bytes(store_key), sk_secret_len(store_key));
    const uint8_t *key = sk_secret_view(store_key);
    enum sk_status status = words ? sk_keys_create_by_words(out, store->kind, words, &params, key)
                                  : sk_keys_create(out, store->kind, unlock, &params, key);
    /* Once more from the start: it must open before the old one is given up. */
    if (status == SK_OK)
        status = sk_keys_try_slot(out, 0, unlock, words, key);
    if (status == SK_WRONG_KEY || status == SK_DAMAGED)
        return sk_fail(err, SK_INTERNAL, "the new keys do not open; nothing was changed");
    return status == SK_OK ? SK_OK : sk_fail_status(err, status);
}

/* The file `keys` is the point at which the new database becomes the store's. */
static enum sk_status switch_over(struct job *job, const struct paths *paths,
                                  const struct sk_keys *keys, struct sk_secret **store_key,
                                  struct sk_error *err)
{
    struct sk_store *store = job->store;
    const struct sk_db_options from = {.path = paths->data,
                                       .store_key = sk_secret_view(store->store_key),
                                       .store_id = sk_keys_store_id(&store->keys)};
    const struct sk_db_options to = {.path = paths->next,
                                     .store_key = sk_secret_view(*store_key),
                                     .store_id = sk_keys_store_id(keys)};
    SK_TRY(sk_db_copy(&from, &to, advance, job, err));
    SK_TRY(sk_slots_save(store, keys, err));
    sk_secret_free(store->store_key);
    store->store_key = SK_TAKE(*store_key);
    store->slot = 0;
    return sk_vfs_put(paths->next, paths->data, err);
}

static enum sk_status renew_pages(struct job *job, const struct sk_unlock *unlock,
                                  const struct sk_words *words, struct sk_error *err)
{
    struct sk_store *store = job->store;
    auto_paths paths = {NULL, NULL, NULL};
    sk_auto_secret store_key = NULL;
    struct sk_keys keys;

    SK_TRY(find_paths(&paths, store, err));
    if (sk_secret_new(&store_key, sk_secret_len(store->store_key)) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(make_keys(store, &keys, store_key, unlock, words, err));
    SK_TRY(close_database(store, &paths, err));
    SK_TRY(switch_over(job, &paths, &keys, &store_key, err));
    SK_TRY(sk_store_open_database(store, false, err));
    return sk_db_trust(store->db, err);
}

static enum sk_status finish_switch(const struct sk_store *store, const struct paths *paths,
                                    struct sk_error *err)
{
    if (!store->read_only)
        return sk_vfs_put(paths->next, paths->data, err);
    return sk_fail(err, SK_IO,
                   "%s can only be read, and a rekey was interrupted there: copy the whole folder "
                   "to where it can be written, and open the copy there first",
                   store->dir);
}

enum sk_status sk_rekey_settle(struct sk_store *store, struct sk_error *err)
{
    auto_paths paths = {NULL, NULL, NULL};
    bool known = false;
    bool there = false;
    SK_TRY(find_paths(&paths, store, err));
    SK_TRY(sk_file_find(paths.next, &there, err));
    if (!there)
        return SK_OK;
    struct sk_db_options options = {.path = paths.data,
                                    .store_key = sk_secret_view(store->store_key),
                                    .store_id = sk_keys_store_id(&store->keys)};
    SK_TRY(sk_db_recognizes(&options, &known, err));
    /* `data.next` is swept, once `data` has opened. A run that was killed may have written it into
     * `data` in the system's memory alone, and a sector of that may have gone bad since. */
    if (known)
        return store->read_only ? SK_OK : sk_db_mend(&options, paths.next, err);
    options.path = paths.next;
    SK_TRY(sk_db_recognizes(&options, &known, err));
    return known ? finish_switch(store, &paths, err) : SK_OK;
}

/* ---- the media files ---- */

/* Copies what a reader gives; *failed: it was the reading that did. */
static enum sk_status copy_media(struct job *job, struct sk_media_reader *reader,
                                 struct sk_media_writer *writer, bool *failed, struct sk_error *err)
{
    sk_auto_buf piece = SK_BUF_INIT;
    size_t got = PIECE_LEN;
    SK_TRY(sk_buf_grow(&piece, PIECE_LEN, err));
    piece.len = PIECE_LEN; /* to be wiped */
    while (got == PIECE_LEN) {
        enum sk_status status = sk_media_read(reader, piece.bytes, PIECE_LEN, &got, err);
        *failed = status != SK_OK;
        SK_TRY(status);
        SK_TRY(sk_media_write(writer, piece.bytes, got, err));
        advance(job, got);
    }
    return sk_media_finish(writer, err);
}

/* *left: it is the old file that cannot be renewed. */
static enum sk_status renew_file(struct job *job, int64_t row, bool *left, struct sk_error *err)
{
    sk_auto_media_reader reader = NULL;
    sk_auto_media_writer writer = NULL;
    enum sk_status status = sk_media_open(job->store, row, &reader, err);
    *left = status == SK_MISSING || status == SK_DAMAGED || status == SK_IO;
    SK_TRY(status);
    SK_TRY(sk_media_create(job->store, &writer, err));
    SK_TRY(copy_media(job, reader, writer, left, err));
    return sk_media_replace(writer, row, err);
}

/* The next row that was not renewed yet; *row 0: there is none. */
static enum sk_status next_row(struct job *job, int64_t *row, uint64_t *size, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    SK_TRY(sk_db_prepare(
        job->store->db, &stmt,
        "SELECT id, size FROM media WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT 1", err));
    sk_bind_int(stmt, 1, job->mark.done);
    sk_bind_int(stmt, 2, job->mark.last);
    SK_TRY(sk_step(stmt, &found, err));
    *row = found ? sk_column_int(stmt, 0) : 0;
    *size = found ? (uint64_t)sk_column_int(stmt, 1) : 0;
    return SK_OK;
}

/* "attachment 0123...": what the user has of a media file. */
static enum sk_status name_owner(struct sk_store *store, int64_t row, struct sk_buf *out,
                                 struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    struct sk_id id;
    char text[SK_ID_TEXT_LEN];
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT item.uid FROM payload JOIN entry ON entry.id = payload.id "
                         "JOIN item ON item.id = entry.item WHERE payload.media = ?1",
                         err));
    sk_bind_int(stmt, 1, row);
    SK_TRY(sk_step(stmt, &found, err));
    if (!found)
        return sk_buf_add_text(out, "a bundle in quarantine", err);
    SK_TRY(sk_column_copy(stmt, 0, id.bytes, SK_ID_LEN, err));
    sk_id_format(text, &id);
    return sk_buf_printf(out, err, "attachment %s", text);
}

/* Nothing says that its bytes are lost: it keeps its place among those to be renewed. */
static enum sk_status note_unread(struct job *job, int64_t row, const struct sk_error *why,
                                  struct sk_error *err)
{
    if (job->unread.last == 0) {
        sk_auto_buf owner = SK_BUF_INIT;
        SK_TRY(name_owner(job->store, row, &owner, err));
        sk_ignore(sk_fail(&job->unread.why, why->status, "%s: %s", sk_buf_text(&owner), why->text));
        job->unread.done = job->mark.done;
    }
    job->unread.last = row;
    job->result.unread++;
    return SK_OK;
}

/* A file that is damaged or missing is none to be lost: it stays as it is, and is counted. */
static enum sk_status renew_row(struct job *job, int64_t row, struct sk_error *err)
{
    struct sk_error why = SK_ERROR_INIT;
    bool left = false;
    enum sk_status status = renew_file(job, row, &left, &why);
    if (status != SK_OK && !left)
        return sk_fail(err, status, "%s", why.text);
    if (status == SK_IO)
        SK_TRY(note_unread(job, row, &why, err));
    job->result.damaged += status == SK_DAMAGED || status == SK_MISSING;
    job->result.renewed += status == SK_OK;
    job->mark.done = row;
    return SK_OK;
}

/* What the next run finds, were this one stopped here. */
static enum sk_status store_rest(struct job *job, bool finished, struct sk_error *err)
{
    struct mark rest = job->mark;
    if (job->unread.last != 0)
        rest.done = job->unread.done;
    if (finished && job->unread.last != 0)
        rest.last = job->unread.last;
    if (finished && job->unread.last == 0)
        return sk_db_exec(job->store->db, "DELETE FROM meta WHERE key = '" MARK_KEY "'", err);
    return store_mark(job->store, &rest, err);
}

static enum sk_status renew_batch(struct job *job, bool *finished, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    uint64_t bytes = 0;

    SK_TRY(sk_store_begin(&txn, job->store, err));
    for (unsigned files = 0; files < BATCH_FILES && bytes < BATCH_BYTES && !*finished; files++) {
        int64_t row = 0;
        uint64_t size = 0;
        SK_TRY(next_row(job, &row, &size, err));
        *finished = row == 0;
        if (row != 0)
            SK_TRY(renew_row(job, row, err));
        bytes += size;
    }
    SK_TRY(store_rest(job, *finished, err));
    bool all = *finished && job->unread.last == 0;
    return all ? sk_store_commit(&txn, err) : sk_store_commit_step(&txn, err);
}

/* ---- all of it ---- */

/* What is given must be what opened the store, or it would be shut out at the end. */
static enum sk_status check_given(const struct sk_store *store, const struct sk_unlock *unlock,
                                  const struct sk_words *words, struct sk_error *err)
{
    enum sk_status status = sk_keys_try_slot(&store->keys, store->slot, unlock, words,
                                             sk_secret_view(store->store_key));
    if (status != SK_WRONG_KEY)
        return status == SK_OK ? SK_OK : sk_fail_status(err, status);
    return sk_fail(err, SK_USAGE, "what is given now is not what opened the store");
}

/* What is to be done anew, and how much it is. */
static enum sk_status plan_pages(struct job *job, struct sk_error *err)
{
    struct sk_store *store = job->store;
    sk_auto_free char *path = NULL;
    struct rows rows;
    uint64_t data_len = 0;

    SK_TRY(make_mark(job, err));
    SK_TRY(count_rows(store, &job->mark, &rows, err));
    /* The write-ahead log becomes part of `data` before its size is looked at. */
    SK_TRY(sk_db_checkpoint(store->db, err));
    SK_TRY(sk_path_join(&path, store->dir, SK_DATA_FILE, err));
    SK_TRY(sk_file_length(path, &data_len, err));
    job->total = 2 * data_len + rows.bytes;
    SK_TRY(check_space(job, data_len, &rows, err));

    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(store_mark(store, &job->mark, err));
    return sk_store_commit(&txn, err);
}

/* What a run before this one left, if that is anything. */
static enum sk_status plan_rest(struct job *job, struct sk_error *err)
{
    struct rows rows = {0};
    bool found = false;
    SK_TRY(load_mark(job->store, &job->mark, &found, err));
    if (found)
        SK_TRY(count_rows(job->store, &job->mark, &rows, err));
    job->result.resumed = rows.count > 0;
    job->total = rows.bytes;
    return SK_OK;
}

enum sk_status sk_rekey(struct sk_store *store, const struct sk_unlock *unlock,
                        const struct sk_words *words, const struct sk_progress *progress,
                        struct sk_rekey *out, struct sk_error *err)
{
    struct job job = {.store = store, .progress = progress};
    bool finished = false;

    *out = job.result;
    if (sk_keys_slot_kind(&store->keys, store->slot) != SK_SLOT_WORDS)
        words = NULL;
    SK_TRY(check_given(store, unlock, words, err));
    SK_TRY(plan_rest(&job, err));
    if (!job.result.resumed) {
        SK_TRY(plan_pages(&job, err));
        SK_TRY(renew_pages(&job, unlock, words, err));
    }
    while (!finished)
        SK_TRY(renew_batch(&job, &finished, err));
    *out = job.result;
    if (job.unread.last == 0)
        return SK_OK;
    return sk_fail(err, job.unread.why.status, "%s", job.unread.why.text);
}
