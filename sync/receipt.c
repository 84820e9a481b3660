/*
 * Writing a receipt, at the archive. Taking one is in receipt_take.c.
 */
#include "sync/receipt.h"

#include "core/item.h"
#include "core/text.h"
#include "crypto/bytes.h"
#include "sync/deliver.h"
#include "sync/import_parts.h"
#include "sync/peer.h"
#include "sync/receipt_forms.h"
#include "sync/receipt_note.h"
#include "sync/renew.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void slot_keys_wipe(struct sk_recipient *recipient)
{
    sk_wipe(recipient, sizeof(*recipient));
}

/* ---- remarks ---- */

struct remarks {
    struct sk_receipt *receipt;
    int64_t log;
};

static enum sk_status remark_quarantined(void *context, const struct sk_quarantined *q,
                                         struct sk_error *err)
{
    const struct remarks *r = context;
    const uint64_t numbers[] = {q->bundle, q->n0, q->n1};
    if (q->log != r->log)
        return SK_OK;
    return sk_receipt_add_remark(r->receipt, SK_REMARK_QUARANTINED, numbers, q->reason, err);
}

static enum sk_status remark_malformed(void *context, int64_t log, uint64_t position,
                                       const char *reason, struct sk_error *err)
{
    const struct remarks *r = context;
    (void)log;
    return sk_receipt_add_remark(r->receipt, SK_REMARK_MALFORMED, &position, reason, err);
}

static enum sk_status remark_notices(struct sk_receipt *receipt, struct sk_store *store,
                                     int64_t peer, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt, "SELECT notice FROM peer WHERE id = ?1", err));
    sk_bind_int(stmt, 1, peer);
    SK_TRY(sk_step(stmt, &row, err));
    const char *at = row ? sk_column_text(stmt, 0) : "";
    while (*at) {
        char line[400];
        size_t len = strcspn(at, "\n");
        (void)snprintf(line, sizeof(line), "%.*s", (int)len, at);
        SK_TRY(sk_receipt_add_remark(receipt, SK_REMARK_NOTICE, NULL, line, err));
        at += len + (at[len] == '\n');
    }
    return SK_OK;
}

/* ---- what is stored ---- */

static enum sk_status add_stored(struct sk_store *store, const struct sk_log *log,
                                 const struct sk_range *range, struct sk_receipt *receipt,
                                 struct sk_error *err)
{
    struct sk_merkle tree;
    uint8_t root[SK_MERKLE_LEN];
    bool found = range->to <= log->size;
    if (found)
        SK_TRY(sk_log_tree(store, log->id, range->to, &tree, err));
    else
        SK_TRY(sk_segment_tree(store, log->id, range->to, &tree, &found, err));
    if (!found)
        return sk_fail(err, SK_DAMAGED, "the database lacks what was signed about a part of a log");
    sk_merkle_root(&tree, root);
    return sk_receipt_add_stored(receipt, range->from, range->to, root, err);
}

/* What is missing, but for what would not be taken any more. */
static enum sk_status fill_wanted(struct sk_store *store, const struct sk_log *log,
                                  const struct sk_ranges *lacking, struct sk_receipt *receipt,
                                  struct sk_error *err)
{
    sk_auto_ranges gaps = SK_RANGES_INIT;
    sk_auto_ranges taken = SK_RANGES_INIT;
    uint64_t from = SK_NOT_REVOKED;
    SK_TRY(sk_log_gaps(store, log->id, &gaps, err));
    SK_TRY(sk_ranges_unite(&gaps, lacking, err));
    SK_TRY(sk_log_revoked(store, log->id, &from, err));
    receipt->revokes = from != SK_NOT_REVOKED;
    receipt->revoked = receipt->revokes ? from : 0;
    if (from > 0)
        SK_TRY(sk_ranges_add(&taken, 0, from, err));
    return sk_ranges_common(&receipt->wanted, &gaps, &taken, err);
}

static enum sk_status fill_stored(struct sk_store *store, const struct sk_log *log,
                                  struct sk_receipt *receipt, struct sk_error *err)
{
    sk_auto_ranges held = SK_RANGES_INIT;
    sk_auto_ranges lacking = SK_RANGES_INIT;
    sk_auto_ranges stored = SK_RANGES_INIT;
    struct sk_merkle tree;
    SK_TRY(sk_log_tree(store, log->id, log->size, &tree, err));
    sk_merkle_root(&tree, receipt->root);
    receipt->size = log->size;
    SK_TRY(sk_log_ranges(store, log->id, &held, err));
    SK_TRY(sk_lacking_ranges(store, log->id, &lacking, err));
    SK_TRY(sk_ranges_without(&stored, &held, &lacking, err));
    /* Further ones would be cut off, and each costs a root. */
    for (size_t i = 0; i < stored.count && i < SK_RECEIPT_LIST_MAX; i++)
        SK_TRY(add_stored(store, log, &stored.items[i], receipt, err));
    SK_TRY(sk_bare_ranges(store, log->id, &receipt->bare, &receipt->withdrawn, err));
    return fill_wanted(store, log, &lacking, receipt, err);
}

/* ---- the archive's keys ---- */

/* The seed of the newest keys that the device is known to have. */
static enum sk_status find_seed(struct sk_store *store, const struct sk_log *log,
                                const uint8_t **seed, struct sk_error *err)
{
    uint64_t known = 0;
    SK_TRY(sk_keys_known(store, log->peer, log->id, &known, err));
    *seed = sk_archive_seed(store, known);
    if (*seed)
        return SK_OK;
    return sk_fail(
        err, SK_REFUSED,
        "\"%s\" did not take this archive's next keys before the old ones were "
        "forgotten: it would believe no receipt. It needs a new store, with a new invite",
        log->alias);
}

/* The next keys go with each receipt until the device has shown that it has them. */
static enum sk_status fill_next(struct sk_store *store, const struct sk_log *log,
                                struct sk_receipt *receipt, struct sk_error *err)
{
    struct sk_archive_keys next;
    uint64_t known = 0;
    SK_TRY(sk_keys_known(store, log->peer, log->id, &known, err));
    receipt->renews = sk_archive_next_keys(store, &next) && known < next.number;
    if (!receipt->renews)
        return SK_OK;
    memcpy(receipt->next.dh_public, next.dh_public, SK_DH_LEN);
    memcpy(receipt->next.sign_public, next.sign_public, SK_SIGN_PUBLIC_LEN);
    return SK_OK;
}

static enum sk_status fill_receipt(struct sk_store *store, const struct sk_log *log,
                                   uint64_t number, struct sk_receipt *receipt,
                                   struct sk_error *err)
{
    struct remarks remarks = {.receipt = receipt, .log = log->id};
    memcpy(receipt->archive_id, sk_store_id(store), SK_HASH_LEN);
    memcpy(receipt->log_id, log->log_id, SK_HASH_LEN);
    receipt->number = number;
    receipt->day = sk_day_now();
    SK_TRY(fill_stored(store, log, receipt, err));
    SK_TRY(fill_next(store, log, receipt, err));
    SK_TRY(sk_quarantined_each(store, remark_quarantined, &remarks, err));
    SK_TRY(sk_malformed_each(store, log->id, remark_malformed, &remarks, err));
    return remark_notices(receipt, store, log->peer, err);
}

/* ---- the two notes ---- */

static enum sk_status sign_note(const struct sk_receipt *receipt, const uint8_t *seed,
                                struct sk_buf *out, struct sk_error *err)
{
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    char line[SK_NOTE_LINE_MAX];
    sk_receipt_key_name(name, receipt->archive_id);
    SK_TRY(sk_receipt_format(out, receipt, err));
    enum sk_status status = sk_note_sign(line, sk_buf_text(out), out->len, name, seed);
    if (status != SK_OK)
        return sk_fail_status(err, status);
    return sk_buf_printf(out, err, "\n%s", line);
}

/* The device's newest checkpoint of the part without a gap, with the archive's cosignature. */
static enum sk_status cosign(struct sk_store *store, const struct sk_log *log, const uint8_t *seed,
                             struct sk_buf *out, struct sk_error *err)
{
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    char line[SK_NOTE_LINE_MAX];
    SK_TRY(sk_segment_note(store, log->id, log->size, out, err));
    const char *end = strstr(sk_buf_text(out), "\n\n");
    if (!end)
        return SK_OK; /* none yet */
    sk_receipt_key_name(name, sk_store_id(store));
    size_t text_len = (size_t)(end - sk_buf_text(out)) + 1;
    enum sk_status status =
        sk_note_cosign(line, sk_buf_text(out), text_len, name, (uint64_t)time(NULL), seed);
    if (status != SK_OK)
        return sk_fail_status(err, status);
    return sk_buf_add_text(out, line, err);
}

static enum sk_status write_part(struct sk_envelope_writer *writer, const struct sk_buf *part,
                                 struct sk_error *err)
{
    uint8_t len[4];
    sk_put_u32(len, (uint32_t)part->len);
    SK_TRY(sk_envelope_write(writer, len, sizeof(len), err));
    return sk_envelope_write(writer, sk_buf_text(part), part->len, err);
}

/* ---- the file ---- */

/* Number and index are durable when this returns. */
static enum sk_status reserve(struct sk_store *store, const struct sk_log *log, uint64_t *number,
                              struct sk_recipient *out, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    sk_auto_peer peer = {.id = 0};
    uint64_t index = 0;
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(sk_peer_load(store, log->peer, &peer, err));
    SK_TRY(sk_peer_set_number(store, peer.id, peer.number + 1, err));
    SK_TRY(sk_chain_take(store, peer.send, &index, &out->keys, err));
    memcpy(out->dh_public, log->dh_public, SK_DH_LEN);
    SK_TRY(sk_store_commit_step(&txn, err));
    *number = peer.number + 1;
    return SK_OK;
}

static enum sk_status write_file(struct sk_store *store, const struct sk_log *log,
                                 struct sk_file **file, const char *path, uint8_t hash[static 32],
                                 struct sk_error *err)
{
    __attribute__((cleanup(slot_keys_wipe))) struct sk_recipient recipient = {.dh_public = {0}};
    sk_auto_envelope_writer writer = NULL;
    sk_auto_receipt receipt = {.stored = NULL};
    sk_auto_buf note = SK_BUF_INIT;
    sk_auto_buf checkpoint = SK_BUF_INIT;
    sk_auto_form_texts forms = {.count = 0};
    uint64_t number = 0;
    struct sk_delivered delivered = {.bytes = 0};
    const uint8_t *seed = NULL;
    SK_TRY(find_seed(store, log, &seed, err));
    SK_TRY(reserve(store, log, &number, &recipient, err));
    SK_TRY(fill_receipt(store, log, number, &receipt, err));
    /* Whoever has a device that is revoked learns nothing more of what is asked. */
    if (!receipt.revokes)
        SK_TRY(sk_receipt_forms_fill(store, &receipt, &forms, err));
    SK_TRY(sign_note(&receipt, seed, &note, err));
    SK_TRY(cosign(store, log, seed, &checkpoint, err));
    SK_TRY(sk_envelope_create(&writer, *file, &recipient, 1, err));
    SK_TRY(write_part(writer, &note, err));
    SK_TRY(write_part(writer, &checkpoint, err));
    SK_TRY(sk_form_texts_write(writer, &forms, err));
    return sk_deliver(writer, file, path, hash, &delivered, err);
}

/* A device signs its X25519 key itself: with some every agreement is zero. */
static enum sk_status check_device_key(struct sk_store *store, const struct sk_log *log,
                                       struct sk_error *err)
{
    uint8_t shared[SK_DH_LEN];
    struct sk_archive_keys keys;
    sk_archive_keys(store, &keys);
    enum sk_status status = sk_archive_dh(store, keys.number, shared, log->dh_public);
    sk_wipe(shared, sizeof(shared));
    if (status == SK_DAMAGED)
        return sk_fail(
            err, SK_REFUSED,
            "\"%s\" has signed a key to which nothing can be sealed: no receipt can reach "
            "it. No honest device does that",
            log->alias);
    return status == SK_OK ? SK_OK : sk_fail_status(err, status);
}

enum sk_status sk_receipt_write(struct sk_store *store, int64_t log, const char *path, char *code,
                                struct sk_error *err)
{
    sk_auto_file file = NULL;
    struct sk_log row;
    uint8_t hash[32];
    SK_TRY(sk_log_get(store, log, &row, err));
    if (row.peer == 0)
        return sk_fail(err, SK_MISSING, "\"%s\" was not invited: no receipt can reach it",
                       row.alias);
    SK_TRY(check_device_key(store, &row, err));
    if (sk_file_exists(path))
        return sk_fail(err, SK_CREATE, "%s: a file of this name is there already", path);
    SK_TRY(sk_file_try_name(path, err));
    SK_TRY(sk_file_create_beside(&file, path, err));
    SK_TRY(write_file(store, &row, &file, path, hash, err));
    sk_code_format(code, hash);
    return SK_OK;
}
