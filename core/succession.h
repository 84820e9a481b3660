/*
 * A succession: a new store with new keys and a new log takes over what is left of an old one, from
 * a backup or from a damaged folder. Keys of one-time use, ranges of exports and positions of an
 * older or damaged store must never be used again; so nothing of these is taken over, and archives
 * have to invite the new store.
 *
 * Its first entry says which log it continues, signed by the old key (core/continuation.h). Every
 * entry that was taken then stands in it byte for byte, in the old order, with what it commits to,
 * but that one which is not proven bears the mark of it (core/entry.h) for ever; attachments are
 * sealed anew. What was withdrawn comes without its text, as it was.
 */
#ifndef SK_CORE_SUCCESSION_H
#define SK_CORE_SUCCESSION_H

#include "core/remains.h"

/* What cannot be brought back, or proven. */
enum sk_loss_kind {
    SK_LOSS_ENTRIES,  /* positions of which there is no entry */
    SK_LOSS_REFUSED,  /* positions whose entries contradict the signed head, or lie beyond it */
    SK_LOSS_PAYLOAD,  /* an entry is there, and what it commits to is not, or does not fit */
    SK_LOSS_BODY,     /* the same of an attachment's bytes */
    SK_LOSS_REVISION, /* something that is known by its title, and whose newest entry is lost */
    SK_LOSS_UNKNOWN,  /* positions whose entries are of no kind that is known here */
    SK_LOSS_PROOF,    /* no loss: an entry was taken, and nothing proves that it was signed */
};

struct sk_loss {
    enum sk_loss_kind kind;
    uint64_t from, to;      /* positions in the old log */
    const struct sk_id *id; /* NULL for positions alone */
    unsigned type;
    uint32_t revision; /* 0: not known */
    const char *title; /* "" when it is not known; raw text */
    uint64_t bytes;    /* of an attachment */
};
typedef enum sk_status sk_loss_fn(void *context, const struct sk_loss *loss, struct sk_error *err);

struct sk_succession_options {
    const struct sk_store_options *store; /* the new one */
    sk_store_fill_fn *also; /* what else to do before it gets its name; NULL: nothing */
    void *also_context;
    sk_loss_fn *loss;
    void *loss_context;
    const struct sk_progress *progress; /* entries */
    bool readable; /* what cannot be read for another reason than damage ends it with SK_IO */
};

struct sk_succession_result {
    uint64_t carried;  /* entries */
    uint64_t unproven; /* of these */
    uint64_t purged;   /* of the carried: without what they commit to, as it was purged */
    uint64_t losses;   /* calls of `loss`, but for SK_LOSS_PROOF */
    uint64_t unread;   /* reads that failed by an I/O error, which may be no damage */
    bool continues;    /* the new log names the old one: else the old key was lost */
};

/*
 * Makes the store, whole or not at all. Errors: SK_DAMAGED (nothing to take over), those of
 * sk_store_create(), SK_FULL, SK_IO.
 */
SK_MUST_CHECK
enum sk_status sk_succession(struct sk_remains *remains,
                             const struct sk_succession_options *options,
                             struct sk_succession_result *out, struct sk_error *err);

#endif
