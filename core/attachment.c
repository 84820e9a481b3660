/*
 * Attachments: the bytes of a file, kept beside the record they belong to.
 */
#include "core/digest.h"
#include "core/item_internal.h"
#include "core/lacking.h"
#include "core/media.h"
#include "core/store_internal.h"
#include "core/text.h"

/* Media types by the end of a name; what is not here is application/octet-stream. */
static const char *const media_types[][2] = {
    {".txt", "text/plain"},
    {".md", "text/markdown"},
    {".csv", "text/csv"},
    {".html", "text/html"},
    {".pdf", "application/pdf"},
    {".json", "application/json"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".png", "image/png"},
    {".gif", "image/gif"},
    {".heic", "image/heic"},
    {".webp", "image/webp"},
    {".tif", "image/tiff"},
    {".tiff", "image/tiff"},
    {".mp3", "audio/mpeg"},
    {".m4a", "audio/mp4"},
    {".ogg", "audio/ogg"},
    {".opus", "audio/ogg"},
    {".wav", "audio/wav"},
    {".mp4", "video/mp4"},
    {".mov", "video/quicktime"},
    {".webm", "video/webm"},
    {".mkv", "video/x-matroska"},
    {".doc", "application/msword"},
    {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {".odt", "application/vnd.oasis.opendocument.text"},
    {".zip", "application/zip"},
};

static const char *media_type_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof(media_types) / sizeof(media_types[0]); i++) {
        if (strcasecmp(dot, media_types[i][0]) == 0)
            return media_types[i][1];
    }
    return "application/octet-stream";
}

/* The name of a file without its folders. Errors: SK_REFUSED. */
static enum sk_status base_name(const char *path, const char **out, struct sk_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (*name == '\0')
        return sk_fail(err, SK_REFUSED, "this is no name of a file");
    if (!sk_text_valid(name, strlen(name)))
        return sk_fail(err, SK_REFUSED, "the name of the file is not UTF-8; rename it first");
    *out = name;
    return SK_OK;
}

/* Fills up a block; less only at the end of the file. */
static enum sk_status read_block(struct sk_file *file, uint8_t *block, size_t *len,
                                 struct sk_error *err)
{
    *len = 0;
    while (*len < SK_BLOCK_LEN) {
        size_t got = 0;
        SK_TRY(sk_file_read(file, block + *len, SK_BLOCK_LEN - *len, &got, err));
        if (got == 0)
            return SK_OK;
        *len += got;
    }
    return SK_OK;
}

/*
 * Copies a file into the store. The block numbers of the body come after those of the text, which
 * is one block here. *size: bytes copied.
 */
static enum sk_status copy_in(struct sk_file *file, struct sk_media_writer *writer,
                              struct sk_payload *payload, struct sk_buf *body_hashes,
                              uint8_t sha256[static 32], const struct sk_progress *progress,
                              struct sk_error *err)
{
    uint64_t expected = 0;
    bool regular = false;
    SK_TRY(sk_file_size(file, &expected, &regular, err));
    if (expected > SK_BODY_MAX)
        return sk_fail(err, SK_LIMIT,
                       "an attachment holds at most 4,000 MiB; cut the file in parts");
    sk_auto_digest digest = NULL;
    SK_TRY(sk_digest_new(&digest, err));
    for (uint64_t j = 1;; j++) {
        size_t len = 0;
        uint8_t hash[SK_HASH_LEN];
        uint8_t *block = sk_digest_block(digest);
        SK_TRY(read_block(file, block, &len, err));
        if (len == 0)
            break;
        payload->body_len += len;
        if (payload->body_len > expected)
            return sk_fail(err, SK_REFUSED, "the file grew while it was read; try again");
        sk_block_hash(hash, payload->salt, j, block, len);
        SK_TRY(sk_buf_add(body_hashes, hash, sizeof(hash), err));
        SK_TRY(sk_media_write(writer, block, len, err));
        SK_TRY(sk_digest_add(digest, len, err));
        sk_progress_tell(progress, payload->body_len, expected);
    }
    if (payload->body_len != expected)
        return sk_fail(err, SK_REFUSED, "the file shrank while it was read; try again");
    return sk_digest_end(digest, sha256, err);
}

/* The description: the payload's text. */
static enum sk_status describe(struct sk_payload *payload, const struct sk_item *record,
                               const char *name, const uint8_t sha256[static 32],
                               struct sk_error *err)
{
    char record_id[SK_ID_TEXT_LEN];
    char now[SK_DATETIME_LEN];
    char digest[65];
    sk_id_format(record_id, &record->id);
    sk_datetime_now(now);
    sk_hex(digest, sha256, 32);
    sk_auto_json json = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "recorded", now, "record",
                                  record_id, "name", name, "type", media_type_of(name), "size",
                                  (json_int_t)payload->body_len, "sha256", digest);
    if (!json)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_json_write(&payload->text, json, err));
    uint8_t hash[SK_HASH_LEN];
    sk_block_hash(hash, payload->salt, 0, sk_buf_text(&payload->text), payload->text.len);
    return sk_buf_add(&payload->hashes, hash, sizeof(hash), err);
}

enum sk_status sk_attachment_add(struct sk_store *store, const struct sk_item *item,
                                 const char *path, const struct sk_progress *progress,
                                 struct sk_id *out, struct sk_error *err)
{
    const char *name = NULL;
    if (item->erased || !sk_type_is_record(item->type))
        return sk_fail(err, SK_REFUSED, "a file is attached to a record that is not withdrawn");
    SK_TRY(base_name(path, &name, err));
    sk_auto_file file = NULL;
    sk_auto_media_writer writer = NULL;
    SK_TRY(sk_file_open_regular(&file, path, err));
    SK_TRY(sk_media_create(store, &writer, err));

    sk_auto_payload payload = SK_PAYLOAD_INIT;
    sk_auto_buf body_hashes = SK_BUF_INIT;
    uint8_t sha256[32];
    sk_random(payload.salt, sizeof(payload.salt));
    SK_TRY(copy_in(file, writer, &payload, &body_hashes, sha256, progress, err));
    SK_TRY(sk_media_finish(writer, err));
    SK_TRY(describe(&payload, item, name, sha256, err));
    SK_TRY(sk_buf_add(&payload.hashes, body_hashes.bytes, body_hashes.len, err));

    struct sk_entry entry = {.type = SK_TYPE_ATTACHMENT, .revision = 1};
    sk_id_random(&entry.id);
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(sk_media_keep(writer, &payload.media, err));
    SK_TRY(sk_record_append(store, &entry, &payload, err));
    SK_TRY(sk_store_commit(&txn, err));
    *out = entry.id;
    return SK_OK;
}

static enum sk_status attachment_row(struct sk_stmt *stmt, struct sk_attachment *out,
                                     struct sk_error *err)
{
    SK_TRY(sk_column_copy(stmt, 0, out->id.bytes, SK_ID_LEN, err));
    SK_TRY(sk_column_copy(stmt, 1, out->record.bytes, SK_ID_LEN, err));
    out->name = sk_column_text(stmt, 2);
    out->type = sk_column_text(stmt, 3);
    out->size = (uint64_t)sk_column_int(stmt, 4);
    out->log = sk_column_int(stmt, 6);
    return sk_column_copy(stmt, 5, out->sha256, sizeof(out->sha256), err);
}

enum sk_status sk_attachment_each(struct sk_store *store, const struct sk_item *item,
                                  sk_attachment_each_fn *each, void *context, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT item.uid, record, name, attachment.type, size, sha256, item.log "
                         "FROM attachment JOIN item ON item.id = attachment.item "
                         "WHERE record = ?1 AND " SK_ITEM_HANGS_ON,
                         err));
    sk_bind_bytes(stmt, 1, item->id.bytes, SK_ID_LEN);
    sk_bind_int(stmt, 2, item->log);
    for (;;) {
        bool row = false;
        struct sk_attachment attachment;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(attachment_row(stmt, &attachment, err));
        SK_TRY(each(context, &attachment, err));
    }
}

/* Extracting */

enum sk_status sk_attachment_check(struct sk_store *store, const struct sk_payload *payload,
                                   const uint8_t *sha256, struct sk_file *to,
                                   const struct sk_progress *progress, struct sk_error *err)
{
    sk_auto_media_reader reader = NULL;
    /* An archive keeps no file for nothing. */
    if (payload->media || payload->body_len)
        SK_TRY(sk_media_open(store, payload->media, &reader, err));
    sk_auto_digest digest = NULL;
    SK_TRY(sk_digest_new(&digest, err));
    uint64_t blocks = sk_block_count(payload->text.len, payload->body_len);
    uint64_t done = 0;
    for (uint64_t j = sk_block_count(payload->text.len, 0); j < blocks; j++) {
        size_t len = sk_block_len(payload->text.len, payload->body_len, j);
        size_t got = 0;
        uint8_t hash[SK_HASH_LEN];
        uint8_t *block = sk_digest_block(digest);
        SK_TRY(sk_media_read(reader, block, len, &got, err));
        sk_block_hash(hash, payload->salt, j, block, got);
        if (got != len || memcmp(hash, payload->hashes.bytes + j * SK_HASH_LEN, SK_HASH_LEN) != 0)
            return sk_fail(err, SK_DAMAGED, "the attachment is not what was signed");
        if (to)
            SK_TRY(sk_file_write(to, block, len, err));
        SK_TRY(sk_digest_add(digest, len, err));
        done += len;
        sk_progress_tell(progress, done, payload->body_len);
    }
    uint8_t seen[SK_DIGEST_LEN];
    SK_TRY(sk_digest_end(digest, seen, err));
    if (sha256 && memcmp(seen, sha256, sizeof(seen)) != 0)
        return sk_fail(err, SK_DAMAGED,
                       "the SHA-256 of the attachment is not the one it came with");
    return SK_OK;
}

static enum sk_status fail_absent(struct sk_store *store, const struct sk_item *item,
                                  struct sk_error *err)
{
    bool lacking = false;
    SK_TRY(sk_lacking_is(store, item->log, item->position, &lacking, err));
    if (lacking)
        return sk_fail(err, SK_REFUSED,
                       "this attachment was lost in a damaged bundle: the next receipt asks its "
                       "device for it");
    return sk_fail(err, SK_MISSING, "the bytes of this attachment are not here");
}

/* What an id finds, and whether a related log has something else under it. */
struct same {
    struct sk_store *store;
    uint8_t entry[SK_ENTRY_LEN];
    bool other;
};

static enum sk_status read_unmarked(struct sk_store *store, const struct sk_item *item,
                                    uint8_t out[static SK_ENTRY_LEN], struct sk_error *err)
{
    bool found = false;
    SK_TRY(sk_log_entry(store, item->log, item->position, out, &found, err));
    out[7] = 0; /* as SK_SAME_ENTRY */
    return found ? SK_OK : sk_fail(err, SK_DAMAGED, "the database lacks an entry");
}

static enum sk_status compare_twin(void *context, const struct sk_item *twin, struct sk_error *err)
{
    struct same *same = context;
    uint8_t entry[SK_ENTRY_LEN];
    if (twin->erased)
        return SK_OK;
    SK_TRY(read_unmarked(same->store, twin, entry, err));
    same->other = same->other || memcmp(entry, same->entry, sizeof(entry)) != 0;
    return SK_OK;
}

enum sk_status sk_attachment_is_one(struct sk_store *store, const struct sk_item *item, bool *one,
                                    struct sk_error *err)
{
    struct same same = {.store = store};
    *one = true;
    if (item->type != SK_TYPE_ATTACHMENT) /* other things have revisions */
        return SK_OK;
    SK_TRY(read_unmarked(store, item, same.entry, err));
    SK_TRY(sk_item_twins(store, item, compare_twin, &same, err));
    *one = !same.other;
    return SK_OK;
}

enum sk_status sk_attachment_extract(struct sk_store *store, const struct sk_item *item,
                                     const char *path, const struct sk_progress *progress,
                                     struct sk_error *err)
{
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool found = false;
    bool malformed = false;
    if (item->type != SK_TYPE_ATTACHMENT)
        return sk_fail(err, SK_REFUSED, "this is no attachment");
    if (item->erased)
        return sk_fail(err, SK_REFUSED, "this attachment was withdrawn");
    if (sk_file_exists(path))
        return sk_fail(err, SK_CREATE, "%s: a file is there already", path);
    if (item->purged)
        return sk_fail(err, SK_REFUSED,
                       "this attachment was purged here, since every archive has it");
    SK_TRY(sk_payload_load(store, item->log, item->position, &payload, &found, err));
    if (!found)
        return fail_absent(store, item, err);
    SK_TRY(sk_mark_found(store, sk_entry_row(item->log, item->position), &malformed, err));
    if (malformed)
        return sk_fail(
            err, SK_REFUSED,
            "what its device signed of this attachment is malformed: it is kept, and not "
            "given out");
    sk_auto_meaning meaning = {.json = NULL};
    SK_TRY(sk_meaning_read(&meaning, SK_TYPE_ATTACHMENT, sk_buf_text(&payload.text),
                           payload.text.len, payload.body_len, NULL, err));
    sk_auto_file file = NULL;
    SK_TRY(sk_file_create_beside(&file, path, err));
    SK_TRY(sk_attachment_check(store, &payload, meaning.attachment.sha256, file, progress, err));
    return sk_file_publish(file, false, err);
}
