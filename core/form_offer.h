/*
 * Forms of organisations on their way: what an archive offers in its receipts, and what a
 * documenter's store had in receipts and can record under. Versions of a name only rise. Changes
 * want a transaction.
 */
#ifndef SK_CORE_FORM_OFFER_H
#define SK_CORE_FORM_OFFER_H

#include "core/form_own.h"
#include "core/store.h"

#define SK_OFFERS_MAX 32u /* of one archive at a time */

enum sk_offer_outcome {
    SK_OFFER_NEW,   /* it is offered now, and was not, or in an older version */
    SK_OFFER_KNOWN, /* it was offered before, as it is */
    SK_OFFER_OLDER, /* a higher version of that name was offered before: nothing changed */
    SK_OFFER_OTHER, /* that version was offered with other content: nothing changed */
};

/* peer: 0 in an archive, else the archive that offers it. Errors: SK_LIMIT (an archive offers
 * SK_OFFERS_MAX others), SK_IO. */
SK_MUST_CHECK
enum sk_status sk_offer_put(struct sk_store *store, int64_t peer, const struct sk_own_form *own,
                            enum sk_offer_outcome *outcome, struct sk_error *err);

/* Offers a form no more; its text goes. Errors: SK_MISSING (it is not offered). */
SK_MUST_CHECK
enum sk_status sk_offer_stop(struct sk_store *store, int64_t peer, const char *name,
                             struct sk_error *err);

/* Calls `each` for every form that is offered by `peer`, by name. */
typedef enum sk_status sk_offer_each_fn(void *context, struct sk_own_form *own,
                                        struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_offer_each(struct sk_store *store, int64_t peer, sk_offer_each_fn *each,
                             void *context, struct sk_error *err);

/*
 * Documenter: calls `each` for every form of an organisation that can be recorded under, by name:
 * those that archives offer, with the archive's name; and those of names that no archive has
 * offered here, but that stand in the own log, as in a store that was restored; archive is NULL
 * then.
 */
typedef enum sk_status sk_usable_form_fn(void *context, struct sk_own_form *own,
                                         const char *archive, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_usable_form_each(struct sk_store *store, sk_usable_form_fn *each, void *context,
                                   struct sk_error *err);

/* Documenter: the one that a person names, "NAME", or "NAME@" and the beginning of the archive's
 * name. *out is a reference. Errors: SK_MISSING, SK_USAGE (two archives offer different ones). */
SK_MUST_CHECK
enum sk_status sk_usable_form_find(struct sk_store *store, const char *text,
                                   struct sk_own_form **out, struct sk_error *err);

#endif
