/*
 * The forms of organisations in a receipt (sync/FORMAT.md, "Receipt"): their lines in the signed
 * text, and their bytes behind the checkpoint. Private to sync.
 */
#ifndef SK_SYNC_RECEIPT_FORMS_H
#define SK_SYNC_RECEIPT_FORMS_H

#include "core/form_offer.h"
#include "core/json.h"
#include "sync/envelope.h"
#include "sync/receipt_note.h"

/* Of a line. */
struct sk_receipt_form {
    char name[SK_FORM_NAME_MAX + 1];
    uint32_t version;
    uint8_t hash[SK_HASH_LEN];
};

/* The texts behind the checkpoint, in the order of the lines. */
struct sk_form_texts {
    struct sk_buf items[SK_OFFERS_MAX]; /* owned */
    size_t count;
};
void sk_form_texts_clear(struct sk_form_texts *texts);
#define sk_auto_form_texts __attribute__((cleanup(sk_form_texts_clear))) struct sk_form_texts

/* Where the lines of forms begin in the text of a receipt: they are its last. */
size_t sk_receipt_forms_at(const char *text, size_t len);

/* Appends the lines; reads them to the end of the text. Errors: SK_DAMAGED, SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_receipt_forms_format(struct sk_buf *out,
                                                     const struct sk_receipt *receipt,
                                                     struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_receipt_forms_parse(struct sk_receipt *out, const char *text,
                                                    size_t len, struct sk_error *err);

/* Archive: what it offers, as lines and texts. */
SK_MUST_CHECK enum sk_status sk_receipt_forms_fill(struct sk_store *store,
                                                   struct sk_receipt *receipt,
                                                   struct sk_form_texts *texts,
                                                   struct sk_error *err);

/* The texts, each with its length before it, and a length of 0. */
SK_MUST_CHECK enum sk_status sk_form_texts_write(struct sk_envelope_writer *writer,
                                                 const struct sk_form_texts *texts,
                                                 struct sk_error *err);
/* Errors: SK_LIMIT before memory is taken, SK_DAMAGED. */
SK_MUST_CHECK enum sk_status sk_form_texts_read(struct sk_envelope_reader *reader,
                                                struct sk_form_texts *texts, struct sk_error *err);

/* Whether the texts are those of the lines. Errors: SK_DAMAGED. */
SK_MUST_CHECK enum sk_status sk_receipt_forms_check(const struct sk_receipt *receipt,
                                                    const struct sk_form_texts *texts,
                                                    struct sk_error *err);

/*
 * Documenter, in the transaction that takes the receipt: keeps what it offers, and offers no more
 * what it does not name. news: array of {"form", "version", "label"} of those that are new; gone:
 * array of names; words: lines for a person about those that were not taken.
 */
SK_MUST_CHECK enum sk_status sk_receipt_forms_keep(struct sk_store *store, int64_t peer,
                                                   const struct sk_receipt *receipt,
                                                   const struct sk_form_texts *texts, json_t *news,
                                                   json_t *gone, struct sk_buf *words,
                                                   struct sk_error *err);

#endif
