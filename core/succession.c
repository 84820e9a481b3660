#include "core/succession.h"

#include "core/continuation.h"
#include "core/form_log.h"
#include "core/item_internal.h"
#include "core/purge.h"
#include "core/store_internal.h"

#define BATCH 1000 /* entries in one transaction: nobody sees the store before it is whole */

struct work {
    struct sk_remains *remains;
    const struct sk_succession_options *options;
    struct sk_succession_result result;
    struct sk_store *store; /* while it is filled */
    struct sk_store *txn;
    uint64_t in_txn;
    uint64_t done;
    uint8_t *block; /* SK_BLOCK_LEN */
};

static void work_clear(struct work *work)
{
    if (work->block)
        sk_wipe(work->block, SK_BLOCK_LEN);
    free(work->block);
}

static enum sk_status tell_loss(struct work *work, const struct sk_loss *loss, struct sk_error *err)
{
    work->result.losses += loss->kind != SK_LOSS_PROOF;
    return work->options->loss(work->options->loss_context, loss, err);
}

static enum sk_status next_batch(struct work *work, bool last, struct sk_error *err)
{
    if (!last && ++work->in_txn < BATCH)
        return SK_OK;
    work->in_txn = 0;
    SK_TRY(sk_store_commit(&work->txn, err));
    return last ? SK_OK : sk_store_begin(&work->txn, work->store, err);
}

/* ---- what it continues ---- */

static enum sk_status name_old_log(struct work *work, struct sk_error *err)
{
    const struct sk_remains_facts *facts = sk_remains_facts(work->remains);
    const uint8_t *seed = sk_remains_seed(work->remains);
    struct sk_continuation c = {.size = facts->known_size};
    if (!seed)
        return SK_OK;
    memcpy(c.log_id, sk_store_id(work->store), SK_HASH_LEN);
    memcpy(c.old_id, facts->log_id, SK_HASH_LEN);
    memcpy(c.sign_public, facts->sign_public, SK_SIGN_PUBLIC_LEN);
    memcpy(c.dh_public, facts->dh_public, SK_DH_LEN);
    memcpy(c.root, facts->root, SK_MERKLE_LEN);
    sk_continuation_sign(&c, seed);
    work->result.continues = true;
    return sk_continuation_append(work->store, &c, err);
}

/* ---- entries ---- */

/* Copies a body under a new key, each block held against its hash. */
static enum sk_status copy_body(struct work *work, const struct sk_payload *payload,
                                struct sk_media_reader *from, struct sk_media_writer *to,
                                struct sk_error *err)
{
    uint64_t blocks = sk_block_count(payload->text.len, payload->body_len);
    for (uint64_t j = sk_block_count(payload->text.len, 0); j < blocks; j++) {
        size_t len = sk_block_len(payload->text.len, payload->body_len, j);
        size_t got = 0;
        uint8_t hash[SK_HASH_LEN];
        struct sk_error why = SK_ERROR_INIT;
        enum sk_status status = sk_media_read(from, work->block, len, &got, &why);
        work->result.unread += status == SK_IO;
        if (status == SK_NOMEM)
            return sk_fail_status(err, status);
        sk_block_hash(hash, payload->salt, j, work->block, got);
        if (status != SK_OK || got != len ||
            memcmp(hash, payload->hashes.bytes + j * SK_HASH_LEN, sizeof(hash)) != 0)
            return sk_fail(err, SK_DAMAGED, "the bytes of an attachment are lost");
        SK_TRY(sk_media_write(to, work->block, len, err));
    }
    return SK_OK;
}

/* payload->media becomes the new row; *whole is false when the bytes are lost. */
static enum sk_status take_body(struct work *work, struct sk_payload *payload, bool *whole,
                                struct sk_error *err)
{
    sk_auto_media_reader from = NULL;
    sk_auto_media_writer to = NULL;
    struct sk_error why = SK_ERROR_INIT;
    int64_t old = payload->media;
    payload->media = 0;
    *whole = true;
    if (payload->body_len == 0)
        return SK_OK;
    enum sk_status status = sk_remains_body(work->remains, old, &from, &why);
    work->result.unread += status == SK_IO;
    *whole = status == SK_OK && sk_media_size(from) == payload->body_len;
    if (status == SK_NOMEM)
        return sk_fail_status(err, status);
    if (!*whole)
        return SK_OK;
    SK_TRY(sk_media_create(work->store, &to, err));
    status = copy_body(work, payload, from, to, &why);
    *whole = status != SK_DAMAGED;
    if (status == SK_DAMAGED)
        return SK_OK;
    if (status != SK_OK)
        return sk_fail(err, status, "%s", why.text);
    SK_TRY(sk_media_finish(to, err));
    return sk_media_keep(to, &payload->media, err);
}

/* What an entry says it is called, if its text is there. */
static const char *title_in(const struct sk_meaning *meaning)
{
    return meaning->title ? meaning->title : "";
}

/* An entry that is not proven is told, and bears the mark of it from now on. */
static enum sk_status mark(struct work *work, uint64_t old, struct sk_entry *entry,
                           const struct sk_payload *payload, struct sk_error *err)
{
    sk_auto_meaning meaning = {.json = NULL};
    struct sk_log_forms forms = {work->store, SK_LOG_OWN};
    const struct sk_form_source source = sk_log_form_source(&forms);
    struct sk_loss loss = {.kind = SK_LOSS_PROOF,
                           .from = old,
                           .to = old + 1,
                           .id = &entry->id,
                           .type = entry->type,
                           .revision = entry->revision};
    if (payload)
        sk_ignore(sk_meaning_read(&meaning, entry->type, sk_buf_text(&payload->text),
                                  payload->text.len, payload->body_len, &source, NULL));
    loss.title = title_in(&meaning);
    entry->unproven = true;
    work->result.unproven++;
    return tell_loss(work, &loss, err);
}

/* old: its position in the old log. */
static enum sk_status put(struct work *work, uint64_t old, const struct sk_entry *entry,
                          bool proven, const struct sk_payload *payload, struct sk_error *err)
{
    uint64_t position = 0;
    struct sk_entry kept = *entry;
    if (!proven)
        SK_TRY(mark(work, old, &kept, payload, err));
    SK_TRY(sk_log_size(work->store, SK_LOG_OWN, &position, err));
    SK_TRY(sk_item_put(work->store, SK_LOG_OWN, position, &kept, payload, NULL, err));
    work->result.carried++;
    return next_batch(work, false, err);
}

/* What an entry commits to was purged in the old store: it stays so, and is no loss. */
static enum sk_status put_purged(struct work *work, uint64_t old, const struct sk_entry *entry,
                                 bool proven, const struct sk_remains_purged *purged,
                                 struct sk_error *err)
{
    uint64_t position = 0;
    SK_TRY(sk_log_size(work->store, SK_LOG_OWN, &position, err));
    SK_TRY(sk_purged_put(work->store, position, purged->has_source ? &purged->source : NULL,
                         purged->has_target ? &purged->target : NULL, err));
    work->result.purged++;
    return put(work, old, entry, proven, NULL, err);
}

static enum sk_status lose_payload(struct work *work, uint64_t position,
                                   const struct sk_entry *entry, const struct sk_payload *payload,
                                   struct sk_error *err)
{
    sk_auto_meaning meaning = {.json = NULL};
    struct sk_loss loss = {.kind = payload ? SK_LOSS_BODY : SK_LOSS_PAYLOAD,
                           .from = position,
                           .to = position + 1,
                           .id = &entry->id,
                           .type = entry->type,
                           .revision = entry->revision,
                           .title = ""};
    if (payload) {
        loss.bytes = payload->body_len;
        sk_ignore(sk_meaning_read(&meaning, entry->type, sk_buf_text(&payload->text),
                                  payload->text.len, payload->body_len, NULL, NULL));
        loss.title = title_in(&meaning);
    }
    return tell_loss(work, &loss, err);
}

static enum sk_status take_entry(void *context, uint64_t position, const struct sk_entry *entry,
                                 bool proven, struct sk_error *err)
{
    struct work *work = context;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool found = false;
    bool whole = false;
    struct sk_remains_purged purged = {.purged = false};
    const struct sk_remains_facts *facts = sk_remains_facts(work->remains);

    sk_progress_tell(work->options->progress, work->done++, facts->proven + facts->unproven);
    if (!sk_entry_has_payload(entry) || sk_remains_erased(work->remains, &entry->id))
        return put(work, position, entry, proven, NULL, err);
    SK_TRY(sk_remains_purged(work->remains, position, &purged, err));
    if (purged.purged)
        return put_purged(work, position, entry, proven, &purged, err);
    SK_TRY(sk_remains_payload(work->remains, position, entry, &payload, &found, err));
    if (!found)
        return lose_payload(work, position, entry, NULL, err);
    SK_TRY(take_body(work, &payload, &whole, err));
    if (!whole)
        return lose_payload(work, position, entry, &payload, err);
    return put(work, position, entry, proven, &payload, err);
}

/* ---- what is lost ---- */

static enum sk_status lose_range(struct work *work, enum sk_loss_kind kind, uint64_t from,
                                 uint64_t to, struct sk_error *err)
{
    const struct sk_loss loss = {.kind = kind, .from = from, .to = to, .title = ""};
    return tell_loss(work, &loss, err);
}

static enum sk_status lose_missing(void *context, uint64_t from, uint64_t to, struct sk_error *err)
{
    return lose_range(context, SK_LOSS_ENTRIES, from, to, err);
}

static enum sk_status lose_refused(void *context, uint64_t from, uint64_t to, struct sk_error *err)
{
    return lose_range(context, SK_LOSS_REFUSED, from, to, err);
}

static enum sk_status lose_unknown(void *context, uint64_t from, uint64_t to, struct sk_error *err)
{
    return lose_range(context, SK_LOSS_UNKNOWN, from, to, err);
}

/*
 * Something that the old database lists: if it was withdrawn and the entry that says so is lost, it
 * is withdrawn again; if its newest entry is lost, it is told by its title.
 */
static enum sk_status check_listed(void *context, const struct sk_remains_item *listed,
                                   struct sk_error *err)
{
    struct work *work = context;
    sk_auto_item item = {.title = NULL};
    enum sk_status status = sk_item_get(work->store, SK_LOG_OWN, &listed->id, &item, NULL);
    if (status != SK_OK && status != SK_MISSING)
        return sk_fail_status(err, status);
    if (listed->erased && status == SK_OK && !item.erased) {
        struct sk_entry entry = {.type = SK_TYPE_ERASURE,
                                 .flags = item.type,
                                 .revision = item.revision + 1,
                                 .id = listed->id};
        SK_TRY(sk_record_append(work->store, &entry, NULL, err));
        return next_batch(work, false, err);
    }
    if (listed->erased || sk_remains_taken(work->remains, listed->position))
        return SK_OK;
    const struct sk_loss loss = {.kind = SK_LOSS_REVISION,
                                 .from = listed->position,
                                 .to = listed->position + 1,
                                 .id = &listed->id,
                                 .type = listed->type,
                                 .title = listed->title};
    return tell_loss(work, &loss, err);
}

/* ---- the whole ---- */

/* Once everything was read. */
static enum sk_status check_read(struct work *work, struct sk_error *err)
{
    work->result.unread += sk_remains_unread(work->remains);
    if (!work->options->readable || work->result.unread == 0)
        return SK_OK;
    return sk_fail(err, SK_IO, "a part of what was to be brought back could not be read");
}

static enum sk_status take_all(struct work *work, struct sk_error *err)
{
    SK_TRY(sk_store_begin(&work->txn, work->store, err));
    SK_TRY(name_old_log(work, err));
    SK_TRY(sk_remains_each(work->remains, take_entry, work, err));
    SK_TRY(sk_remains_items(work->remains, check_listed, work, err));
    SK_TRY(sk_remains_missing(work->remains, SK_LACK_ENTRY, lose_missing, work, err));
    SK_TRY(sk_remains_missing(work->remains, SK_LACK_REFUSED, lose_refused, work, err));
    SK_TRY(sk_remains_missing(work->remains, SK_LACK_UNKNOWN, lose_unknown, work, err));
    SK_TRY(check_read(work, err));
    return next_batch(work, true, err);
}

static enum sk_status fill(struct sk_store *store, void *context, struct sk_error *err)
{
    struct work *work = context;
    work->store = store;
    enum sk_status status = take_all(work, err);
    if (status != SK_OK) {
        if (work->txn)
            sk_store_rollback(store);
        return status;
    }
    return work->options->also ? work->options->also(store, work->options->also_context, err)
                               : SK_OK;
}

enum sk_status sk_succession(struct sk_remains *remains,
                             const struct sk_succession_options *options,
                             struct sk_succession_result *out, struct sk_error *err)
{
    const struct sk_remains_facts *facts = sk_remains_facts(remains);
    __attribute__((cleanup(work_clear))) struct work work = {.remains = remains,
                                                             .options = options};
    if (options->readable && sk_remains_unread(remains) > 0)
        return check_read(&work, err);
    if (!facts->key_known && !facts->head_known && facts->unproven == 0 &&
        sk_remains_unread(remains) == 0)
        return sk_fail(err, SK_DAMAGED,
                       "nothing that belongs to a documenter's store is left of it");
    /* A store with nothing in it is one whose signed head says so; else everything is lost. */
    bool empty = facts->head_known && facts->size == 0 && facts->beyond == 0;
    if (facts->proven + facts->unproven == 0 && !empty && sk_remains_unread(remains) > 0)
        return sk_fail(err, SK_IO, "not one of its entries could be read");
    if (facts->proven + facts->unproven == 0 && !empty)
        return sk_fail(err, SK_DAMAGED, "not one of its entries is left that verifies");
    work.block = malloc(SK_BLOCK_LEN);
    if (!work.block)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_store_create_filled(options->store, fill, &work, err));
    *out = work.result;
    return SK_OK;
}
