/*
 * What the files form*.c share. Private to core.
 */
#ifndef SK_CORE_FORM_INTERNAL_H
#define SK_CORE_FORM_INTERNAL_H

#include "core/form.h"

#define FORM_NAME_MAX  40  /* letters of a field's or choice's name */
#define FORM_LABEL_MAX 200 /* bytes of a label of an organisation's form */

/* Where in a record a value stands: "acts.0.victim". */
struct form_place {
    const struct form_place *up;
    const char *name; /* NULL: an entry of a repeat */
    size_t index;
};

/*
 * What the fields of forms consist of lives until form_loader_clear(): the structures on one chain,
 * and the parsed texts, from which they borrow theirs.
 */
struct form_chunk;
struct form_loader {
    struct form_chunk *chunks;
    bool own;        /* of an organisation, from outside: more is checked, and nothing is trusted */
    unsigned fields; /* so far, at all depths */
};
void form_loader_clear(struct form_loader *loader);

/*
 * Reads the array `fields` of a form, and keeps a reference to `source`, which holds it. Errors:
 * SK_NOMEM; SK_INTERNAL, of an organisation's form SK_REFUSED, with the place and the reason.
 */
enum sk_status form_load(struct form_loader *loader, struct sk_form *out, json_t *source,
                         const json_t *fields, struct sk_error *err);

/* The type of a field by its name in a form. */
bool form_field_type(enum sk_field_type *out, const char *name);

/* Words of an organisation for a person: not empty, at most `most` bytes, safe to show as they are,
 * and without a blank at either end. */
bool form_words_fit(const char *words, size_t most);

/* Whether it can be the name of a field or choice. */
bool form_is_name(const char *name);

/* NULL if there is none; `name` of a choice may be NULL. Borrowed from the form. */
const struct sk_field *form_find_field(const struct sk_field *fields, size_t count,
                                       const char *name);
const struct sk_choice *form_find_choice(const struct sk_field *field, const char *name);

/* The error `status`, with a sentence about that place. */
enum sk_status form_fail_at(const struct form_place *place, enum sk_status status,
                            const char *sentence, struct sk_error *err);

/* The error for a field that is not among these, with the one that may be meant. */
enum sk_status form_unknown_field(const struct sk_field *fields, size_t count, const char *name,
                                  const struct form_place *up, enum sk_status status,
                                  struct sk_error *err);

/* "unknown", "refused" or "not asked", which stand in place of an answer, if the text (may be NULL)
 * is one of them, else NULL; and the same for a value that says so. */
const char *form_missing_named(const char *text);
const char *form_missing_answer(const json_t *value);

/* Whether there is nothing in it: no value, an empty text, object or array. */
bool form_is_blank(const json_t *value);

/* Whether a value is what its field takes. Errors: SK_REFUSED with place and reason, SK_NOMEM. */
enum sk_status form_check_value(const struct sk_field *field, const json_t *value,
                                const struct form_place *place, struct sk_error *err);

#endif
