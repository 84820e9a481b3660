/* Values of fields from what a person types, and as a person reads them. */
#include "core/form_internal.h"
#include "core/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- setting ---- */

static enum sk_status out_of_memory_unless(const json_t *json, struct sk_error *err)
{
    return json ? SK_OK : sk_fail_status(err, SK_NOMEM);
}

/* The name of the choice that a person named by its name or its label, in either case. */
static const char *choice_named(const struct sk_field *field, const char *text, size_t len)
{
    for (size_t i = 0; i < field->choice_count; i++) {
        const struct sk_choice *choice = &field->choices[i];

        if ((strlen(choice->name) == len && strncasecmp(choice->name, text, len) == 0) ||
            (strlen(choice->label) == len && strncasecmp(choice->label, text, len) == 0))
            return choice->name;
    }
    return "";
}

static enum sk_status parse_choices(json_t **out, const struct sk_field *field, const char *text,
                                    struct sk_error *err)
{
    sk_auto_json array = json_array();

    SK_TRY(out_of_memory_unless(array, err));
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        const char *end = at + len;

        for (; len > 0 && *at == ' '; at++, len--)
            ;
        for (; len > 0 && at[len - 1] == ' '; len--)
            ;
        if (json_array_append_new(array, json_string(choice_named(field, at, len))) != 0)
            return sk_fail_status(err, SK_NOMEM);
        at = end;
        if (*at == '\0')
            break;
    }
    *out = json_incref(array);
    return SK_OK;
}

/* Digits, for a decimal with a point, whatever the locale says. */
static enum sk_status parse_number(json_t **out, const struct sk_field *field, const char *text,
                                   const struct form_place *place, struct sk_error *err)
{
    size_t digits = strspn(text + (*text == '-'), "0123456789") + (*text == '-');

    if (field->type == SK_FIELD_DECIMAL) {
        /* JSON's own form of a number, without its exponents. */
        if (text[digits + strspn(text + digits, ".0123456789")] != '\0' ||
            sk_json_parse(out, text, strlen(text), NULL) != SK_OK)
            return form_fail_at(place, SK_REFUSED, "takes a number, such as 12.5", err);
        return SK_OK;
    }
    errno = 0;

    long long value = strtoll(text, NULL, 10);

    if (digits == (*text == '-') || text[digits] != '\0')
        return form_fail_at(place, SK_REFUSED, "takes a whole number", err);
    if (errno == ERANGE)
        return form_fail_at(place, SK_REFUSED, "the number is too large", err);
    *out = json_integer(value);
    return out_of_memory_unless(*out, err);
}

/* What a person wrote for a field; it is checked afterwards. */
static enum sk_status parse_value(json_t **out, const struct sk_field *field, const char *text,
                                  const struct form_place *place, struct sk_error *err)
{
    struct sk_error reason = SK_ERROR_INIT;
    const char *missing = text[0] == '?' ? form_missing_named(text + 1) : NULL;

    if (missing) {
        *out = json_pack("{s:s}", "missing", missing);
        return out_of_memory_unless(*out, err);
    }
    if (field->type == SK_FIELD_CHOICES)
        return parse_choices(out, field, text, err);
    if (field->type == SK_FIELD_INTEGER || field->type == SK_FIELD_DECIMAL)
        return parse_number(out, field, text, place, err);
    if (field->type == SK_FIELD_GROUP || field->type == SK_FIELD_REPEAT) {
        if (sk_json_parse(out, text, strlen(text), &reason) != SK_OK)
            return form_fail_at(place, reason.status, reason.text, err);
        return SK_OK;
    }
    if (!sk_text_valid(text, strlen(text)))
        return form_fail_at(place, SK_REFUSED, "the text is not UTF-8", err);
    *out = json_string(field->type == SK_FIELD_CHOICE ? choice_named(field, text, strlen(text))
                                                      : text);
    return out_of_memory_unless(*out, err);
}

static enum sk_status update(json_t **out, const struct sk_field *field, json_t *old,
                             const char *path, const char *text, const struct form_place *place,
                             struct sk_error *err);

/* Writes what `update` made of one field into the object that holds it. */
static enum sk_status update_field(const struct sk_field *fields, size_t count, json_t *object,
                                   const char *path, const char *text, const struct form_place *up,
                                   struct sk_error *err)
{
    char name[FORM_NAME_MAX + 2];
    size_t len = strcspn(path, ".");
    sk_auto_json value = NULL;

    (void)snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name)),
                   path);

    const struct sk_field *field = form_find_field(fields, count, name);

    if (!field)
        return form_unknown_field(fields, count, name, up, SK_USAGE, err);
    SK_TRY(update(&value, field, json_object_get(object, field->name),
                  path[len] == '.' ? path + len + 1 : NULL, text,
                  &(struct form_place){up, field->name, 0}, err));
    if (value)
        return json_object_set(object, field->name, value) == 0 ? SK_OK
                                                                : sk_fail_status(err, SK_NOMEM);
    (void)json_object_del(object, field->name);
    return SK_OK;
}

/* A copy of a value, or a new one in place of NULL. */
static enum sk_status copy_or_new(json_t **out, const json_t *old, json_t *(*make)(void),
                                  struct sk_error *err)
{
    if (old)
        return sk_json_copy(out, old, err);
    *out = make();
    return out_of_memory_unless(*out, err);
}

/* The same for one entry of a repeat: "0.name"; one more than there are is a new entry. */
static enum sk_status update_entry(const struct sk_field *field, json_t *array, const char *path,
                                   const char *text, const struct form_place *up,
                                   struct sk_error *err)
{
    size_t digits = strspn(path, "0123456789");
    size_t index = strtoul(path, NULL, 10);
    size_t count = json_array_size(array);

    if (digits == 0 || digits > 6 || path[digits] != '.' || index > count)
        return form_fail_at(
            up, SK_USAGE,
            "write the number of an entry and a field, such as 0.name; 0 is the first, "
            "the next number makes a new entry",
            err);

    sk_auto_json entry = NULL;

    SK_TRY(
        copy_or_new(&entry, index < count ? json_array_get(array, index) : NULL, json_object, err));
    SK_TRY(update_field(field->fields, field->field_count, entry, path + digits + 1, text,
                        &(struct form_place){up, NULL, index}, err));
    if (index == count && json_object_size(entry) == 0)
        return SK_OK;
    if ((index < count ? json_array_set(array, index, entry) : json_array_append(array, entry)) !=
        0)
        return sk_fail_status(err, SK_NOMEM);
    return SK_OK;
}

/*
 * Makes the new value of a field, NULL for none, and leaves the old one (which may be NULL) as it
 * is, so that a fault further down changes nothing. `path` leads on inside a group or repeat.
 */
static enum sk_status update(json_t **out, const struct sk_field *field, json_t *old,
                             const char *path, const char *text, const struct form_place *place,
                             struct sk_error *err)
{
    bool group = field->type == SK_FIELD_GROUP;
    sk_auto_json value = NULL;

    if (path && !group && field->type != SK_FIELD_REPEAT)
        return form_fail_at(place, SK_USAGE, "there are no fields inside this one", err);
    if (!path && text[0] == '\0')
        return SK_OK;
    if (!path) {
        SK_TRY(parse_value(&value, field, text, place, err));
        SK_TRY(form_check_value(field, value, place, err));
    } else if (group) {
        bool kept = json_is_object(old) && !form_missing_answer(old);

        SK_TRY(copy_or_new(&value, kept ? old : NULL, json_object, err));
        SK_TRY(update_field(field->fields, field->field_count, value, path, text, place, err));
    } else {
        SK_TRY(copy_or_new(&value, json_is_array(old) ? old : NULL, json_array, err));
        SK_TRY(update_entry(field, value, path, text, place, err));
    }
    /* Taking a field out of what is not there leaves nothing behind. */
    *out = path && form_is_blank(value) ? NULL : json_incref(value);
    return SK_OK;
}

enum sk_status sk_form_set(const struct sk_form *form, json_t *fields, const char *name,
                           const char *value, struct sk_error *err)
{
    return update_field(form->fields, form->field_count, fields, name, value, NULL, err);
}

/* ---- showing ---- */

static const char *choice_label(const struct sk_field *field, const char *name)
{
    const struct sk_choice *choice = form_find_choice(field, name);

    return choice ? choice->label : name;
}

enum sk_status sk_form_value_text(struct sk_buf *out, const struct sk_field *field,
                                  const json_t *value, struct sk_error *err)
{
    const char *missing = form_missing_answer(value);
    size_t count = field->type == SK_FIELD_CHOICES ? json_array_size(value) : 0;

    if (missing)
        return sk_buf_printf(out, err, "(%s)", missing);
    if (json_is_number(value))
        return sk_json_write(out, value, err);
    if (json_is_string(value))
        return sk_buf_add_text(out, choice_label(field, json_string_value(value)), err);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(value, i));

        SK_TRY(sk_buf_add_text(out, i > 0 ? ", " : "", err));
        SK_TRY(sk_buf_add_text(out, name ? choice_label(field, name) : "", err));
    }
    return SK_OK;
}

const char *sk_form_title(const struct sk_form *form, const json_t *fields)
{
    const struct sk_field *title = sk_form_field(form, "title");
    const json_t *value = json_object_get(fields, "title");

    if (form_is_blank(value) || !json_is_string(value))
        value = title && title->unless ? json_object_get(fields, title->unless) : NULL;
    return json_is_string(value) ? json_string_value(value) : "";
}
