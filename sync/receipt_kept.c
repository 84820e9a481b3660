/*
 * The newest receipt of each archive, as this store keeps it: its note, an empty line, a
 * checkpoint.
 */
#include "core/item.h"
#include "sync/receipt.h"
#include "sync/receipt_parts.h"

#include <string.h>

enum sk_status sk_receipt_keep(struct sk_store *store, int64_t peer, uint64_t number,
                               const char *note, const char *checkpoint, struct sk_error *err)
{
    sk_auto_buf text = SK_BUF_INIT;
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_buf_printf(&text, err, "%s\n%s", note, checkpoint));
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "UPDATE peer SET number = ?2, receipt = ?3 WHERE id = ?1", err));
    sk_bind_int(stmt, 1, peer);
    sk_bind_int(stmt, 2, (int64_t)number);
    sk_bind_text(stmt, 3, sk_buf_text(&text));
    return sk_run(stmt, err);
}

static enum sk_status load(struct sk_store *store, int64_t peer, struct sk_buf *out,
                           struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt, "SELECT receipt FROM peer WHERE id = ?1", err));
    sk_bind_int(stmt, 1, peer);
    SK_TRY(sk_step(stmt, &row, err));
    return sk_buf_add_text(out, row ? sk_column_text(stmt, 0) : "", err);
}

/* The note ends with its signature lines: before the second empty line. */
static size_t note_len(const char *kept)
{
    const char *text_end = strstr(kept, "\n\n");
    const char *end = text_end ? strstr(text_end + 2, "\n\n") : NULL;
    return end ? (size_t)(end - kept) + 1 : strlen(kept);
}

enum sk_status sk_receipt_kept(struct sk_store *store, const struct sk_peer *peer,
                               struct sk_receipt *out, bool *found, struct sk_error *err)
{
    sk_auto_buf kept = SK_BUF_INIT;
    bool by_next = false;
    SK_TRY(load(store, peer->id, &kept, err));
    *found = kept.len > 0;
    if (!*found)
        return SK_OK;
    return sk_receipt_open(store, peer, sk_buf_text(&kept), note_len(sk_buf_text(&kept)), out,
                           &by_next, err);
}

enum sk_status sk_receipt_here(struct sk_store *store, const struct sk_ranges *named,
                               struct sk_ranges *out, struct sk_error *err)
{
    sk_auto_ranges own = SK_RANGES_INIT;
    sk_auto_ranges within = SK_RANGES_INIT;
    struct sk_log log;
    SK_TRY(sk_log_get(store, SK_LOG_OWN, &log, err));
    SK_TRY(sk_ranges_add(&own, 0, log.size, err));
    SK_TRY(sk_ranges_common(&within, named, &own, err));
    return sk_payload_ranges(store, SK_LOG_OWN, &within, out, err);
}

enum sk_status sk_receipt_withdrawn(struct sk_store *store, int64_t peer, struct sk_ranges *out,
                                    struct sk_error *err)
{
    sk_auto_peer loaded = {.id = 0};
    sk_auto_receipt receipt = {.stored = NULL};
    bool found = false;
    SK_TRY(sk_peer_load(store, peer, &loaded, err));
    SK_TRY(sk_receipt_kept(store, &loaded, &receipt, &found, err));
    return sk_receipt_here(store, &receipt.withdrawn, out, err);
}
