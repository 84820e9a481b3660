/*
 * Reading the fields of a form. Built-in forms are read once at the start; those of organisations
 * come from outside, so that each length and count has a limit, and their words are looked at.
 */
#include "core/file.h"
#include "core/form_internal.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX 6 /* groups in groups */

/* Of an organisation's form. A reader goes over them for each value of a record. */
#define LEVEL_FIELDS_MAX 200
#define FIELDS_MAX       500
#define CHOICES_MAX      500 /* of one field */
#define HINT_MAX         500 /* bytes */

struct form_chunk {
    struct form_chunk *next;
    json_t *source; /* or NULL */
    max_align_t memory[];
};

void form_loader_clear(struct form_loader *loader)
{
    while (loader->chunks) {
        struct form_chunk *next = loader->chunks->next;

        json_decref(loader->chunks->source);
        free(loader->chunks);
        loader->chunks = next;
    }
}

/* Zeroed memory that lives as long as the loader. */
static enum sk_status keep(struct form_loader *loader, void **out, size_t count, size_t size,
                           struct sk_error *err)
{
    struct form_chunk *chunk = calloc(1, sizeof(*chunk) + count * size);

    if (!chunk)
        return sk_fail_status(err, SK_NOMEM);
    chunk->next = loader->chunks;
    loader->chunks = chunk;
    *out = chunk->memory;
    return SK_OK;
}

/* what: a name out of the form, which is told only where it is one. */
static enum sk_status broken(const struct form_loader *loader, const char *what, const char *why,
                             struct sk_error *err)
{
    if (sk_json_starved())
        return sk_fail_status(err, SK_NOMEM);
    if (!loader->own)
        return sk_fail(err, SK_INTERNAL, "a built-in form is broken: %s", what);
    if (!form_is_name(what))
        return sk_fail(err, SK_REFUSED, "a field of the form: %s", why);
    return sk_fail(err, SK_REFUSED, "field %s of the form: %s", what, why);
}

bool form_words_fit(const char *words, size_t most)
{
    size_t len = strlen(words);

    return len > 0 && len <= most && words[0] != ' ' && words[len - 1] != ' ' &&
           sk_text_plain(words, len);
}

/* ---- choices ---- */

/* A name or label, by which a person says which choice is meant. */
struct word {
    const char *text;
    const struct sk_choice *choice;
};

static int compare_words(const void *a, const void *b)
{
    return strcasecmp(((const struct word *)a)->text, ((const struct word *)b)->text);
}

/* Whether a word could mean two choices. Not each is held against each: a form may be read for each
 * of very many records. */
static enum sk_status find_alike(const struct sk_field *field, bool *out, struct sk_error *err)
{
    size_t count = 2 * field->choice_count;
    sk_auto_free struct word *words = malloc(count * sizeof(*words));

    if (!words)
        return sk_fail_status(err, SK_NOMEM);
    for (size_t i = 0; i < count; i++) {
        const struct sk_choice *choice = &field->choices[i / 2];

        words[i] = (struct word){i % 2 ? choice->label : choice->name, choice};
    }
    qsort(words, count, sizeof(*words), compare_words);
    *out = false;
    for (size_t i = 1; i < count; i++)
        *out |=
            words[i].choice != words[i - 1].choice && compare_words(words + i - 1, words + i) == 0;
    return SK_OK;
}

static bool choice_fits(const struct form_loader *loader, const struct sk_field *field,
                        const struct sk_choice *choice)
{
    /* Commas stand between the choices that a person writes. */
    if (!form_is_name(choice->name) || strchr(choice->label, ',') ||
        form_find_choice(field, choice->name))
        return false;
    return !loader->own || form_words_fit(choice->label, FORM_LABEL_MAX);
}

/* Puts the choice that is about to be counted into its place among those before it. */
static void insert_by_name(struct sk_field *field, const struct sk_choice *choice)
{
    size_t at = field->choice_count;

    for (; at > 0 && strcmp(field->by_name[at - 1]->name, choice->name) > 0; at--)
        field->by_name[at] = field->by_name[at - 1];
    field->by_name[at] = choice;
}

static enum sk_status load_choices(struct form_loader *loader, struct sk_field *field,
                                   const json_t *json, struct sk_error *err)
{
    static const char fault[] = "a choice is broken, or like another one";
    void *memory = NULL;
    bool alike = false;

    if (loader->own && json_array_size(json) > CHOICES_MAX)
        return broken(loader, field->name, "it has too many choices", err);
    SK_TRY(keep(loader, &memory, json_array_size(json), sizeof(struct sk_choice), err));

    struct sk_choice *choices = memory;

    SK_TRY(keep(loader, &memory, json_array_size(json), sizeof(void *), err));
    field->choices = choices;
    field->by_name = memory;
    for (; field->choice_count < json_array_size(json); field->choice_count++) {
        struct sk_choice choice;

        if (json_unpack(json_array_get(json, field->choice_count), "{s:s,s:s!}", "name",
                        &choice.name, "label", &choice.label) != 0 ||
            !choice_fits(loader, field, &choice))
            return broken(loader, field->name, fault, err);
        choices[field->choice_count] = choice;
        insert_by_name(field, &choices[field->choice_count]);
    }
    if (loader->own)
        SK_TRY(find_alike(field, &alike, err));
    return alike ? broken(loader, field->name, fault, err) : SK_OK;
}

/* ---- fields ---- */

/* Whether a field has what its type needs, and nothing else. */
static bool fits_type(const struct form_loader *loader, enum sk_field_type type,
                      const json_t *choices, const json_t *fields)
{
    bool choosing = type == SK_FIELD_CHOICE || type == SK_FIELD_CHOICES;
    bool nesting = type == SK_FIELD_GROUP || type == SK_FIELD_REPEAT;

    if (loader->own && !choosing && choices)
        return false;
    return choosing == (json_array_size(choices) > 0) && nesting == (fields != NULL);
}

static bool access_known(const char *access)
{
    return strcmp(access, "public") == 0 || strcmp(access, "internal") == 0 ||
           strcmp(access, "protected") == 0;
}

static bool words_fit(const struct form_loader *loader, const struct sk_field *field)
{
    return !loader->own || (form_words_fit(field->label, FORM_LABEL_MAX) &&
                            (field->hint[0] == '\0' || form_words_fit(field->hint, HINT_MAX)));
}

static enum sk_status load_fields(struct form_loader *loader, const struct sk_field **out,
                                  size_t *out_count, const json_t *json, unsigned level,
                                  struct sk_error *err);

static enum sk_status load_field(struct form_loader *loader, struct sk_field *out, json_t *json,
                                 unsigned level, struct sk_error *err)
{
    const char *type;
    json_t *choices = NULL;
    json_t *fields = NULL;
    int required = 0;

    out->hint = "";
    if (json_unpack(json, "{s:s,s:s,s:s,s:s,s?s,s?s,s?o,s?o,s?b!}", "name", &out->name, "label",
                    &out->label, "type", &type, "access", &out->access, "hint", &out->hint,
                    "unless", &out->unless, "choices", &choices, "fields", &fields, "required",
                    &required) != 0)
        return broken(loader, "a field", "it has not the members it should have", err);
    out->required = required != 0;
    /* A group with a field named `missing` would look like one of the special answers. */
    if (!form_field_type(&out->type, type) || !form_is_name(out->name) ||
        strcmp(out->name, "missing") == 0 || !fits_type(loader, out->type, choices, fields) ||
        !access_known(out->access))
        return broken(loader, out->name, "its name, type, access, choices or fields are wrong",
                      err);
    if (!words_fit(loader, out))
        return broken(loader, out->name, "its label or hint is too long, or cannot be shown", err);
    if (fields)
        return load_fields(loader, &out->fields, &out->field_count, fields, level + 1, err);
    return choices ? load_choices(loader, out, choices, err) : SK_OK;
}

/* Whether the field that may stand in for one is among these. */
static bool unless_fits(const struct form_loader *loader, const struct sk_field *field,
                        const struct sk_field *fields, size_t count)
{
    const struct sk_field *other =
        field->unless ? form_find_field(fields, count, field->unless) : NULL;

    return !field->unless || (other && (!loader->own || other != field));
}

static enum sk_status load_fields(struct form_loader *loader, const struct sk_field **out,
                                  size_t *out_count, const json_t *json, unsigned level,
                                  struct sk_error *err)
{
    size_t count = json_array_size(json);
    void *memory = NULL;

    if (count == 0 || level > LEVELS_MAX)
        return broken(loader, "no fields, or groups too deep in groups",
                      "there are no fields, or groups too deep in groups", err);
    loader->fields += (unsigned)(count < FIELDS_MAX ? count : FIELDS_MAX);
    if (loader->own && (count > LEVEL_FIELDS_MAX || loader->fields > FIELDS_MAX))
        return broken(loader, "", "there are too many fields", err);
    SK_TRY(keep(loader, &memory, count, sizeof(struct sk_field), err));

    struct sk_field *fields = memory;

    for (size_t i = 0; i < count; i++) {
        SK_TRY(load_field(loader, &fields[i], json_array_get(json, i), level, err));
        if (form_find_field(fields, i, fields[i].name))
            return broken(loader, fields[i].name, "there are two of this name", err);
    }
    for (size_t i = 0; i < count; i++) {
        if (!unless_fits(loader, &fields[i], fields, count))
            return broken(loader, fields[i].name, "what may stand in for it is not there", err);
    }
    *out = fields;
    *out_count = count;
    return SK_OK;
}

enum sk_status form_load(struct form_loader *loader, struct sk_form *out, json_t *source,
                         const json_t *fields, struct sk_error *err)
{
    void *nothing = NULL;

    SK_TRY(keep(loader, &nothing, 0, 0, err));
    loader->chunks->source = json_incref(source);
    loader->fields = 0;
    return load_fields(loader, &out->fields, &out->field_count, fields, 1, err);
}
