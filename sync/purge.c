#include "sync/purge.h"

#include "sync/receipt_parts.h"

/* ---- what receipts cover ---- */

/* Adds what the receipt says is stored, as far as this log bears it out. */
static enum sk_status add_stored(struct sk_store *store, const struct sk_receipt *receipt,
                                 struct sk_ranges *out, struct sk_error *err)
{
    for (size_t i = 0; i < receipt->stored_count; i++) {
        const struct sk_receipt_stored *stored = &receipt->stored[i];
        bool same = false;
        SK_TRY(sk_receipt_root_is_own(store, stored->to, stored->root, &same, err));
        if (same)
            SK_TRY(sk_ranges_add(out, stored->from, stored->to, err));
    }
    return SK_OK;
}

/* Adds a list; one that is full may have been cut, so nothing behind its end is covered. */
static enum sk_status except_list(const struct sk_ranges *list, bool full, struct sk_ranges *out,
                                  struct sk_error *err)
{
    SK_TRY(sk_ranges_unite(out, list, err));
    return full ? sk_ranges_add(out, list->items[list->count - 1].to, UINT64_MAX, err) : SK_OK;
}

/* What an archive named beside what it stores: it asks for it, has only the entry, has erased what
 * it says by the word of another log, or has set it aside. */
static enum sk_status find_excepted(const struct sk_receipt *receipt, struct sk_ranges *out,
                                    struct sk_error *err)
{
    const struct sk_ranges *bare = &receipt->bare;
    const struct sk_ranges *withdrawn = &receipt->withdrawn;
    SK_TRY(sk_ranges_unite(out, &receipt->wanted, err));
    SK_TRY(except_list(bare, bare->count == SK_RECEIPT_LIST_MAX, out, err));
    SK_TRY(except_list(withdrawn, withdrawn->count == SK_RECEIPT_LIST_MAX, out, err));
    return except_list(&receipt->malformed,
                       receipt->remark_counts[SK_REMARK_MALFORMED] == SK_RECEIPT_LIST_MAX, out,
                       err);
}

/* out: empty. An archive that never answered covers nothing. */
static enum sk_status covered_by(struct sk_store *store, const struct sk_peer *peer,
                                 struct sk_ranges *out, struct sk_error *err)
{
    sk_auto_receipt receipt = {.stored = NULL};
    sk_auto_ranges stored = SK_RANGES_INIT;
    sk_auto_ranges without = SK_RANGES_INIT;
    bool found = false;
    bool same = false;
    SK_TRY(sk_receipt_kept(store, peer, &receipt, &found, err));
    if (found)
        SK_TRY(sk_receipt_root_is_own(store, receipt.size, receipt.root, &same, err));
    if (!same)
        return SK_OK;
    SK_TRY(add_stored(store, &receipt, &stored, err));
    SK_TRY(find_excepted(&receipt, &without, err));
    return sk_ranges_without(out, &stored, &without, err);
}

enum sk_status sk_purge_covered(struct sk_store *store, struct sk_ranges *out, struct sk_error *err)
{
    sk_auto_peers peers = {.count = 0};
    sk_auto_ranges covered = SK_RANGES_INIT;
    struct sk_log log;
    SK_TRY(sk_peers_load(store, &peers, err));
    if (peers.count == 0)
        return sk_fail(err, SK_CONFIG, "no archive has invited this store, so none has anything");
    SK_TRY(sk_log_get(store, SK_LOG_OWN, &log, err));
    if (log.size > 0)
        SK_TRY(sk_ranges_add(&covered, 0, log.size, err));
    for (size_t i = 0; i < peers.count; i++) {
        sk_auto_ranges by = SK_RANGES_INIT;
        sk_auto_ranges both = SK_RANGES_INIT;
        SK_TRY(covered_by(store, &peers.items[i], &by, err));
        SK_TRY(sk_ranges_common(&both, &covered, &by, err));
        sk_ranges_clear(&covered);
        covered = SK_TAKE(both);
    }
    *out = SK_TAKE(covered);
    return SK_OK;
}

/* ---- purging ---- */

struct purge {
    struct sk_store *store;
    struct sk_ranges covered;
    bool look;
    const struct sk_progress *progress;
    uint64_t done;
    struct sk_purge_result result;
};

static enum sk_status purge_item(void *context, int64_t item, struct sk_error *err)
{
    struct purge *purge = context;
    uint64_t count = 0;
    uint64_t left = 0;
    SK_TRY(sk_item_purgeable(purge->store, item, &purge->covered, &count, &left, err));
    if (count > 0 && !purge->look)
        SK_TRY(sk_item_purge(purge->store, item, &purge->covered, &count, err));
    purge->result.entries += count;
    purge->result.items += count > 0;
    purge->result.left += left;
    if (++purge->done % 64 == 0)
        sk_progress_tell(purge->progress, purge->done, 0);
    return SK_OK;
}

static enum sk_status purge_all(struct purge *purge, const struct sk_item *items, size_t count,
                                struct sk_error *err)
{
    SK_TRY(sk_purge_covered(purge->store, &purge->covered, err));
    if (count == 0)
        return sk_item_each_row(purge->store, purge_item, purge, err);
    for (size_t i = 0; i < count; i++) {
        if (items[i].erased)
            return sk_fail(err, SK_REFUSED, "this was withdrawn: nothing of it is left to purge");
        SK_TRY(sk_item_with_dependents(purge->store, &items[i], purge_item, purge, err));
    }
    return SK_OK;
}

enum sk_status sk_purge(struct sk_store *store, const struct sk_item *items, size_t count,
                        bool look, const struct sk_progress *progress, struct sk_purge_result *out,
                        struct sk_error *err)
{
    struct purge purge = {
        .store = store, .covered = SK_RANGES_INIT, .look = look, .progress = progress};
    enum sk_status status = purge_all(&purge, items, count, err);
    sk_ranges_clear(&purge.covered);
    if (status == SK_OK)
        *out = purge.result;
    return status;
}
