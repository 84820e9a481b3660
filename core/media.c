#include "core/media.h"

#include "core/store_internal.h"
#include "crypto/aead.h"

#define CHUNK_LEN       65536u
#define CHUNK_PLAIN_LEN (CHUNK_LEN - SK_AEAD_TAG_LEN)
#define MARK            ".mark" /* the end of a mark's name */

/* The paths of a file and its mark. */
struct paths {
    char *file, *mark;
};

static void paths_clear(struct paths *paths)
{
    free(paths->file);
    free(paths->mark);
}
#define auto_paths __attribute__((cleanup(paths_clear))) struct paths

struct sk_media_writer {
    struct sk_store *store;
    struct sk_file *file;
    struct paths paths;
    struct sk_key key;    /* stands in the database */
    struct sk_key subkey; /* seals the chunks */
    uint8_t name[SK_MEDIA_NAME_LEN];
    uint64_t size;
    uint64_t chunks; /* written */
    size_t held;     /* plain bytes in `plain`: the last chunk is only known at the end */
    bool marked;
    bool finished;
    bool kept;
    uint8_t plain[CHUNK_PLAIN_LEN];
    uint8_t sealed[CHUNK_LEN];
};

struct sk_media_reader {
    struct sk_file *file;
    struct sk_key subkey;
    uint64_t size;
    uint64_t left;
    uint64_t chunks; /* of the whole file */
    uint64_t next;
    size_t at, have;
    uint8_t plain[CHUNK_PLAIN_LEN];
    uint8_t sealed[CHUNK_LEN];
};

uint64_t sk_padme(uint64_t len)
{
    if (len < 2)
        return len;
    unsigned exponent = 63u - (unsigned)__builtin_clzll(len);
    unsigned bits = 0;
    for (unsigned e = exponent; e; e >>= 1)
        bits++;
    uint64_t mask = exponent > bits ? (1ull << (exponent - bits)) - 1 : 0;
    return (len + mask) & ~mask;
}

/* How many chunks a file of that many plain bytes has. */
static uint64_t chunk_count(uint64_t size)
{
    uint64_t chunks = size / CHUNK_PLAIN_LEN + (size % CHUNK_PLAIN_LEN != 0);
    uint64_t padded = sk_padme((chunks ? chunks : 1) * CHUNK_LEN);
    return (padded + CHUNK_LEN - 1) / CHUNK_LEN;
}

/* end: "" or MARK. */
static enum sk_status media_path(const char *dir, const uint8_t name[static SK_MEDIA_NAME_LEN],
                                 const char *end, char **out, struct sk_error *err)
{
    char hex[(size_t)2 * SK_MEDIA_NAME_LEN + sizeof(MARK)];
    sk_hex(hex, name, SK_MEDIA_NAME_LEN);
    memcpy(hex + (size_t)2 * SK_MEDIA_NAME_LEN, end, strlen(end) + 1);
    return sk_path_join(out, dir, hex, err);
}

static enum sk_status find_paths(struct paths *out, const struct sk_store *store,
                                 const uint8_t name[static SK_MEDIA_NAME_LEN], struct sk_error *err)
{
    SK_TRY(media_path(store->media_dir, name, "", &out->file, err));
    return media_path(store->media_dir, name, MARK, &out->mark, err);
}

/* ---- marks ---- */

static enum sk_status make_mark(const char *path, struct sk_error *err)
{
    sk_auto_file mark = NULL;
    return sk_file_create(&mark, path, err);
}

/* The file first: where it stays, or may come back after a power cut, its mark stays as well. */
static enum sk_status remove_marked(const struct sk_store *store, const struct paths *paths,
                                    struct sk_error *err)
{
    SK_TRY(sk_file_remove(paths->file, err));
    SK_TRY(sk_dir_sync(store->media_dir, err)); /* it may have been removed before, and no more */
    sk_ignore(sk_file_remove(paths->mark, NULL));
    return SK_OK;
}

/* ---- writing ---- */

/* The key of the chunks is bound to the file's name. */
static void derive(struct sk_key *subkey, const uint8_t key[static 32],
                   const uint8_t name[static SK_MEDIA_NAME_LEN])
{
    sk_hash_of(subkey->bytes, key, SK_LABEL_MEDIA, name, SK_MEDIA_NAME_LEN);
}

enum sk_status sk_media_create(struct sk_store *store, struct sk_media_writer **out,
                               struct sk_error *err)
{
    SK_TRY(sk_store_check_writable(store, err));
    sk_auto_media_writer writer = calloc(1, sizeof(*writer));
    if (!writer)
        return sk_fail_status(err, SK_NOMEM);
    writer->store = store;
    sk_random(writer->key.bytes, sizeof(writer->key.bytes));
    sk_random(writer->name, sizeof(writer->name));
    derive(&writer->subkey, writer->key.bytes, writer->name);
    SK_TRY(find_paths(&writer->paths, store, writer->name, err));
    SK_TRY(make_mark(writer->paths.mark, err));
    writer->marked = true;
    SK_TRY(sk_dir_sync(store->media_dir, err));
    SK_TRY(sk_file_create(&writer->file, writer->paths.file, err));
    *out = SK_TAKE(writer);
    return SK_OK;
}

static enum sk_status write_chunk(struct sk_media_writer *writer, bool last, struct sk_error *err)
{
    memset(writer->plain + writer->held, 0, CHUNK_PLAIN_LEN - writer->held);
    sk_chunk_seal(writer->sealed, writer->plain, CHUNK_PLAIN_LEN, writer->chunks, last,
                  writer->subkey.bytes);
    SK_TRY(sk_file_write(writer->file, writer->sealed, CHUNK_LEN, err));
    writer->chunks++;
    writer->held = 0;
    return SK_OK;
}

enum sk_status sk_media_write(struct sk_media_writer *writer, const void *bytes, size_t len,
                              struct sk_error *err)
{
    const uint8_t *next = bytes;
    while (len) {
        if (writer->held == CHUNK_PLAIN_LEN)
            SK_TRY(write_chunk(writer, false, err));
        size_t piece = CHUNK_PLAIN_LEN - writer->held;
        if (piece > len)
            piece = len;
        memcpy(writer->plain + writer->held, next, piece);
        writer->held += piece;
        writer->size += piece;
        next += piece;
        len -= piece;
    }
    return SK_OK;
}

enum sk_status sk_media_finish(struct sk_media_writer *writer, struct sk_error *err)
{
    uint64_t chunks = chunk_count(writer->size);
    while (writer->chunks < chunks)
        SK_TRY(write_chunk(writer, writer->chunks + 1 == chunks, err));
    SK_TRY(sk_file_sync(writer->file, err));
    SK_TRY(sk_dir_sync(writer->store->media_dir, err));
    writer->finished = true;
    return SK_OK;
}

/* From here on a rollback of the transaction removes the file. */
static enum sk_status entrust(struct sk_media_writer *writer, struct sk_error *err)
{
    if (!writer->finished)
        return sk_fail(err, SK_INTERNAL, "a media file is kept before it is finished");
    SK_TRY(sk_buf_add(&writer->store->new_media, writer->name, SK_MEDIA_NAME_LEN, err));
    writer->kept = true;
    return SK_OK;
}

enum sk_status sk_media_keep(struct sk_media_writer *writer, int64_t *row, struct sk_error *err)
{
    struct sk_db *db = writer->store->db;
    sk_auto_stmt stmt = NULL;
    SK_TRY(entrust(writer, err));
    SK_TRY(sk_db_prepare(db, &stmt, "INSERT INTO media(name, key, size) VALUES(?1, ?2, ?3)", err));
    sk_bind_bytes(stmt, 1, writer->name, SK_MEDIA_NAME_LEN);
    sk_bind_bytes(stmt, 2, writer->key.bytes, sizeof(writer->key.bytes));
    sk_bind_int(stmt, 3, (int64_t)writer->size);
    SK_TRY(sk_run(stmt, err));
    *row = sk_db_last_id(db);
    return SK_OK;
}

/* The file of a row is to go after the commit; *found tells whether there is such a row. */
static enum sk_status give_up_file(struct sk_store *store, int64_t row, bool *found,
                                   struct sk_error *err)
{
    sk_auto_stmt name = NULL;
    SK_TRY(sk_db_prepare(store->db, &name, "SELECT name FROM media WHERE id = ?1", err));
    sk_bind_int(name, 1, row);
    SK_TRY(sk_step(name, found, err));
    if (!*found)
        return SK_OK;
    size_t len = 0;
    const uint8_t *bytes = sk_column_bytes(name, 0, &len);
    if (len != SK_MEDIA_NAME_LEN)
        return sk_fail(err, SK_DAMAGED, "the name of a media file is damaged");
    SK_TRY(sk_buf_add(&store->erased_media, bytes, len, err));
    store->erased = true;
    return SK_OK;
}

enum sk_status sk_media_replace(struct sk_media_writer *writer, int64_t row, struct sk_error *err)
{
    struct sk_store *store = writer->store;
    sk_auto_stmt stmt = NULL;
    bool found = false;
    SK_TRY(give_up_file(store, row, &found, err));
    if (!found)
        return sk_fail(err, SK_DAMAGED, "the database lacks the key of a media file");
    SK_TRY(entrust(writer, err));
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "UPDATE media SET name = ?1, key = ?2, size = ?3 WHERE id = ?4", err));
    sk_bind_bytes(stmt, 1, writer->name, SK_MEDIA_NAME_LEN);
    sk_bind_bytes(stmt, 2, writer->key.bytes, sizeof(writer->key.bytes));
    sk_bind_int(stmt, 3, (int64_t)writer->size);
    sk_bind_int(stmt, 4, row);
    return sk_run(stmt, err);
}

void sk_media_writer_free(struct sk_media_writer *writer)
{
    if (!writer)
        return;
    sk_file_close(writer->file);
    if (writer->marked && !writer->kept)
        sk_ignore(remove_marked(writer->store, &writer->paths, NULL));
    paths_clear(&writer->paths);
    sk_wipe(writer, sizeof(*writer));
    free(writer);
}

enum sk_status sk_media_open_file(const char *dir, const uint8_t name[static SK_MEDIA_NAME_LEN],
                                  const uint8_t key[static 32], uint64_t size,
                                  struct sk_media_reader **out, struct sk_error *err)
{
    sk_auto_media_reader reader = calloc(1, sizeof(*reader));
    sk_auto_free char *path = NULL;
    uint64_t file_len = 0;
    bool regular = false;
    bool there = false;
    if (!reader)
        return sk_fail_status(err, SK_NOMEM);
    reader->size = size;
    reader->left = size;
    reader->chunks = chunk_count(size);
    derive(&reader->subkey, key, name);
    SK_TRY(media_path(dir, name, "", &path, err));
    SK_TRY(sk_file_check(path, false, &there, err));
    if (!there)
        return sk_fail(
            err, SK_MISSING,
            "%s is not there: it was erased after this copy of 'data' was made, or it is "
            "lost",
            path);
    SK_TRY(sk_file_open_regular(&reader->file, path, err));
    SK_TRY(sk_file_size(reader->file, &file_len, &regular, err));
    if (!regular || file_len != reader->chunks * CHUNK_LEN)
        return sk_fail(err, SK_DAMAGED, "%s: this file has not the length it should have", path);
    *out = SK_TAKE(reader);
    return SK_OK;
}

enum sk_status sk_media_open(struct sk_store *store, int64_t row, struct sk_media_reader **out,
                             struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool found = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT name, key, size FROM media WHERE id = ?1", err));
    sk_bind_int(stmt, 1, row);
    SK_TRY(sk_step(stmt, &found, err));
    if (!found)
        return sk_fail(err, SK_DAMAGED, "the database lacks the key of a media file");

    uint8_t name[SK_MEDIA_NAME_LEN];
    sk_auto_key key = {{0}};
    SK_TRY(sk_column_copy(stmt, 0, name, sizeof(name), err));
    SK_TRY(sk_column_copy(stmt, 1, key.bytes, sizeof(key.bytes), err));
    return sk_media_open_file(store->media_dir, name, key.bytes, (uint64_t)sk_column_int(stmt, 2),
                              out, err);
}

uint64_t sk_media_size(const struct sk_media_reader *reader)
{
    return reader->size;
}

static enum sk_status read_chunk(struct sk_media_reader *reader, struct sk_error *err)
{
    uint64_t offset = reader->next * CHUNK_LEN;
    SK_TRY(sk_file_read_at(reader->file, reader->sealed, CHUNK_LEN, offset, err));
    if (sk_chunk_open(reader->plain, reader->sealed, CHUNK_PLAIN_LEN, reader->next,
                      reader->next + 1 == reader->chunks, reader->subkey.bytes) != SK_OK)
        return sk_fail(err, SK_DAMAGED, "%s: the file is damaged at byte %llu",
                       sk_file_path(reader->file), (unsigned long long)offset);
    reader->next++;
    reader->at = 0;
    reader->have = reader->left < CHUNK_PLAIN_LEN ? (size_t)reader->left : CHUNK_PLAIN_LEN;
    return SK_OK;
}

enum sk_status sk_media_read(struct sk_media_reader *reader, void *out, size_t len, size_t *got,
                             struct sk_error *err)
{
    uint8_t *next = out;
    size_t total = 0;
    while (total < len && reader->left) {
        if (reader->at == reader->have)
            SK_TRY(read_chunk(reader, err));
        size_t piece = reader->have - reader->at;
        if (piece > len - total)
            piece = len - total;
        memcpy(next + total, reader->plain + reader->at, piece);
        reader->at += piece;
        reader->left -= piece;
        total += piece;
    }
    *got = total;
    return SK_OK;
}

void sk_media_reader_free(struct sk_media_reader *reader)
{
    if (!reader)
        return;
    sk_file_close(reader->file);
    sk_wipe(reader, sizeof(*reader));
    free(reader);
}

enum sk_status sk_media_erase(struct sk_store *store, int64_t row, struct sk_error *err)
{
    bool found = false;
    SK_TRY(give_up_file(store, row, &found, err));
    if (!found)
        return SK_OK;
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "DELETE FROM media WHERE id = ?1", err));
    sk_bind_int(stmt, 1, row);
    return sk_run(stmt, err);
}

/* ---- what comes with a commit ---- */

static enum sk_status row_names(struct sk_store *store, const uint8_t *name, bool *known,
                                struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT 1 FROM media WHERE name = ?1", err));
    sk_bind_bytes(stmt, 1, name, SK_MEDIA_NAME_LEN);
    return sk_step(stmt, known, err);
}

/* What cannot be marked does not keep its key alive: it is removed after the commit all the same.
 */
enum sk_status sk_media_mark_erased(struct sk_store *store, struct sk_error *err)
{
    sk_auto_buf erased = SK_BUF_INIT;
    for (size_t at = 0; at < store->erased_media.len; at += SK_MEDIA_NAME_LEN) {
        const uint8_t *name = store->erased_media.bytes + at;
        auto_paths paths = {NULL, NULL};
        bool known = false;
        SK_TRY(row_names(store, name, &known, err));
        if (known)
            continue;
        SK_TRY(find_paths(&paths, store, name, err));
        SK_TRY(sk_buf_add(&erased, name, SK_MEDIA_NAME_LEN, err));
        sk_ignore(make_mark(paths.mark, NULL));
    }
    if (erased.len > 0)
        sk_ignore(sk_dir_sync(store->media_dir, NULL));
    sk_buf_clear(&store->erased_media);
    store->erased_media = SK_TAKE(erased);
    return SK_OK;
}

enum sk_status sk_media_remove(struct sk_store *store, const struct sk_buf *names,
                               struct sk_error *err)
{
    enum sk_status worst = SK_OK;
    for (size_t at = 0; at < names->len; at += SK_MEDIA_NAME_LEN) {
        auto_paths paths = {NULL, NULL};
        SK_TRY(find_paths(&paths, store, names->bytes + at, err));
        enum sk_status status = remove_marked(store, &paths, err);
        if (status != SK_OK)
            worst = status;
    }
    return worst;
}

static void settle(struct sk_store *store, const uint8_t *name, bool known)
{
    auto_paths paths = {NULL, NULL};
    if (find_paths(&paths, store, name, NULL) == SK_OK)
        sk_ignore(known ? sk_file_remove(paths.mark, NULL) : remove_marked(store, &paths, NULL));
}

void sk_media_settle_new(struct sk_store *store, const struct sk_buf *names)
{
    for (size_t at = 0; at < names->len; at += SK_MEDIA_NAME_LEN) {
        bool known = false;
        if (row_names(store, names->bytes + at, &known, NULL) == SK_OK)
            settle(store, names->bytes + at, known);
    }
}

void sk_media_drop_new(struct sk_store *store)
{
    for (size_t at = 0; at < store->new_media.len; at += SK_MEDIA_NAME_LEN)
        settle(store, store->new_media.bytes + at, false);
    sk_buf_reset(&store->new_media);
}

/* ---- by their names ---- */

/* SK_MEDIA_OTHER also for hex digits in capitals, which no media file has. */
static enum sk_media_shape shape_of(const char *file_name, struct sk_id *name)
{
    char digits[2 * SK_MEDIA_NAME_LEN + 1];
    char same[SK_ID_TEXT_LEN];
    size_t len = strlen(file_name);
    bool mark = len == sizeof(digits) - 1 + strlen(MARK);
    if (!mark && len != sizeof(digits) - 1)
        return SK_MEDIA_OTHER;
    memcpy(digits, file_name, sizeof(digits) - 1);
    digits[sizeof(digits) - 1] = '\0';
    if (sk_id_parse(name, digits) != SK_OK)
        return SK_MEDIA_OTHER;
    sk_id_format(same, name);
    if (strcmp(same, digits) != 0 || strcmp(file_name + sizeof(digits) - 1, mark ? MARK : "") != 0)
        return SK_MEDIA_OTHER;
    return mark ? SK_MEDIA_MARK : SK_MEDIA_FILE;
}

enum sk_status sk_media_known(struct sk_store *store, const char *file_name,
                              enum sk_media_shape *shape, bool *known, struct sk_error *err)
{
    struct sk_id name;
    *known = false;
    *shape = shape_of(file_name, &name);
    return *shape == SK_MEDIA_OTHER ? SK_OK : row_names(store, name.bytes, known, err);
}

void sk_media_settle(struct sk_store *store, const char *mark_name, bool known)
{
    struct sk_id name;
    if (shape_of(mark_name, &name) == SK_MEDIA_MARK)
        settle(store, name.bytes, known);
}
