/*
 * Taking a receipt, at the documenter. What an archive says it stores counts only where the root it
 * names is this log's own: an archive that holds another history acknowledges nothing.
 */
#include "sync/receipt.h"

#include "core/purge.h"
#include "core/renew.h"
#include "crypto/bytes.h"
#include "sync/deliver.h"
#include "sync/peer.h"
#include "sync/receipt_forms.h"
#include "sync/receipt_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROLLBACK_WORDS                                                                           \
    "the archive holds entries this store does not know: this store was put back from an older " \
    "copy, and can send nothing more to it\n"

/* A receipt's file on its way in. */
struct arrival {
    struct sk_store *store;
    const char *path;
    struct sk_file *file;
    uint8_t *header;
    struct sk_chain_found found;
    struct sk_peer peer;
    uint8_t file_hash[32];
    uint8_t header_hash[32];
    struct sk_buf note;       /* signed by the archive */
    struct sk_buf checkpoint; /* the device's own, cosigned; may be empty */
    struct sk_form_texts forms;
    struct sk_buf form_words; /* about those that were not taken */
    struct sk_receipt receipt;
    bool by_next; /* signed with the keys that its archive has announced */
};

static void arrival_clear(struct arrival *a)
{
    sk_wipe(&a->found, sizeof(a->found));
    sk_file_close(a->file);
    free(a->header);
    sk_peer_clear(&a->peer);
    sk_buf_clear(&a->note);
    sk_buf_clear(&a->checkpoint);
    sk_form_texts_clear(&a->forms);
    sk_buf_clear(&a->form_words);
    sk_receipt_clear(&a->receipt);
}

void sk_receipt_result_clear(struct sk_receipt_result *result)
{
    free(result->notes);
    result->notes = NULL;
    json_decref(result->forms);
    json_decref(result->forms_gone);
    result->forms = result->forms_gone = NULL;
    sk_ranges_clear(&result->withdrawn);
}

/* ---- reading ---- */

static enum sk_status agree(void *context, uint8_t shared[static SK_DH_LEN],
                            const uint8_t public_key[static SK_DH_LEN])
{
    return sk_store_dh(context, shared, public_key);
}

static enum sk_status open_arrival(struct arrival *a, struct sk_error *err)
{
    int64_t peer = 0;
    a->header = malloc(SK_VOLUME_HEADER_LEN);
    if (!a->header)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_file_open_regular(&a->file, a->path, err));
    SK_TRY(sk_envelope_load_header(a->file, a->header, err));
    SK_TRY(sk_peer_match(a->store, a->header, &a->found, &peer, err));
    if (a->found.match == SK_CHAIN_NONE)
        return sk_fail(err, SK_REFUSED,
                       "%s: this is no receipt for this store by an archive that invited it, or "
                       "its beginning is damaged",
                       a->path);
    return sk_peer_load(a->store, peer, &a->peer, err);
}

static enum sk_status read_part(struct sk_envelope_reader *reader, struct sk_buf *out,
                                struct sk_error *err)
{
    uint8_t len_bytes[4];
    SK_TRY(sk_envelope_read(reader, len_bytes, sizeof(len_bytes), err));
    uint32_t len = sk_get_u32(len_bytes);
    if (len > SK_RECEIPT_MAX)
        return sk_fail(err, SK_LIMIT, "the receipt is too long");
    SK_TRY(sk_buf_grow(out, len, err));
    SK_TRY(sk_envelope_read(reader, out->bytes, len, err));
    out->len = len;
    out->bytes[len] = 0;
    return SK_OK;
}

/* A checkpoint that the device signed itself, with the archive's cosignature. */
static enum sk_status check_checkpoint(struct arrival *a, const char *name, struct sk_error *err)
{
    struct sk_checkpoint head;
    uint64_t time_s = 0;
    const char *note = sk_buf_text(&a->checkpoint);
    const uint8_t *key = a->by_next ? a->peer.known.next.sign_public : a->peer.sign_public;
    if (a->checkpoint.len == 0)
        return SK_OK;
    if (strlen(note) != a->checkpoint.len ||
        sk_note_verify_cosignature(note, a->checkpoint.len, name, key, &time_s) != SK_OK)
        return sk_fail(err, SK_DAMAGED, "the receipt's checkpoint is not cosigned by its archive");
    return sk_log_check_note(sk_store_id(a->store), sk_store_sign_public(a->store), note, &head,
                             err);
}

static bool signed_by(const struct sk_peer *peer, const uint8_t key[static SK_SIGN_PUBLIC_LEN],
                      const char *note, size_t len, size_t *text_len)
{
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    sk_receipt_key_name(name, peer->archive_id);
    return sk_note_verify(note, len, name, key, text_len) == SK_OK;
}

/* By which of the archive's keys a note is signed. */
static enum sk_status find_signer(const struct sk_peer *peer, const char *note, size_t len,
                                  size_t *text_len, bool *by_next, struct sk_error *err)
{
    const struct sk_known_keys *known = &peer->known;
    *by_next = known->announced && signed_by(peer, known->next.sign_public, note, len, text_len);
    if (*by_next || signed_by(peer, peer->sign_public, note, len, text_len))
        return SK_OK;
    if (known->renewed && signed_by(peer, known->before.sign_public, note, len, text_len))
        return sk_fail(err, SK_REFUSED,
                       "this receipt is signed with a key that its archive has given up: it is an "
                       "old one, or somebody else has that key");
    return sk_fail(err, SK_DAMAGED,
                   "this receipt is not signed by its archive, or with a key that this store does "
                   "not know");
}

/* The keys that a receipt announces are others than those that sign it, and than any before. */
static bool announces_old(const struct sk_peer *peer, const struct sk_receipt *r, bool by_next)
{
    const struct sk_known_keys *known = &peer->known;
    struct sk_next_keys in_force;
    memcpy(in_force.dh_public, peer->dh_public, SK_DH_LEN);
    memcpy(in_force.sign_public, peer->sign_public, SK_SIGN_PUBLIC_LEN);
    return r->renews && (sk_next_keys_touch(&r->next, &in_force) ||
                         (by_next && sk_next_keys_touch(&r->next, &known->next)) ||
                         (known->renewed && sk_next_keys_touch(&r->next, &known->before)));
}

enum sk_status sk_receipt_check_next(const struct sk_peer *peer, const struct sk_receipt *receipt,
                                     bool by_next, struct sk_error *err)
{
    const struct sk_known_keys *known = &peer->known;
    if (by_next || !known->announced)
        return SK_OK;
    if (receipt->renews && sk_next_keys_same(&receipt->next, &known->next))
        return SK_OK;
    return sk_fail(err, SK_REFUSED,
                   "this receipt does not name the keys that its archive announced before: the "
                   "archive was put back from an older copy, or somebody else has its old keys");
}

enum sk_status sk_receipt_open(struct sk_store *store, const struct sk_peer *peer, const char *note,
                               size_t len, struct sk_receipt *out, bool *by_next,
                               struct sk_error *err)
{
    sk_auto_receipt receipt = {.stored = NULL};
    size_t text_len = 0;
    SK_TRY(find_signer(peer, note, len, &text_len, by_next, err));
    SK_TRY(sk_receipt_parse(&receipt, note, text_len, err));
    if (memcmp(receipt.archive_id, peer->archive_id, SK_HASH_LEN) != 0 ||
        memcmp(receipt.log_id, sk_store_id(store), SK_HASH_LEN) != 0)
        return sk_fail(err, SK_REFUSED, "this receipt is for another store");
    if (announces_old(peer, &receipt, *by_next))
        return sk_fail(err, SK_DAMAGED,
                       "the receipt's next keys are none: its archive has had them before");
    *out = SK_TAKE(receipt);
    return SK_OK;
}

static enum sk_status check_notes(struct arrival *a, struct sk_error *err)
{
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = sk_receipt_open(a->store, &a->peer, sk_buf_text(&a->note), a->note.len,
                                            &a->receipt, &a->by_next, &why);
    if (status != SK_OK)
        return sk_fail(err, status, "%s: %s", a->path, why.text);
    sk_receipt_key_name(name, a->peer.archive_id);
    SK_TRY(check_checkpoint(a, name, err));
    return sk_receipt_forms_check(&a->receipt, &a->forms, err);
}

static enum sk_status read_notes(struct arrival *a, struct sk_error *err)
{
    sk_auto_envelope_reader reader = NULL;
    SK_TRY(sk_envelope_open(&reader, a->file, a->header, a->found.slot, &a->found.keys, agree,
                            a->store, sk_store_dh_public(a->store), err));
    memcpy(a->header_hash, sk_envelope_reader_header_hash(reader), sizeof(a->header_hash));
    SK_TRY(read_part(reader, &a->note, err));
    SK_TRY(read_part(reader, &a->checkpoint, err));
    SK_TRY(sk_form_texts_read(reader, &a->forms, err));
    SK_TRY(sk_envelope_end(reader, a->file_hash, err));
    return check_notes(a, err);
}

/* ---- comparing ---- */

enum sk_status sk_receipt_root_is_own(struct sk_store *store, uint64_t size,
                                      const uint8_t root[static SK_MERKLE_LEN], bool *same,
                                      struct sk_error *err)
{
    struct sk_merkle tree;
    uint8_t own[SK_MERKLE_LEN];
    struct sk_log log;
    *same = false;
    SK_TRY(sk_log_get(store, SK_LOG_OWN, &log, err));
    if (size > log.size)
        return SK_OK;
    SK_TRY(sk_log_tree(store, SK_LOG_OWN, size, &tree, err));
    sk_merkle_root(&tree, own);
    *same = memcmp(own, root, sizeof(own)) == 0;
    return SK_OK;
}

static enum sk_status compare(struct arrival *a, bool *same, struct sk_error *err)
{
    const struct sk_receipt *r = &a->receipt;
    SK_TRY(sk_receipt_root_is_own(a->store, r->size, r->root, same, err));
    for (size_t i = 0; *same && i < r->stored_count; i++)
        SK_TRY(sk_receipt_root_is_own(a->store, r->stored[i].to, r->stored[i].root, same, err));
    return SK_OK;
}

/* ---- keeping ---- */

/*
 * What the archive asks for now, and once said it had: it has lost it, or the one who answers is
 * not what it was. What was purged here because of its word cannot be sent again.
 */
static enum sk_status tell_contradiction(struct arrival *a, struct sk_receipt_result *result,
                                         struct sk_error *err)
{
    const struct sk_receipt *r = &a->receipt;
    sk_auto_ranges stored = SK_RANGES_INIT;
    sk_auto_ranges has = SK_RANGES_INIT;
    sk_auto_ranges gone = SK_RANGES_INIT;
    sk_auto_ranges lost = SK_RANGES_INIT;
    sk_auto_ranges asked_again = SK_RANGES_INIT;
    sk_auto_ranges purged = SK_RANGES_INIT;
    sk_auto_ranges asked = SK_RANGES_INIT;
    sk_auto_ranges bare = SK_RANGES_INIT;
    for (size_t i = 0; i < r->stored_count; i++)
        SK_TRY(sk_ranges_add(&stored, r->stored[i].from, r->stored[i].to, err));
    SK_TRY(sk_ranges_without(&has, &stored, &r->wanted, err));
    SK_TRY(sk_ranges_without(&gone, &a->peer.acknowledged, &has, err));
    SK_TRY(sk_ranges_without(&lost, &gone, &a->peer.wanted, err));
    SK_TRY(sk_ranges_common(&asked_again, &a->peer.acknowledged, &r->wanted, err));
    SK_TRY(sk_ranges_unite(&lost, &asked_again, err)); /* each time, for who missed it before */
    if (r->stored_count < SK_RECEIPT_LIST_MAX && lost.count > 0) { /* a full list may be cut */
        result->lost = sk_ranges_total(&lost);
        result->lost_from = lost.items[0].from;
    }
    SK_TRY(sk_purged_ranges(a->store, &purged, err));
    SK_TRY(sk_ranges_common(&asked, &purged, &r->wanted, err));
    result->purged = sk_ranges_total(&asked);
    SK_TRY(sk_ranges_common(&bare, &purged, &r->bare, err));
    result->bare = sk_ranges_total(&bare);
    return SK_OK;
}

/* What the next exports send again: what is asked for, and what the archive has only the entries
 * of while this store has more. */
static enum sk_status find_wanted(struct arrival *a, uint64_t own_size, struct sk_ranges *out,
                                  struct sk_error *err)
{
    sk_auto_ranges own = SK_RANGES_INIT;
    sk_auto_ranges here = SK_RANGES_INIT;
    SK_TRY(sk_ranges_add(&own, 0, own_size, err));
    SK_TRY(sk_receipt_here(a->store, &a->receipt.bare, &here, err));
    SK_TRY(sk_ranges_common(out, &a->receipt.wanted, &own, err));
    return sk_ranges_unite(out, &here, err);
}

/* What left and did not arrive: nobody asks for a last bundle that was lost. */
static enum sk_status tell_on_way(const struct sk_peer *peer, struct sk_receipt_result *result,
                                  struct sk_error *err)
{
    sk_auto_ranges on_way = SK_RANGES_INIT;
    SK_TRY(sk_ranges_without(&on_way, &peer->exported, &peer->acknowledged, err));
    result->on_way = sk_ranges_total(&on_way);
    result->on_way_from = on_way.count > 0 ? on_way.items[0].from : 0;
    return SK_OK;
}

static enum sk_status update_ranges(struct arrival *a, uint64_t own_size,
                                    struct sk_receipt_result *result, struct sk_error *err)
{
    sk_auto_ranges wanted = SK_RANGES_INIT;
    sk_auto_ranges exported = SK_RANGES_INIT;
    struct sk_peer *peer = &a->peer;
    SK_TRY(tell_contradiction(a, result, err));
    SK_TRY(sk_receipt_here(a->store, &a->receipt.withdrawn, &result->withdrawn, err));
    for (size_t i = 0; i < a->receipt.stored_count; i++)
        SK_TRY(sk_ranges_add(&peer->acknowledged, a->receipt.stored[i].from,
                             a->receipt.stored[i].to, err));
    SK_TRY(find_wanted(a, own_size, &wanted, err));
    /* What is asked for counts as not sent, so that the next export begins there. */
    SK_TRY(sk_ranges_without(&exported, &peer->exported, &wanted, err));
    sk_ranges_clear(&peer->wanted);
    sk_ranges_clear(&peer->exported);
    SK_TRY(sk_ranges_unite(&peer->wanted, &wanted, err));
    SK_TRY(sk_ranges_unite(&peer->exported, &exported, err));
    SK_TRY(tell_on_way(peer, result, err));
    return sk_peer_save_ranges(a->store, peer, err);
}

/* The first receipt under the announced keys puts them in force; what a receipt announces is kept.
 */
static enum sk_status keep_keys(struct arrival *a, struct sk_receipt_result *result,
                                struct sk_error *err)
{
    const struct sk_receipt *r = &a->receipt;
    if (a->by_next)
        SK_TRY(sk_known_keys_promote(a->store, a->peer.id, err));
    if (!r->renews || (a->peer.known.announced && !a->by_next))
        return SK_OK;
    SK_TRY(sk_known_keys_announce(a->store, a->peer.id, &r->next, err));
    result->new_keys = true;
    sk_archive_keys_id(result->keys_id, r->next.sign_public, r->next.dh_public);
    return SK_OK;
}

static enum sk_status set_words(const struct arrival *a, struct sk_receipt_result *result,
                                struct sk_error *err)
{
    sk_auto_buf words = SK_BUF_INIT;
    if (result->rollback)
        SK_TRY(sk_buf_add_text(&words, ROLLBACK_WORDS, err));
    SK_TRY(sk_receipt_tell(&words, &a->receipt, err));
    SK_TRY(sk_buf_add_text(&words, sk_buf_text(&a->form_words), err));
    result->notes = strdup(sk_buf_text(&words));
    return result->notes ? SK_OK : sk_fail_status(err, SK_NOMEM);
}

static enum sk_status keep(struct arrival *a, uint64_t own_size, struct sk_receipt_result *result,
                           struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_store_begin(&txn, a->store, err));
    SK_TRY(sk_chain_spend(a->store, a->peer.receive, a->found.index, a->file_hash, a->header_hash,
                          err));
    SK_TRY(update_ranges(a, own_size, result, err));
    if (a->receipt.revokes)
        SK_TRY(sk_peer_revoke(a->store, &a->peer, a->receipt.revoked, a->receipt.day, err));
    SK_TRY(keep_keys(a, result, err));
    SK_TRY(sk_receipt_forms_keep(a->store, a->peer.id, &a->receipt, &a->forms, result->forms,
                                 result->forms_gone, &a->form_words, err));
    SK_TRY(sk_receipt_keep(a->store, a->peer.id, a->receipt.number, sk_buf_text(&a->note),
                           sk_buf_text(&a->checkpoint), err));
    SK_TRY(set_words(a, result, err));
    return sk_store_commit(&txn, err);
}

/* ---- the whole ---- */

static enum sk_status take_spent(struct arrival *a, struct sk_receipt_result *result,
                                 struct sk_error *err)
{
    uint8_t hash[32];
    SK_TRY(sk_file_hash(a->file, hash, NULL, err));
    if (memcmp(hash, a->found.file_hash, sizeof(hash)) != 0)
        return sk_fail(
            err, SK_REFUSED,
            "%s: another receipt with this number was taken before: this copy is damaged, or the "
            "archive was put back from an older copy, and has to write a further receipt",
            a->path);
    result->older = true;
    result->notes = strdup("");
    return result->notes ? SK_OK : sk_fail_status(err, SK_NOMEM);
}

static enum sk_status take(struct arrival *a, struct sk_receipt_result *result,
                           struct sk_error *err)
{
    struct sk_log log;
    bool same = false;
    SK_TRY(open_arrival(a, err));
    (void)snprintf(result->archive, sizeof(result->archive), "%s", a->peer.alias);
    result->revoked = a->peer.revoked;
    if (a->found.match == SK_CHAIN_SPENT)
        return take_spent(a, result, err);
    SK_TRY(read_notes(a, err));
    SK_TRY(sk_log_get(a->store, SK_LOG_OWN, &log, err));
    SK_TRY(compare(a, &same, err));
    result->number = a->receipt.number;
    result->size = a->receipt.size;
    result->older = a->receipt.number <= a->peer.number;
    result->rollback = !same;
    if (!result->older) {
        struct sk_error why = SK_ERROR_INIT;
        enum sk_status status = sk_receipt_check_next(&a->peer, &a->receipt, a->by_next, &why);
        if (status != SK_OK)
            return sk_fail(err, status, "%s: %s", a->path, why.text);
    }
    if (a->receipt.revokes && !result->older && a->receipt.revoked < result->revoked)
        result->revoked = a->receipt.revoked;
    if (result->older || result->rollback)
        return set_words(a, result, err);
    SK_TRY(keep(a, log.size, result, err));
    a->peer.number = a->receipt.number;
    return SK_OK;
}

enum sk_status sk_receipt_take(struct sk_store *store, const char *path,
                               struct sk_receipt_result *out, struct sk_error *err)
{
    __attribute__((cleanup(arrival_clear))) struct arrival a = {.store = store, .path = path};
    struct sk_receipt_result result = {.forms = json_array(), .forms_gone = json_array()};
    enum sk_status status =
        result.forms && result.forms_gone ? take(&a, &result, err) : sk_fail_status(err, SK_NOMEM);
    if (status != SK_OK) {
        sk_receipt_result_clear(&result);
        return status;
    }
    result.newest = a.peer.number;
    result.arrived = sk_ranges_total(&a.peer.acknowledged);
    result.wanted = sk_ranges_total(&a.peer.wanted);
    *out = result;
    return SK_OK;
}
