/*
 * Recording: what a documenter does. Every function that changes something wants a transaction on a
 * documenter's store and appends to its own log.
 */
#ifndef SK_CORE_RECORD_H
#define SK_CORE_RECORD_H

#include "core/form_own.h"
#include "core/item.h"

/* A record as a revision holds it. */
struct sk_record {
    uint32_t revision;
    uint64_t position;
    uint32_t day;               /* as the entry says */
    char *recorded;             /* owned; NULL when there are no fields */
    json_t *fields;             /* owned; NULL when withdrawn, malformed or not here yet */
    const struct sk_form *form; /* that it is under; NULL as `fields`, or when it is not here */
    struct sk_own_form *own;    /* owned: the same, when it is an organisation's */
    bool formless;              /* it names a form that is not here */
    bool purged;                /* it was purged here: the archives have it */
    bool malformed;             /* what a device wrote breaks a rule: it is not shown */
    bool lacking;               /* there are no fields since a damaged bundle brought it without */
    bool unproven;              /* saved from damage; nothing proved that it had been signed */
};
void sk_record_clear(struct sk_record *record);
#define sk_auto_record __attribute__((cleanup(sk_record_clear))) struct sk_record

/* A new record; `fields` is checked against the form. Errors: SK_REFUSED, SK_LIMIT (longer than
 * SK_TEXT_MAX), SK_FULL, SK_IO. */
SK_MUST_CHECK
enum sk_status sk_record_add(struct sk_store *store, unsigned type, const json_t *fields,
                             struct sk_id *out, struct sk_error *err);

/* The same under the form of an organisation, which goes into the log before its first record. */
SK_MUST_CHECK
enum sk_status sk_record_add_under(struct sk_store *store, const struct sk_own_form *own,
                                   const json_t *fields, struct sk_id *out, struct sk_error *err);

/* A new revision of a record, under the form of the one that is shown. Errors: as add; SK_REFUSED
 * when it is withdrawn or no record, or was changed after `item` was read. */
SK_MUST_CHECK
enum sk_status sk_record_edit(struct sk_store *store, const struct sk_item *item,
                              const json_t *fields, struct sk_error *err);

/*
 * Withdraws a record with its attachments and links, or one attachment, or one link: an erasure
 * entry for each, and the destruction of bytes, salt, hashes and words. *count: how many things.
 * Errors: SK_REFUSED when it is withdrawn already.
 */
SK_MUST_CHECK
enum sk_status sk_record_withdraw(struct sk_store *store, const struct sk_item *item,
                                  unsigned *count, struct sk_error *err);

/* A link from one record to another. role: letters, digits and hyphens, at most 40.
 * Errors: SK_USAGE (role), SK_REFUSED (not two records that are there). */
SK_MUST_CHECK
enum sk_status sk_link_add(struct sk_store *store, const struct sk_item *source, const char *role,
                           const struct sk_item *target, struct sk_id *out, struct sk_error *err);

/* The record as the entry at `position` holds it (what is shown: item->position). Errors:
 * SK_DAMAGED (no entry of this item), SK_IO, SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_record_load(struct sk_store *store, const struct sk_item *item, uint64_t position,
                              struct sk_record *out, struct sk_error *err);

/* Links that start at a record (incoming: that point at it), not withdrawn: those in its log, then
 * those in related logs (core/continuation.h); one that stands in several comes once. */
typedef enum sk_status sk_link_each_fn(void *context, const struct sk_id *link, const char *role,
                                       const struct sk_id *other, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_link_each(struct sk_store *store, const struct sk_item *item, bool incoming,
                            sk_link_each_fn *each, void *context, struct sk_error *err);

/* Attachments of a record, not withdrawn; over related logs as for links. name: raw text. */
struct sk_attachment {
    struct sk_id id;
    struct sk_id record;
    const char *name;
    const char *type; /* media type guessed from the name, "application/octet-stream" otherwise */
    uint64_t size;
    uint8_t sha256[32];
    int64_t log; /* in which it stands */
};
typedef enum sk_status sk_attachment_each_fn(void *context, const struct sk_attachment *attachment,
                                             struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_attachment_each(struct sk_store *store, const struct sk_item *item,
                                  sk_attachment_each_fn *each, void *context, struct sk_error *err);

/*
 * Adds the bytes of a file to a record, under the file's own name without its folders, in constant
 * memory. Takes its own transaction: the encrypted file is durable before the entry is.
 * Errors: SK_MISSING, SK_LIMIT (over SK_BODY_MAX), SK_REFUSED (not a regular file, no such record),
 * SK_FULL, SK_IO.
 */
SK_MUST_CHECK
enum sk_status sk_attachment_add(struct sk_store *store, const struct sk_item *item,
                                 const char *path, const struct sk_progress *progress,
                                 struct sk_id *out, struct sk_error *err);

/* Whether every related log that has something under the attachment's id has the same entry: an
 * attachment has one revision, and where it has not, an id alone does not say which one is meant.
 * True of what is no attachment. */
SK_MUST_CHECK
enum sk_status sk_attachment_is_one(struct sk_store *store, const struct sk_item *item, bool *one,
                                    struct sk_error *err);

/*
 * Writes an attachment to a new file, checked block by block and by its SHA-256 before it gets its
 * name. Errors: SK_CREATE (it exists), SK_DAMAGED, SK_REFUSED (withdrawn, lacking, malformed, or no
 * attachment), SK_FULL.
 */
SK_MUST_CHECK
enum sk_status sk_attachment_extract(struct sk_store *store, const struct sk_item *item,
                                     const char *path, const struct sk_progress *progress,
                                     struct sk_error *err);

#endif
