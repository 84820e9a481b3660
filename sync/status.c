#include "core/renew.h"
#include "sync/export.h"
#include "sync/peer.h"

static void fill_keys(struct sk_archive_status *status, const struct sk_peer *peer)
{
    const struct sk_known_keys *known = &peer->known;
    status->renewed = known->announced || known->renewed;
    if (known->announced)
        sk_archive_keys_id(status->keys_id, known->next.sign_public, known->next.dh_public);
    else
        sk_archive_keys_id(status->keys_id, peer->sign_public, peer->dh_public);
}

static enum sk_status tell_one(const struct sk_peer *peer, uint64_t size,
                               sk_archive_status_fn *each, void *context, struct sk_error *err)
{
    sk_auto_ranges travelling = SK_RANGES_INIT;
    sk_auto_ranges sent = SK_RANGES_INIT;
    sk_auto_ranges unexported = SK_RANGES_INIT;
    SK_TRY(sk_ranges_without(&travelling, &peer->exported, &peer->acknowledged, err));
    SK_TRY(sk_ranges_unite(&sent, &peer->exported, err));
    SK_TRY(sk_ranges_unite(&sent, &peer->acknowledged, err));
    SK_TRY(sk_ranges_missing(&unexported, &sent, size, err));
    struct sk_archive_status status = {
        .peer = peer->id,
        .name = peer->alias,
        .acknowledged = &peer->acknowledged,
        .exported = &travelling,
        .unexported = &unexported,
        .wanted = &peer->wanted,
        .revoked = peer->revoked,
    };
    fill_keys(&status, peer);
    return each(context, &status, err);
}

enum sk_status sk_status_each(struct sk_store *store, sk_archive_status_fn *each, void *context,
                              struct sk_error *err)
{
    sk_auto_peers peers = {.count = 0};
    struct sk_log log;
    SK_TRY(sk_peers_load(store, &peers, err));
    SK_TRY(sk_log_get(store, SK_LOG_OWN, &log, err));
    for (size_t i = 0; i < peers.count; i++)
        SK_TRY(tell_one(&peers.items[i], log.size, each, context, err));
    return SK_OK;
}
