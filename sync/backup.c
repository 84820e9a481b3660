#include "sync/backup.h"

#include "core/text.h"
#include "crypto/bytes.h"
#include "sync/backup_parts.h"
#include "sync/deliver.h"
#include "sync/looks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_LEN 65536u

struct writer {
    struct sk_file *file;
    struct sk_hash hash;
    struct sk_secret *key;
    const struct sk_progress *progress;
    uint64_t total; /* bytes of the finished file */
    uint64_t chunks;
    size_t held;
    uint8_t plain[SK_BACKUP_CHUNK_LEN];
    uint8_t sealed[SK_BACKUP_CHUNK];
    uint8_t piece[PIECE_LEN];
};

static void writer_free(struct writer **writer)
{
    if (!*writer)
        return;
    sk_secret_free((*writer)->key);
    sk_wipe(*writer, sizeof(**writer));
    free(*writer);
}
#define auto_writer __attribute__((cleanup(writer_free))) struct writer *

enum sk_status sk_backup_key(struct sk_secret **out, const struct sk_unlock *unlock,
                             const uint8_t salt[static SK_KDF_SALT_LEN], bool insecure)
{
    struct sk_kdf_params params = {SK_KDF_MEMORY_KIB, SK_KDF_PASSES, 0};
    if (insecure)
        params = (struct sk_kdf_params){SK_KDF_TEST_MEMORY_KIB, SK_KDF_TEST_PASSES, 1};
    SK_TRY(sk_unlock_key(out, unlock, salt, &params));
    sk_hash_of(sk_secret_bytes(*out), sk_secret_view(*out), SK_LABEL_BACKUP, NULL, 0);
    return SK_OK;
}

void sk_backup_data_key(uint8_t out[static 32], const uint8_t file_key[static 32])
{
    sk_hash_of(out, file_key, SK_LABEL_BACKUP_DATA, NULL, 0);
}

/* ---- bytes out ---- */

static enum sk_status put(struct writer *w, const uint8_t *bytes, size_t len, struct sk_error *err)
{
    sk_hash_add(&w->hash, bytes, len);
    return sk_file_write(w->file, bytes, len, err);
}

static enum sk_status put_chunk(struct writer *w, bool last, struct sk_error *err)
{
    memset(w->plain + w->held, 0, SK_BACKUP_CHUNK_LEN - w->held);
    sk_chunk_seal(w->sealed, w->plain, SK_BACKUP_CHUNK_LEN, w->chunks, last,
                  sk_secret_view(w->key));
    w->chunks++;
    w->held = 0;
    sk_progress_tell(w->progress, (w->chunks + 1) * SK_BACKUP_CHUNK, w->total);
    return put(w, w->sealed, SK_BACKUP_CHUNK, err);
}

static enum sk_status append(struct writer *w, const void *bytes, size_t len, struct sk_error *err)
{
    const uint8_t *next = bytes;
    while (len > 0) {
        if (w->held == SK_BACKUP_CHUNK_LEN)
            SK_TRY(put_chunk(w, false, err));
        size_t piece = SK_BACKUP_CHUNK_LEN - w->held;
        piece = piece < len ? piece : len;
        memcpy(w->plain + w->held, next, piece);
        w->held += piece;
        next += piece;
        len -= piece;
    }
    return SK_OK;
}

/* Up to the rounded size. */
static enum sk_status finish(struct writer *w, struct sk_error *err)
{
    uint64_t chunks = w->total / SK_BACKUP_CHUNK - 1;
    if (w->chunks >= chunks)
        return sk_fail(err, SK_IO, "the store changed while it was read; try again");
    while (w->chunks < chunks)
        SK_TRY(put_chunk(w, w->chunks + 1 == chunks, err));
    return SK_OK;
}

static enum sk_status put_header(struct writer *w, const struct sk_unlock *unlock, bool insecure,
                                 const uint8_t *store_key, const uint8_t *store_id,
                                 struct sk_error *err)
{
    sk_auto_buf header = SK_BUF_INIT;
    sk_auto_secret key = NULL;
    sk_auto_key file_key = {{0}};
    SK_TRY(sk_buf_grow(&header, SK_BACKUP_HEADER_LEN, err));
    uint8_t *plain = header.bytes + SK_KDF_SALT_LEN;
    header.len = SK_BACKUP_HEADER_LEN;
    memset(header.bytes, 0, header.len);
    sk_looks_random(header.bytes, SK_KDF_SALT_LEN);
    sk_random(file_key.bytes, sizeof(file_key.bytes));
    enum sk_status status = sk_backup_key(&key, unlock, header.bytes, insecure);
    if (status == SK_OK)
        status = sk_secret_new(&w->key, SK_AEAD_KEY_LEN);
    if (status != SK_OK)
        return sk_fail_status(err, status);
    sk_backup_data_key(sk_secret_bytes(w->key), file_key.bytes);
    sk_put_u32(plain + SK_BACKUP_AT_FORMAT, SK_BACKUP_FORMAT);
    sk_put_u32(plain + SK_BACKUP_AT_KIND, SK_STORE_DEVICE);
    memcpy(plain + SK_BACKUP_AT_STORE_ID, store_id, SK_STORE_ID_LEN);
    memcpy(plain + SK_BACKUP_AT_STORE_KEY, store_key, 32);
    memcpy(plain + SK_BACKUP_AT_FILE_KEY, file_key.bytes, 32);
    sk_page_seal(plain, plain, SK_BACKUP_PLAIN_LEN, NULL, 0, sk_secret_view(key));
    return put(w, header.bytes, header.len, err);
}

/* ---- the store's files ---- */

/* One walk counts, another writes. */
struct walk {
    const char *dir;
    struct writer *writer; /* NULL: count */
    uint64_t bytes;        /* of the stream */
};

static enum sk_status copy_bytes(struct writer *w, struct sk_file *file, uint64_t len,
                                 struct sk_error *err)
{
    while (len > 0) {
        size_t piece = len < PIECE_LEN ? (size_t)len : PIECE_LEN;
        size_t got = 0;
        SK_TRY(sk_file_read(file, w->piece, piece, &got, err));
        if (got != piece)
            return sk_fail(err, SK_IO, "%s ends too early", sk_file_path(file));
        SK_TRY(append(w, w->piece, piece, err));
        len -= piece;
    }
    return SK_OK;
}

/* u16 length of the name | name | u64 length | bytes */
static enum sk_status take_file(struct walk *walk, const char *name, struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    sk_auto_file file = NULL;
    uint64_t len = 0;
    bool regular = false;
    uint8_t number[8];
    size_t name_len = strlen(name);
    SK_TRY(sk_path_join(&path, walk->dir, name, err));
    SK_TRY(sk_file_open(&file, path, err));
    SK_TRY(sk_file_size(file, &len, &regular, err));
    if (!regular)
        return sk_fail(err, SK_IO, "%s is no regular file", path);
    walk->bytes += 2 + name_len + sizeof(number) + len;
    if (!walk->writer)
        return SK_OK;
    sk_put_u16(number, (uint16_t)name_len);
    SK_TRY(append(walk->writer, number, 2, err));
    SK_TRY(append(walk->writer, name, name_len, err));
    sk_put_u64(number, len);
    SK_TRY(append(walk->writer, number, sizeof(number), err));
    return copy_bytes(walk->writer, file, len, err);
}

static enum sk_status take_media(void *context, const char *name, struct sk_error *err)
{
    char path[SK_BACKUP_NAME_MAX];
    if (strlen(name) != 32 || strspn(name, "0123456789abcdef") != 32)
        return SK_OK;
    (void)snprintf(path, sizeof(path), "media/%s", name);
    return take_file(context, path, err);
}

static enum sk_status take_files(struct walk *walk, struct sk_error *err)
{
    static const uint8_t end[2];
    sk_auto_free char *log = NULL;
    sk_auto_free char *media = NULL;
    bool there = false;
    walk->bytes = sizeof(end);
    SK_TRY(sk_path_join(&log, walk->dir, "data-wal", err));
    SK_TRY(sk_path_join(&media, walk->dir, "media", err));
    SK_TRY(take_file(walk, "keys", err));
    SK_TRY(take_file(walk, "data", err));
    SK_TRY(sk_file_find(log, &there, err));
    if (there) /* a full disk kept it from being moved */
        SK_TRY(take_file(walk, "data-wal", err));
    SK_TRY(sk_dir_each(media, take_media, walk, err));
    return walk->writer ? append(walk->writer, end, sizeof(end), err) : SK_OK;
}

static uint64_t padded(uint64_t stream)
{
    uint64_t chunks = (stream + SK_BACKUP_CHUNK_LEN - 1) / SK_BACKUP_CHUNK_LEN;
    uint64_t len = sk_padme((1 + chunks) * SK_BACKUP_CHUNK);
    len = (len + SK_BACKUP_CHUNK - 1) / SK_BACKUP_CHUNK * SK_BACKUP_CHUNK;
    return len < SK_BACKUP_MIN ? SK_BACKUP_MIN : len;
}

enum sk_status sk_backup(struct sk_store *store, const struct sk_unlock *unlock, const char *path,
                         const struct sk_progress *progress, uint64_t *bytes, struct sk_error *err)
{
    const uint8_t *store_key = NULL;
    const uint8_t *store_id = NULL;
    bool insecure = sk_store_insecure(store);
    struct walk walk = {.dir = sk_store_dir(store)};
    uint8_t hash[SK_HASH_LEN];
    struct sk_delivered delivered = {.bytes = 0};
    sk_auto_file file = NULL;
    if (sk_file_exists(path))
        return sk_fail(err, SK_CREATE, "%s: a file of this name is there already", path);
    SK_TRY(sk_file_try_name(path, err));
    auto_writer w = calloc(1, sizeof(*w));
    if (!w)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_store_freeze(store, &store_key, &store_id, err));
    SK_TRY(take_files(&walk, err));
    SK_TRY(sk_file_create_beside(&file, path, err));
    *w = (struct writer){.file = file, .progress = progress, .total = padded(walk.bytes)};
    SK_TRY(sk_file_reserve(file, w->total, err));
    sk_hash_init(&w->hash, NULL, SK_LABEL_FILE);
    SK_TRY(put_header(w, unlock, insecure, store_key, store_id, err));
    walk.writer = w;
    SK_TRY(take_files(&walk, err));
    SK_TRY(finish(w, err));
    sk_hash_end(&w->hash, hash);
    SK_TRY(sk_deliver_file(file, path, hash, &delivered, err));
    *bytes = delivered.bytes;
    return SK_OK;
}
