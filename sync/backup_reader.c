/*
 * The way back from a backup: unpack, then a succession. What is unpacked is as sealed as it was in
 * the store.
 */
#include "core/file.h"
#include "crypto/bytes.h"
#include "sync/backup_parts.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct sk_file *file;
    struct sk_secret *keys; /* store key[32] | key of the chunks[32] */
    uint8_t store_id[SK_STORE_ID_LEN];
    bool by_words;
    const struct sk_progress *progress;
    uint64_t chunks; /* in the file */
    uint64_t next;
    size_t at, have;
    uint8_t plain[SK_BACKUP_CHUNK_LEN];
    uint8_t sealed[SK_BACKUP_CHUNK];
};

static void reader_free(struct reader **reader)
{
    if (!*reader)
        return;
    sk_file_close((*reader)->file);
    sk_secret_free((*reader)->keys);
    sk_wipe(*reader, sizeof(**reader));
    free(*reader);
}
#define auto_reader __attribute__((cleanup(reader_free))) struct reader *

static enum sk_status fail_damaged(const struct reader *r, struct sk_error *err)
{
    return sk_fail(err, SK_DAMAGED, "%s: this backup is damaged, cut off or not one",
                   sk_file_path(r->file));
}

/* ---- opening ---- */

static enum sk_status take_header(struct reader *r, const uint8_t *plain, struct sk_error *err)
{
    uint8_t any = 0;
    if (sk_get_u32(plain + SK_BACKUP_AT_FORMAT) > SK_BACKUP_FORMAT)
        return sk_fail(err, SK_CONFIG, "%s: made by a newer version of this program",
                       sk_file_path(r->file));
    for (size_t i = SK_BACKUP_AT_ZEROS; i < SK_BACKUP_PLAIN_LEN; i++)
        any |= plain[i];
    if (sk_get_u32(plain + SK_BACKUP_AT_FORMAT) != SK_BACKUP_FORMAT || any != 0 ||
        sk_get_u32(plain + SK_BACKUP_AT_KIND) != SK_STORE_DEVICE)
        return fail_damaged(r, err);
    if (sk_secret_new(&r->keys, (size_t)2 * SK_AEAD_KEY_LEN) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);
    memcpy(r->store_id, plain + SK_BACKUP_AT_STORE_ID, SK_STORE_ID_LEN);
    memcpy(sk_secret_bytes(r->keys), plain + SK_BACKUP_AT_STORE_KEY, SK_AEAD_KEY_LEN);
    sk_backup_data_key(sk_secret_bytes(r->keys) + SK_AEAD_KEY_LEN, plain + SK_BACKUP_AT_FILE_KEY);
    return SK_OK;
}

/* What was given, tried as it is; *opened tells. */
static enum sk_status unseal(const struct sk_buf *header, uint8_t *plain,
                             const struct sk_unlock *unlock, bool insecure, bool *opened,
                             struct sk_error *err)
{
    sk_auto_secret key = NULL;
    enum sk_status status = sk_backup_key(&key, unlock, header->bytes, insecure);
    if (status != SK_OK)
        return sk_fail_status(err, status);
    *opened = sk_page_open(plain, header->bytes + SK_KDF_SALT_LEN, SK_BACKUP_PLAIN_LEN, NULL, 0,
                           sk_secret_view(key)) == SK_OK;
    return SK_OK;
}

/* Words first, as everywhere; r->by_words tells whether they did it. */
static enum sk_status open_header(struct reader *r, const struct sk_store_options *options,
                                  struct sk_error *err)
{
    sk_auto_buf header = SK_BUF_INIT;
    bool opened = false;
    size_t got = 0;
    SK_TRY(sk_buf_grow(&header, SK_BACKUP_HEADER_LEN, err));
    SK_TRY(sk_file_read(r->file, header.bytes, SK_BACKUP_HEADER_LEN, &got, err));
    if (got != SK_BACKUP_HEADER_LEN)
        return fail_damaged(r, err);
    header.len = got;
    uint8_t *plain = header.bytes + SK_KDF_SALT_LEN;
    if (options->words) {
        const struct sk_unlock words = {options->words->text, options->words->len, NULL};
        SK_TRY(unseal(&header, plain, &words, options->insecure_kdf, &opened, err));
        r->by_words = opened;
    }
    if (!opened)
        SK_TRY(unseal(&header, plain, options->unlock, options->insecure_kdf, &opened, err));
    if (!opened)
        return sk_fail(err, SK_WRONG_KEY,
                       "%s: wrong passphrase or key file, or the beginning of this backup is "
                       "damaged",
                       sk_file_path(r->file));
    return take_header(r, plain, err);
}

static enum sk_status open_backup(struct reader *r, const char *path,
                                  const struct sk_store_options *options, struct sk_error *err)
{
    uint64_t len = 0;
    bool regular = false;
    SK_TRY(sk_file_open(&r->file, path, err));
    SK_TRY(sk_file_size(r->file, &len, &regular, err));
    if (!regular || len < SK_BACKUP_MIN || len % SK_BACKUP_CHUNK != 0)
        return fail_damaged(r, err);
    r->chunks = len / SK_BACKUP_CHUNK - 1;
    return open_header(r, options, err);
}

/* ---- reading ---- */

static enum sk_status next_chunk(struct reader *r, struct sk_error *err)
{
    size_t got = 0;
    if (r->next == r->chunks)
        return fail_damaged(r, err);
    SK_TRY(sk_file_read(r->file, r->sealed, SK_BACKUP_CHUNK, &got, err));
    if (got != SK_BACKUP_CHUNK ||
        sk_chunk_open(r->plain, r->sealed, SK_BACKUP_CHUNK_LEN, r->next, r->next + 1 == r->chunks,
                      sk_secret_view(r->keys) + SK_AEAD_KEY_LEN) != SK_OK)
        return fail_damaged(r, err);
    r->next++;
    r->at = 0;
    r->have = SK_BACKUP_CHUNK_LEN;
    sk_progress_tell(r->progress, r->next, r->chunks);
    return SK_OK;
}

/* Gives a piece of at most `len` bytes of the stream. */
static enum sk_status next_piece(struct reader *r, uint64_t len, const uint8_t **bytes, size_t *out,
                                 struct sk_error *err)
{
    if (r->at == r->have)
        SK_TRY(next_chunk(r, err));
    size_t piece = r->have - r->at;
    piece = piece < len ? piece : (size_t)len;
    *bytes = r->plain + r->at;
    *out = piece;
    r->at += piece;
    return SK_OK;
}

static enum sk_status read_exactly(struct reader *r, void *out, size_t len, struct sk_error *err)
{
    uint8_t *to = out;
    while (len > 0) {
        const uint8_t *bytes = NULL;
        size_t piece = 0;
        SK_TRY(next_piece(r, len, &bytes, &piece, err));
        memcpy(to, bytes, piece);
        to += piece;
        len -= piece;
    }
    return SK_OK;
}

/* Behind the last file there are zeros to the last chunk. */
static enum sk_status check_end(struct reader *r, struct sk_error *err)
{
    for (;;) {
        uint8_t any = 0;
        for (; r->at < r->have; r->at++)
            any |= r->plain[r->at];
        if (any != 0)
            return fail_damaged(r, err);
        if (r->next == r->chunks)
            return SK_OK;
        SK_TRY(next_chunk(r, err));
    }
}

/* ---- unpacking ---- */

/* Only what a store is made of, so that no name leads anywhere else. */
static bool name_allowed(const char *name)
{
    static const char media[] = "media/";
    const size_t len = sizeof(media) - 1;
    if (strcmp(name, "keys") == 0 || strcmp(name, "data") == 0 || strcmp(name, "data-wal") == 0)
        return true;
    return strncmp(name, media, len) == 0 && strlen(name) == len + 32 &&
           strspn(name + len, "0123456789abcdef") == 32;
}

static enum sk_status unpack_file(struct reader *r, const char *dir, const char *name,
                                  struct sk_error *err)
{
    sk_auto_free char *path = NULL;
    sk_auto_file file = NULL;
    uint8_t number[8];
    SK_TRY(read_exactly(r, number, sizeof(number), err));
    SK_TRY(sk_path_join(&path, dir, name, err));
    if (sk_file_exists(path)) /* it is in there twice */
        return fail_damaged(r, err);
    SK_TRY(sk_file_create(&file, path, err));
    for (uint64_t left = sk_get_u64(number); left > 0;) {
        const uint8_t *bytes = NULL;
        size_t piece = 0;
        SK_TRY(next_piece(r, left, &bytes, &piece, err));
        SK_TRY(sk_file_write(file, bytes, piece, err));
        left -= piece;
    }
    return SK_OK;
}

static enum sk_status unpack(struct reader *r, const char *dir, struct sk_error *err)
{
    sk_auto_free char *media = NULL;
    SK_TRY(sk_path_join(&media, dir, "media", err));
    SK_TRY(sk_dir_create(media, err));
    for (;;) {
        uint8_t number[2];
        char name[SK_BACKUP_NAME_MAX] = "";
        SK_TRY(read_exactly(r, number, sizeof(number), err));
        size_t len = sk_get_u16(number);
        if (len == 0)
            return check_end(r, err);
        if (len >= sizeof(name))
            return fail_damaged(r, err);
        SK_TRY(read_exactly(r, name, len, err));
        if (strlen(name) != len || !name_allowed(name))
            return fail_damaged(r, err);
        SK_TRY(unpack_file(r, dir, name, err));
    }
}

/* ---- the whole ---- */

struct restore {
    const struct sk_succession_options *options;
    sk_restore_found_fn *found;
    void *found_context;
};

static enum sk_status restore_from(struct reader *r, const char *dir, const struct restore *restore,
                                   struct sk_succession_result *out, struct sk_error *err)
{
    sk_auto_remains remains = NULL;
    SK_TRY(unpack(r, dir, err));
    SK_TRY(sk_remains_open(&remains, dir, sk_secret_view(r->keys), r->store_id, NULL, err));
    if (restore->found)
        restore->found(restore->found_context, sk_remains_facts(remains));
    struct sk_succession_options options = *restore->options;
    struct sk_store_options store = *options.store;
    if (r->by_words)
        store.unlock = NULL;
    options.store = &store;
    options.readable = true;
    return sk_succession(remains, &options, out, err);
}

enum sk_status sk_restore(const char *path, const struct sk_succession_options *options,
                          const struct sk_progress *unpacking, sk_restore_found_fn *found,
                          void *found_context, struct sk_succession_result *out,
                          struct sk_error *err)
{
    const struct restore restore = {options, found, found_context};
    sk_auto_free char *scratch = NULL;
    struct sk_dir_lock *lock = NULL;
    auto_reader r = calloc(1, sizeof(*r));
    if (!r)
        return sk_fail_status(err, SK_NOMEM);
    r->progress = unpacking;
    SK_TRY(sk_store_free_place(options->store->dir, err));
    SK_TRY(open_backup(r, path, options->store, err));
    SK_TRY(sk_store_scratch(&scratch, &lock, options->store->dir, err));
    enum sk_status status = restore_from(r, scratch, &restore, out, err);
    sk_dir_discard(scratch);
    sk_dir_unlock(lock);
    return status;
}
