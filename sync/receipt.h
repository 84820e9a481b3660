/*
 * The archive's signed answer to a device (sync/FORMAT.md, "Receipt").
 */
#ifndef SK_SYNC_RECEIPT_H
#define SK_SYNC_RECEIPT_H

#include "core/json.h"
#include "core/log.h"
#include "core/revoke.h"

struct sk_receipt_result {
    char archive[128];    /* its name */
    uint64_t number;      /* of this receipt; 0 when the file was taken before */
    uint64_t newest;      /* of the newest that was taken, 0 when there is none */
    uint64_t size;        /* the archive holds everything before this position */
    uint64_t arrived;     /* entries that the archive has acknowledged by now */
    uint64_t wanted;      /* entries that it asks for again */
    uint64_t on_way;      /* entries that left, and are neither acknowledged nor asked for */
    uint64_t on_way_from; /* the first of these */
    uint64_t purged;      /* of those asked for: entries of which what they say was purged here */
    uint64_t bare;        /* entries of which neither it nor this store has what they say */
    uint64_t lost;        /* entries that it had acknowledged, and now does not store or asks for */
    uint64_t lost_from;   /* the first of these */
    uint64_t revoked;     /* from there on the archive takes nothing any more; SK_NOT_REVOKED */
    bool new_keys;        /* the archive has announced new keys, for the first time here */
    uint8_t keys_id[32];  /* what their safety number is made of */
    bool older;           /* taken before, or older than the newest taken: nothing changed */
    bool rollback; /* the archive holds more than this store, or other content: see the words */
    struct sk_ranges withdrawn; /* owned: positions of which it has erased what they say, and this
                                 * store has not: a related log has withdrawn them */
    json_t *forms;      /* owned: array of {"form", "version", "label"} of forms that are new */
    json_t *forms_gone; /* owned: array of names of those that it offers no more */
    char *notes; /* owned: lines for a person (refused copies, quarantined or malformed entries,
                  * forms that were not taken) */
};
void sk_receipt_result_clear(struct sk_receipt_result *result);

/*
 * Archive: writes the receipt for a device to a new file. code: the courier's code of that file.
 * It is signed with the newest of the archive's keys that the device is known to have. Errors:
 * SK_MISSING (the device has sent nothing yet), SK_REFUSED (these were forgotten, or the device has
 * signed an X25519 key to which nothing can be sealed), SK_CREATE,
 * SK_FULL, SK_IO.
 */
SK_MUST_CHECK enum sk_status sk_receipt_write(struct sk_store *store, int64_t log, const char *path,
                                              char *code, struct sk_error *err);

/*
 * Documenter: takes a receipt. What the archive stores is acknowledged only where its root equals
 * this log's own; ranges it asks for are exported again. Errors: SK_DAMAGED, SK_REFUSED (not for
 * this store, spent by another file, or against what its archive said of its keys), SK_MISSING,
 * SK_IO.
 */
SK_MUST_CHECK enum sk_status sk_receipt_take(struct sk_store *store, const char *path,
                                             struct sk_receipt_result *out, struct sk_error *err);

/* Documenter: the positions of which an archive (a peer's row) has erased what they say, by its
 * newest receipt, and this store has not. out: empty, filled. Errors: SK_DAMAGED, SK_REFUSED (what
 * is kept is no receipt for this store), SK_IO. */
SK_MUST_CHECK enum sk_status sk_receipt_withdrawn(struct sk_store *store, int64_t peer,
                                                  struct sk_ranges *out, struct sk_error *err);

#endif
