/* The forms: loaded from the files that are built in, and what is looked up in them. */
#include "core/embed.h"
#include "core/form_internal.h"

#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX 6 /* groups in groups */

/* What the forms consist of lives until sk_forms_clear(): the structures on one chain, and the
 * parsed files, from which they borrow their texts. */
struct chunk {
    struct chunk *next;
    max_align_t memory[];
};

static struct chunk *chunks;
static json_t *sources[SK_TYPE_RECORD_LAST + 1];
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
    for (size_t i = 0; name && i < field->choice_count; i++) {
        if (strcmp(field->choices[i].name, name) == 0)
            return &field->choices[i];
    }
    return NULL;
}

/* ---- loading ---- */

/* Zeroed memory that lives as long as the forms. */
static enum sk_status keep(void **out, size_t count, size_t size, struct sk_error *err)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk) + count * size);

    if (!chunk)
        return sk_fail_status(err, SK_NOMEM);
    chunk->next = chunks;
    chunks = chunk;
    *out = chunk->memory;
    return SK_OK;
}

static enum sk_status broken(const char *what, struct sk_error *err)
{
    if (sk_json_starved())
        return sk_fail_status(err, SK_NOMEM);
    return sk_fail(err, SK_INTERNAL, "a built-in form is broken: %s", what);
}

static enum sk_status load_choices(struct sk_field *field, const json_t *json, struct sk_error *err)
{
    void *memory = NULL;

    SK_TRY(keep(&memory, json_array_size(json), sizeof(struct sk_choice), err));

    struct sk_choice *choices = memory;

    field->choices = choices;
    for (; field->choice_count < json_array_size(json); field->choice_count++) {
        struct sk_choice choice;

        /* Commas stand between the choices that a person writes. */
        if (json_unpack(json_array_get(json, field->choice_count), "{s:s,s:s!}", "name",
                        &choice.name, "label", &choice.label) != 0 ||
            !form_is_name(choice.name) || strchr(choice.label, ',') ||
            form_find_choice(field, choice.name))
            return broken(field->name, err);
        choices[field->choice_count] = choice;
    }
    return SK_OK;
}

/* Whether a field has what its type needs, and nothing else. */
static bool fits_type(enum sk_field_type type, const json_t *choices, const json_t *fields)
{
    bool choosing = type == SK_FIELD_CHOICE || type == SK_FIELD_CHOICES;
    bool nesting = type == SK_FIELD_GROUP || type == SK_FIELD_REPEAT;

    return choosing == (json_array_size(choices) > 0) && nesting == (fields != NULL);
}

static enum sk_status load_fields(const struct sk_field **out, size_t *out_count,
                                  const json_t *json, unsigned level, struct sk_error *err);

static enum sk_status load_field(struct sk_field *out, json_t *json, unsigned level,
                                 struct sk_error *err)
{
    const char *type;
    json_t *choices = NULL;
    json_t *fields = NULL;
    int required = 0;
    size_t i;

    out->hint = "";
    if (json_unpack(json, "{s:s,s:s,s:s,s:s,s?s,s?s,s?o,s?o,s?b!}", "name", &out->name, "label",
                    &out->label, "type", &type, "access", &out->access, "hint", &out->hint,
                    "unless", &out->unless, "choices", &choices, "fields", &fields, "required",
                    &required) != 0)
        return broken("a field", err);
    for (i = 0; i < TYPE_COUNT && strcmp(type, type_names[i][0]) != 0; i++)
        ;
    out->type = (enum sk_field_type)i;
    out->required = required != 0;
    /* A group with a field named `missing` would look like one of the special answers. */
    if (i == TYPE_COUNT || !form_is_name(out->name) || strcmp(out->name, "missing") == 0 ||
        !fits_type(out->type, choices, fields) ||
        (strcmp(out->access, "public") != 0 && strcmp(out->access, "internal") != 0 &&
         strcmp(out->access, "protected") != 0))
        return broken(out->name, err);
    if (fields)
        return load_fields(&out->fields, &out->field_count, fields, level + 1, err);
    return choices ? load_choices(out, choices, err) : SK_OK;
}

static enum sk_status load_fields(const struct sk_field **out, size_t *out_count,
                                  const json_t *json, unsigned level, struct sk_error *err)
{
    size_t count = json_array_size(json);
    void *memory = NULL;

    if (count == 0 || level > LEVELS_MAX)
        return broken("no fields, or groups too deep in groups", err);
    SK_TRY(keep(&memory, count, sizeof(struct sk_field), err));

    struct sk_field *fields = memory;

    for (size_t i = 0; i < count; i++) {
        SK_TRY(load_field(&fields[i], json_array_get(json, i), level, err));
        if (form_find_field(fields, i, fields[i].name))
            return broken(fields[i].name, err);
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].unless && !form_find_field(fields, count, fields[i].unless))
            return broken(fields[i].name, err);
    }
    *out = fields;
    *out_count = count;
    return SK_OK;
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
    if (!sk_type_is_record(form.type) || sources[form.type] || form.version < 1 ||
        form.version > INT32_MAX)
        return broken(file->name, err);
    sources[form.type] = json_incref(json);
    SK_TRY(load_fields(&form.fields, &form.field_count, fields, 1, err));
    forms[form.type] = form;
    return SK_OK;
}

static enum sk_status load_all(struct sk_error *err)
{
    for (size_t i = 0; sk_embedded_forms[i].name; i++)
        SK_TRY(load_form(&sk_embedded_forms[i], err));
    for (unsigned type = 1; type <= SK_TYPE_RECORD_LAST; type++) {
        if (!sources[type])
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
    while (chunks) {
        struct chunk *next = chunks->next;

        free(chunks);
        chunks = next;
    }
    for (unsigned type = 1; type <= SK_TYPE_RECORD_LAST; type++) {
        json_decref(sources[type]);
        sources[type] = NULL;
        forms[type] = (struct sk_form){0};
    }
}

const struct sk_form *sk_form_of(unsigned type)
{
    return sk_type_is_record(type) && forms[type].type != 0 ? &forms[type] : NULL;
}

const struct sk_field *sk_form_field(const struct sk_form *form, const char *name)
{
    return form_find_field(form->fields, form->field_count, name);
}
