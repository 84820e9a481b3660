/*
 * Forms: which fields a record has. The built-in ones are data (core/forms/<type>.json), compiled
 * in; those of an organisation (core/form_own.h) come with receipts.
 *
 * A form is {"form": type, "version": 1, "label": text, "fields": [field ...]}. A field is {"name",
 * "label", "hint"?, "type", "required"?: true, "unless"?: name of a field that stands in for it,
 * "access": "public" | "internal" | "protected", "choices"?: [{"name", "label"}...], "fields"?:
 * [...]} with these types:
 *
 * | type     | value in a record                                     | FIELD=VALUE | | text     |
 * string                                                | as written                  | | integer
 * | number                                                | digits                      | | decimal
 * | number                                                | digits with a point         | | date |
 * string, see sk_date_check()                           | the same                    | | time |
 * string, see sk_time_check()                           | the same                    | | datetime
 * | string, see sk_datetime_check()                       | the same                    | | choice
 * | string, the name of a choice                          | name or label of the choice | | choices
 * | array of such strings                                 | separated by commas         | | group
 * | object with the fields of `fields`                    | a JSON object               | | repeat
 * | array of such objects                                 | a JSON array                |
 *
 * Instead of a value any field takes {"missing": "unknown" | "refused" | "not asked"}, three
 * different answers; as FIELD=VALUE they are written "?unknown", "?refused", "?not asked". A field
 * inside a group is also reached as group.field=VALUE, one in a repeat as repeat.0.field=VALUE.
 */
#ifndef SK_CORE_FORM_H
#define SK_CORE_FORM_H

#include "core/json.h"
#include "core/types.h"

enum sk_field_type {
    SK_FIELD_TEXT,
    SK_FIELD_INTEGER,
    SK_FIELD_DECIMAL,
    SK_FIELD_DATE,
    SK_FIELD_TIME,
    SK_FIELD_DATETIME,
    SK_FIELD_CHOICE,
    SK_FIELD_CHOICES,
    SK_FIELD_GROUP,
    SK_FIELD_REPEAT,
};

struct sk_choice {
    const char *name;
    const char *label;
};

struct sk_field {
    const char *name;
    const char *label;
    const char *hint;   /* "" when there is none */
    const char *unless; /* the field that may stand in for a required one, or NULL */
    const char *access; /* "public", "internal", "protected" */
    enum sk_field_type type;
    bool required;
    const struct sk_choice *choices;
    const struct sk_choice **by_name; /* the same in the order of their names */
    size_t choice_count;
    const struct sk_field *fields; /* of a group or repeat */
    size_t field_count;
};

struct sk_form {
    const char *name;    /* of a built-in form that of its type */
    const uint8_t *hash; /* of an organisation's form (core/form_own.h), 32 bytes; else NULL */
    unsigned type;       /* enum sk_type */
    unsigned version;
    const char *label;
    const struct sk_field *fields;
    size_t field_count;
};

/* Parses the built-in forms. Called once at the start. Errors: SK_INTERNAL, SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_forms_init(struct sk_error *err);
void sk_forms_clear(void);

/* The form of a record type, NULL for any other type. Owned by the module. */
const struct sk_form *sk_form_of(unsigned type);

/* The field of that name at the top of a form, or NULL. */
const struct sk_field *sk_form_field(const struct sk_form *form, const char *name);

/* The name of a field's type in words for a person: "text", "date", "one of ...". */
const char *sk_field_type_name(enum sk_field_type type);

/*
 * Checks a record's fields (a JSON object) against its form: no unknown field, every required one
 * there and not empty, every value of its type, texts valid UTF-8. The words name the field and
 * what it takes, never the value. Errors: SK_REFUSED.
 */
SK_MUST_CHECK
enum sk_status sk_form_check(const struct sk_form *form, const json_t *fields,
                             struct sk_error *err);

/*
 * Sets one field from text as a person writes it (table above) in the object `fields`. An empty
 * VALUE takes the field out. Errors: SK_USAGE for an unknown field (with the nearest name),
 * SK_REFUSED for a value that does not fit.
 */
SK_MUST_CHECK
enum sk_status sk_form_set(const struct sk_form *form, json_t *fields, const char *name,
                           const char *value, struct sk_error *err);

/* What a value is in one line for a person ("2024-07~", "Detained, Convicted", "(unknown)"):
 * appended raw, to be shown through sk_text_show(). Groups and repeats give nothing. */
SK_MUST_CHECK
enum sk_status sk_form_value_text(struct sk_buf *out, const struct sk_field *field,
                                  const json_t *value, struct sk_error *err);

/* What a record is called in lists: `title`, else the field that stands in for it; raw, "" if
 * neither is there. Borrowed from `fields`. */
const char *sk_form_title(const struct sk_form *form, const json_t *fields);

#endif
