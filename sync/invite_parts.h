/*
 * The content of an invite's file (sync/FORMAT.md, "Invite"), and what each end makes of it.
 * Private to sync.
 */
#ifndef SK_SYNC_INVITE_PARTS_H
#define SK_SYNC_INVITE_PARTS_H

#include "sync/invite.h"

#define SK_INVITE_PLAIN_LEN 4040

/* The names are checked. */
void sk_invite_encode(uint8_t out[static SK_INVITE_PLAIN_LEN], const struct sk_invite *invite,
                      const uint8_t seed[static SK_SIGN_SEED_LEN]);

/* Strict: what is decoded has no other encoding. Errors: SK_DAMAGED, SK_CONFIG (a newer version),
 * SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_invite_decode(struct sk_invite *out,
                                              const uint8_t in[static SK_INVITE_PLAIN_LEN],
                                              struct sk_error *err);

/* A new invite by this archive: its newest keys and name, a fresh PSK, the alias (which is
 * checked). */
void sk_invite_fill(struct sk_invite *invite, const struct sk_store *store, const char *alias);

/* The seed that signs it: of the archive's newest keys, owned by the store. */
const uint8_t *sk_invite_seed(const struct sk_store *store);

/* The two halves of the pair, each in a transaction of its own. Errors: those of issue and accept.
 */
SK_MUST_CHECK enum sk_status sk_invite_add_device(struct sk_store *store,
                                                  const struct sk_invite *invite, int64_t *peer,
                                                  struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_invite_add_archive(struct sk_store *store,
                                                   const struct sk_invite *invite,
                                                   struct sk_error *err);

#endif
