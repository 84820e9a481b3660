/* The forms: loaded from the files that are built in, and what is looked up in them. */
#include "core/embed.h"
#include "core/form_internal.h"

#include <string.h>

static struct form_loader built_in;
static struct sk_form forms[SK_TYPE_RECORD_LAST + 1];

static const char *const type_names[][2] = {
    /* in a form, for a person */
    [SK_FIELD_TEXT] = {"text", "text"},
    [SK_FIELD_INTEGER] = {"integer", "whole number"},
    [SK_FIELD_DECIMAL] = {"decimal", "number"},
    [SK_FIELD_DATE] = {"date", "date"},
    [SK_FIELD_TIME] = {"time", "time"},
    [SK_FIELD_DATETIME] = {"datetime", "date with time"},
    [SK_FIELD_CHOICE] = {"choice", "one of the choices"},
    [SK_FIELD_CHOICES] = {"choices", "any of the choices"},
    [SK_FIELD_GROUP] = {"group", "group of fields"},
    [SK_FIELD_REPEAT] = {"repeat", "list of groups of fields"},
};
#define TYPE_COUNT (sizeof(type_names) / sizeof(type_names[0]))

bool form_field_type(enum sk_field_type *out, const char *name)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strcmp(name, type_names[i][0]) == 0) {
            *out = (enum sk_field_type)i;
            return true;
        }
    }
    return false;
}

const char *sk_field_type_name(enum sk_field_type type)
{
    return (size_t)type < TYPE_COUNT ? type_names[type][1] : "unknown";
}

bool form_is_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return len > 0 && len <= FORM_NAME_MAX && name[len] == '\0';
}

const struct sk_field *form_find_field(const struct sk_field *fields, size_t count,
                                       const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

const struct sk_choice *form_find_choice(const struct sk_field *field, const char *name)
{
    size_t low = 0;
    size_t high = field->choice_count;

    while (name && low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, field->by_name[middle]->name);

        if (order == 0)
            return field->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* ---- loading ---- */

static enum sk_status broken(const char *what, struct sk_error *err)
{
    if (sk_json_starved())
        return sk_fail_status(err, SK_NOMEM);
    return sk_fail(err, SK_INTERNAL, "a built-in form is broken: %s", what);
}

static enum sk_status load_form(const struct sk_embedded_file *file, struct sk_error *err)
{
    sk_auto_json json = NULL;
    const char *name;
    json_t *fields;
    struct sk_form form = {0};

    if (sk_json_parse(&json, file->text, file->len, NULL) != SK_OK ||
        json_unpack(json, "{s:s,s:i,s:s,s:o!}", "form", &name, "version", &form.version, "label",
                    &form.label, "fields", &fields) != 0)
        return broken(file->name, err);
    form.type = sk_type_from_name(name);
    if (!sk_type_is_record(form.type) || forms[form.type].type || form.version < 1 ||
        form.version > INT32_MAX)
        return broken(file->name, err);
    form.name = sk_type_name(form.type);
    SK_TRY(form_load(&built_in, &form, json, fields, err));
    forms[form.type] = form;
    return SK_OK;
}

static enum sk_status load_all(struct sk_error *err)
{
    for (size_t i = 0; sk_embedded_forms[i].name; i++)
        SK_TRY(load_form(&sk_embedded_forms[i], err));
    for (unsigned type = 1; type <= SK_TYPE_RECORD_LAST; type++) {
        if (!forms[type].type)
            return broken(sk_type_name(type), err);
    }
    return SK_OK;
}

enum sk_status sk_forms_init(struct sk_error *err)
{
    sk_forms_clear();
    (void)sk_json_starved();

    enum sk_status status = load_all(err);

    if (status != SK_OK)
        sk_forms_clear();
    return status;
}

void sk_forms_clear(void)
{
    form_loader_clear(&built_in);
    for (unsigned type = 1; type <= SK_TYPE_RECORD_LAST; type++)
        forms[type] = (struct sk_form){0};
}

const struct sk_form *sk_form_of(unsigned type)
{
    return sk_type_is_record(type) && forms[type].type != 0 ? &forms[type] : NULL;
}

const struct sk_field *sk_form_field(const struct sk_form *form, const char *name)
{
    return form_find_field(form->fields, form->field_count, name);
}
