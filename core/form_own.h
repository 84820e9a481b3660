/*
 * A form of an organisation: {"form": name, "type": one of the six record types, "version": whole
 * number, "label": text, "fields": as in core/form.h}. An archive offers it in its receipts, a
 * device records under it, and puts it into its log before it does, so that whoever has the log can
 * check and show the records (sync/FORMAT.md, "Forms").
 *
 * It is known by the hash of its exact bytes: nothing else can stand in its place, whoever brings
 * it. It comes from outside, so it is checked as a whole before anything of it is used.
 */
#ifndef SK_CORE_FORM_OWN_H
#define SK_CORE_FORM_OWN_H

#include "core/form.h"
#include "crypto/hash.h"

#define SK_FORM_TEXT_MAX ((size_t)64 * 1024)
#define SK_FORM_NAME_MAX 40u /* of a to z, 0 to 9 and hyphens, the first none */

struct sk_own_form;

/* H(no key, "form", text). */
void sk_own_form_hash(uint8_t out[static SK_HASH_LEN], const char *text, size_t len);

/* Whether it can be the name of an organisation's form: of its letters, and of no type. */
bool sk_own_form_name_valid(const char *name);

/*
 * Reads and checks the text of a form. It has one reference, the caller's. Errors: SK_REFUSED with
 * the reason (SK_LIMIT is never given: too long is refused too), SK_NOMEM.
 */
SK_MUST_CHECK
enum sk_status sk_own_form_read(struct sk_own_form **out, const char *text, size_t len,
                                struct sk_error *err);

/* The same for a file that a person wrote: `out` (empty) becomes the text in compact form. */
SK_MUST_CHECK
enum sk_status sk_own_form_compact(struct sk_buf *out, const char *text, size_t len,
                                   struct sk_error *err);

/* One reference more, which is given back; one less, and without any it is freed. NULL is allowed.
 */
struct sk_own_form *sk_own_form_ref(struct sk_own_form *own);
void sk_own_form_unref(struct sk_own_form *own);

/* Owned by the form. */
const struct sk_form *sk_own_form_of(const struct sk_own_form *own);
const struct sk_buf *sk_own_form_text(const struct sk_own_form *own);

static inline void sk_own_form_cleanup(struct sk_own_form **own)
{
    sk_own_form_unref(*own);
}
#define sk_auto_own_form __attribute__((cleanup(sk_own_form_cleanup))) struct sk_own_form *

/* Where forms of organisations are looked for by their hash: *out is a reference, or NULL where the
 * form is not held. */
struct sk_form_source {
    enum sk_status (*find)(void *context, const uint8_t hash[static SK_HASH_LEN],
                           struct sk_own_form **out, struct sk_error *err);
    void *context;
};

#endif
