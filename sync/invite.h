/*
 * An invite: what makes a device and an archive a pair (sync/FORMAT.md, "Invite").
 */
#ifndef SK_SYNC_INVITE_H
#define SK_SYNC_INVITE_H

#include "core/buf.h"
#include "core/store.h"
#include "crypto/secret.h"

#define SK_INVITE_WORDS    8
#define SK_ALIAS_MAX       100 /* bytes of an alias or an archive's name */
#define SK_INVITE_FILE_LEN 4096

struct sk_invite {
    uint8_t archive_id[32]; /* the hash of the archive's first keys, which these may not be */
    uint8_t dh_public[SK_DH_LEN];
    uint8_t sign_public[SK_SIGN_PUBLIC_LEN];
    uint8_t psk[32];
    char name[SK_ALIAS_MAX + 1];  /* of the archive */
    char alias[SK_ALIAS_MAX + 1]; /* of the device */
};
void sk_invite_clear(struct sk_invite *invite);
#define sk_auto_invite __attribute__((cleanup(sk_invite_clear))) struct sk_invite

/* Signs an invite with the archive's seed (whose public half is sign_public) and seals it under its
 * code words into SK_INVITE_FILE_LEN uniform bytes, appended to out.
 * Errors: SK_USAGE (a name, or no words), SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_invite_seal(struct sk_buf *out, const struct sk_invite *invite,
                                            const uint8_t seed[static SK_SIGN_SEED_LEN],
                                            const char *code, struct sk_error *err);

/* Opens it. The words are taken in any letter case, with any spaces or hyphens between them.
 * Errors: SK_DAMAGED (not an invite's length, or well sealed but malformed), SK_CONFIG (a newer
 * version), SK_WRONG_KEY (wrong words or a damaged file: the two cannot be told apart), SK_NOMEM.
 */
SK_MUST_CHECK enum sk_status sk_invite_open(struct sk_invite *out, const uint8_t *bytes, size_t len,
                                            const char *code, struct sk_error *err);

/* Whether `what` (in the words of an error) can be a name of an archive or a device: 1 to
 * SK_ALIAS_MAX bytes that can be shown as they are; `status` is the error if not. */
SK_MUST_CHECK enum sk_status sk_invite_check_name(const char *name, enum sk_status status,
                                                  const char *what, struct sk_error *err);

/* Archive: a new pair for a device with that alias (which must be free), and the invite's file,
 * durable before this returns; the file must not exist. Errors: SK_USAGE (alias), SK_REFUSED
 * (taken), SK_CONFIG (not an archive), SK_CREATE, SK_NOMEM, SK_IO, SK_FULL. */
SK_MUST_CHECK enum sk_status sk_invite_issue(struct sk_store *store, const char *alias,
                                             const char *code, const char *path,
                                             struct sk_error *err);

/* Documenter: becomes a pair with the archive. name: SK_ALIAS_MAX + 1 bytes, for the message.
 * Errors: SK_REFUSED (already a pair with this archive, or eight archives), SK_CONFIG (not a
 * documenter's store), SK_IO, SK_FULL, those of open. */
SK_MUST_CHECK enum sk_status sk_invite_accept(struct sk_store *store, const uint8_t *bytes,
                                              size_t len, const char *code, char *name,
                                              struct sk_error *err);

/* Whether a file's length says it can be an invite (a receipt is longer). */
bool sk_invite_possible(uint64_t file_len);

#endif
