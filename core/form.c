#include "core/form.h"

#include "core/embed.h"
#include "core/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEN_MAX 40 /* of a field or choice */
#define LEVELS_MAX   6  /* groups in groups */

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

static bool is_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return len > 0 && len <= NAME_LEN_MAX && name[len] == '\0';
}

static const struct sk_field *find_field(const struct sk_field *fields, size_t count,
                                         const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

static const struct sk_choice *find_choice(const struct sk_field *field, const char *name)
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
            !is_name(choice.name) || strchr(choice.label, ',') || find_choice(field, choice.name))
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
    if (i == TYPE_COUNT || !is_name(out->name) || strcmp(out->name, "missing") == 0 ||
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
        if (find_field(fields, i, fields[i].name))
            return broken(fields[i].name, err);
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].unless && !find_field(fields, count, fields[i].unless))
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
    return find_field(form->fields, form->field_count, name);
}

/* ---- places and words ---- */

/* Where in a record a value stands: "acts.0.victim". */
struct place {
    const struct place *up;
    const char *name; /* NULL: an entry of a repeat */
    size_t index;
};

static void place_add(char *text, size_t room, const struct place *place)
{
    if (place->up)
        place_add(text, room, place->up);

    size_t len = strlen(text);
    const char *dot = len > 0 ? "." : "";

    if (place->name)
        (void)snprintf(text + len, room - len, "%s%s", dot, place->name);
    else
        (void)snprintf(text + len, room - len, "%s%zu", dot, place->index);
}

static enum sk_status fail_at(const struct place *place, enum sk_status status,
                              const char *sentence, struct sk_error *err)
{
    char text[160] = "";

    place_add(text, sizeof(text), place);
    return sk_fail(err, status, "%s: %s", text, sentence);
}

/* How many letters have to be added, taken away or changed to make one name of another. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NAME_LEN_MAX + 1] = {0};
    size_t columns = strlen(b);

    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (; *a != '\0'; a++) {
        size_t corner = row[0]++;

        for (size_t j = 0; j < columns; j++) {
            size_t best = corner + (*a != b[j]);

            corner = row[j + 1];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            row[j + 1] = corner + 1 < best ? corner + 1 : best;
        }
    }
    return row[columns];
}

/*
 * An unknown name is repeated in the words only when it looks like a field's: anything else may be
 * a value that slipped into the wrong place, or an attack on the terminal.
 */
static enum sk_status unknown_field(const struct sk_field *fields, size_t count, const char *name,
                                    const struct place *up, enum sk_status status,
                                    struct sk_error *err)
{
    struct place place = {up, is_name(name) ? name : "?", 0};
    size_t limit = (strlen(name) + 1) / 3 + 1; /* where nearness ends */
    char sentence[100] = "there is no such field";

    for (size_t i = 0; is_name(name) && i < count; i++) {
        size_t distance = edit_distance(name, fields[i].name);

        if (distance < limit && distance < strlen(name)) {
            (void)snprintf(sentence, sizeof(sentence), "there is no such field, did you mean %s?",
                           fields[i].name);
            limit = distance;
        }
    }
    return fail_at(&place, status, sentence, err);
}

/* "takes one of female, male, other". */
static enum sk_status wrong_choice(const struct sk_field *field, const struct place *place,
                                   struct sk_error *err)
{
    char sentence[200];

    (void)snprintf(sentence, sizeof(sentence), "takes %s of",
                   field->type == SK_FIELD_CHOICES ? "any" : "one");
    for (size_t i = 0; i < field->choice_count; i++) {
        size_t len = strlen(sentence);

        if (len + strlen(field->choices[i].name) + strlen(", , ...") >= sizeof(sentence)) {
            (void)snprintf(sentence + len, sizeof(sentence) - len, ", ...");
            break;
        }
        (void)snprintf(sentence + len, sizeof(sentence) - len, "%s%s", i == 0 ? " " : ", ",
                       field->choices[i].name);
    }
    return fail_at(place, SK_REFUSED, sentence, err);
}

/* ---- checking ---- */

static const char *const missing_answers[] = {"unknown", "refused", "not asked"};
#define MISSING_COUNT (sizeof(missing_answers) / sizeof(missing_answers[0]))

/* The special answer that a value is, or NULL. */
static const char *missing_answer(const json_t *value)
{
    const char *answer = json_string_value(json_object_get(value, "missing"));

    for (size_t i = 0; answer && json_object_size(value) == 1 && i < MISSING_COUNT; i++) {
        if (strcmp(answer, missing_answers[i]) == 0)
            return missing_answers[i];
    }
    return NULL;
}

static bool is_blank(const json_t *value)
{
    const char *text = json_string_value(value);

    if (text)
        return text[strspn(text, " \t\r\n")] == '\0';
    return !value || ((json_is_array(value) || json_is_object(value)) &&
                      json_array_size(value) + json_object_size(value) == 0);
}

static enum sk_status check_fields(const struct sk_field *fields, size_t count,
                                   const json_t *object, const struct place *up,
                                   struct sk_error *err);

static enum sk_status check_choices(const struct sk_field *field, const json_t *value,
                                    const struct place *place, struct sk_error *err)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *name = json_string_value(json_array_get(value, i));

        if (!find_choice(field, name))
            return wrong_choice(field, place, err);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(json_string_value(json_array_get(value, j)), name) == 0)
                return fail_at(place, SK_REFUSED, "the same choice stands twice", err);
        }
    }
    return SK_OK;
}

static enum sk_status check_repeat(const struct sk_field *field, const json_t *value,
                                   const struct place *up, struct sk_error *err)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct place place = {up, NULL, i};

        if (!json_is_object(json_array_get(value, i)))
            return fail_at(&place, SK_REFUSED, "takes a group of fields", err);
        SK_TRY(
            check_fields(field->fields, field->field_count, json_array_get(value, i), &place, err));
    }
    return SK_OK;
}

static bool is_string_type(enum sk_field_type type)
{
    return type == SK_FIELD_TEXT || type == SK_FIELD_DATE || type == SK_FIELD_TIME ||
           type == SK_FIELD_DATETIME || type == SK_FIELD_CHOICE;
}

/* The value of a type that is a string in JSON. */
static enum sk_status check_text(const struct sk_field *field, const json_t *value,
                                 const struct place *place, struct sk_error *err)
{
    const char *text = json_string_value(value);
    struct sk_error reason = SK_ERROR_INIT;
    enum sk_status status = SK_OK;

    if (!sk_text_valid(text, json_string_length(value)))
        return fail_at(place, SK_REFUSED, "the text is not UTF-8", err);
    if (field->type == SK_FIELD_CHOICE)
        return find_choice(field, text) ? SK_OK : wrong_choice(field, place, err);
    if (field->type == SK_FIELD_DATE)
        status = sk_date_check(text, &reason);
    else if (field->type == SK_FIELD_TIME)
        status = sk_time_check(text, &reason);
    else if (field->type == SK_FIELD_DATETIME)
        status = sk_datetime_check(text, &reason);
    return status == SK_OK ? SK_OK : fail_at(place, status, reason.text, err);
}

static enum sk_status check_value(const struct sk_field *field, const json_t *value,
                                  const struct place *place, struct sk_error *err)
{
    char sentence[64];
    bool choosing = field->type == SK_FIELD_CHOICE || field->type == SK_FIELD_CHOICES;

    if (missing_answer(value))
        return SK_OK;
    if (field->type == SK_FIELD_GROUP && json_is_object(value))
        return check_fields(field->fields, field->field_count, value, place, err);
    if (field->type == SK_FIELD_REPEAT && json_is_array(value))
        return check_repeat(field, value, place, err);
    if (field->type == SK_FIELD_CHOICES && json_is_array(value))
        return check_choices(field, value, place, err);
    if (field->type == SK_FIELD_INTEGER && json_is_integer(value))
        return SK_OK;
    if (field->type == SK_FIELD_DECIMAL && json_is_number(value) &&
        isfinite(json_number_value(value)))
        return SK_OK;
    if (json_is_string(value) && is_string_type(field->type))
        return check_text(field, value, place, err);
    (void)snprintf(sentence, sizeof(sentence), "takes %s%s",
                   choosing || field->type == SK_FIELD_TEXT ? "" : "a ",
                   type_names[field->type][1]);
    return fail_at(place, SK_REFUSED, sentence, err);
}

static enum sk_status check_fields(const struct sk_field *fields, size_t count,
                                   const json_t *object, const struct place *up,
                                   struct sk_error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach(sk_json_plain(object), name, value)
    {
        const struct sk_field *field = find_field(fields, count, name);

        if (!field)
            return unknown_field(fields, count, name, up, SK_REFUSED, err);
        SK_TRY(check_value(field, value, &(struct place){up, name, 0}, err));
    }
    for (size_t i = 0; i < count; i++) {
        const char *unless = fields[i].unless;
        struct place place = {up, fields[i].name, 0};
        char sentence[100] = "has to be filled in";

        if (!fields[i].required || !is_blank(json_object_get(object, fields[i].name)) ||
            (unless && !is_blank(json_object_get(object, unless))))
            continue;
        if (unless)
            (void)snprintf(sentence, sizeof(sentence), "this or %s has to be filled in", unless);
        return fail_at(&place, SK_REFUSED, sentence, err);
    }
    return SK_OK;
}

enum sk_status sk_form_check(const struct sk_form *form, const json_t *fields, struct sk_error *err)
{
    if (!json_is_object(fields))
        return sk_fail(err, SK_REFUSED, "a record is a JSON object");
    return check_fields(form->fields, form->field_count, fields, NULL, err);
}

/* ---- setting from text ---- */

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
                                   const struct place *place, struct sk_error *err)
{
    size_t digits = strspn(text + (*text == '-'), "0123456789") + (*text == '-');

    if (field->type == SK_FIELD_DECIMAL) {
        /* JSON's own form of a number, without its exponents. */
        if (text[digits + strspn(text + digits, ".0123456789")] != '\0' ||
            sk_json_parse(out, text, strlen(text), NULL) != SK_OK)
            return fail_at(place, SK_REFUSED, "takes a number, such as 12.5", err);
        return SK_OK;
    }
    errno = 0;

    long long value = strtoll(text, NULL, 10);

    if (digits == (*text == '-') || text[digits] != '\0')
        return fail_at(place, SK_REFUSED, "takes a whole number", err);
    if (errno == ERANGE)
        return fail_at(place, SK_REFUSED, "the number is too large", err);
    *out = json_integer(value);
    return out_of_memory_unless(*out, err);
}

/* What a person wrote for a field; it is checked afterwards. */
static enum sk_status parse_value(json_t **out, const struct sk_field *field, const char *text,
                                  const struct place *place, struct sk_error *err)
{
    struct sk_error reason = SK_ERROR_INIT;

    for (size_t i = 0; i < MISSING_COUNT; i++) {
        if (text[0] == '?' && strcmp(text + 1, missing_answers[i]) == 0) {
            *out = json_pack("{s:s}", "missing", missing_answers[i]);
            return out_of_memory_unless(*out, err);
        }
    }
    if (field->type == SK_FIELD_CHOICES)
        return parse_choices(out, field, text, err);
    if (field->type == SK_FIELD_INTEGER || field->type == SK_FIELD_DECIMAL)
        return parse_number(out, field, text, place, err);
    if (field->type == SK_FIELD_GROUP || field->type == SK_FIELD_REPEAT) {
        if (sk_json_parse(out, text, strlen(text), &reason) != SK_OK)
            return fail_at(place, reason.status, reason.text, err);
        return SK_OK;
    }
    if (!sk_text_valid(text, strlen(text)))
        return fail_at(place, SK_REFUSED, "the text is not UTF-8", err);
    *out = json_string(field->type == SK_FIELD_CHOICE ? choice_named(field, text, strlen(text))
                                                      : text);
    return out_of_memory_unless(*out, err);
}

static enum sk_status update(json_t **out, const struct sk_field *field, json_t *old,
                             const char *path, const char *text, const struct place *place,
                             struct sk_error *err);

/* Writes what `update` made of one field into the object that holds it. */
static enum sk_status update_field(const struct sk_field *fields, size_t count, json_t *object,
                                   const char *path, const char *text, const struct place *up,
                                   struct sk_error *err)
{
    char name[NAME_LEN_MAX + 2];
    size_t len = strcspn(path, ".");
    sk_auto_json value = NULL;

    (void)snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name)),
                   path);

    const struct sk_field *field = find_field(fields, count, name);

    if (!field)
        return unknown_field(fields, count, name, up, SK_USAGE, err);
    SK_TRY(update(&value, field, json_object_get(object, field->name),
                  path[len] == '.' ? path + len + 1 : NULL, text,
                  &(struct place){up, field->name, 0}, err));
    if (value)
        return json_object_set(object, field->name, value) == 0 ? SK_OK
                                                                : sk_fail_status(err, SK_NOMEM);
    (void)json_object_del(object, field->name);
    return SK_OK;
}

/* The same for one entry of a repeat: "0.name"; one more than there are is a new entry. */
static enum sk_status update_entry(const struct sk_field *field, json_t *array, const char *path,
                                   const char *text, const struct place *up, struct sk_error *err)
{
    size_t digits = strspn(path, "0123456789");
    size_t index = strtoul(path, NULL, 10);
    size_t count = json_array_size(array);

    if (digits == 0 || digits > 6 || path[digits] != '.' || index > count)
        return fail_at(up, SK_USAGE,
                       "write the number of an entry and a field, such as 0.name; 0 is the first, "
                       "the next number makes a new entry",
                       err);

    sk_auto_json entry = index < count ? json_copy(json_array_get(array, index)) : json_object();

    SK_TRY(out_of_memory_unless(entry, err));
    SK_TRY(update_field(field->fields, field->field_count, entry, path + digits + 1, text,
                        &(struct place){up, NULL, index}, err));
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
                             const char *path, const char *text, const struct place *place,
                             struct sk_error *err)
{
    bool group = field->type == SK_FIELD_GROUP;
    sk_auto_json value = NULL;

    if (path && !group && field->type != SK_FIELD_REPEAT)
        return fail_at(place, SK_USAGE, "there are no fields inside this one", err);
    if (!path && text[0] == '\0')
        return SK_OK;
    if (!path) {
        SK_TRY(parse_value(&value, field, text, place, err));
        SK_TRY(check_value(field, value, place, err));
    } else if (group) {
        value = json_is_object(old) && !missing_answer(old) ? json_copy(old) : json_object();
        SK_TRY(out_of_memory_unless(value, err));
        SK_TRY(update_field(field->fields, field->field_count, value, path, text, place, err));
    } else {
        value = json_is_array(old) ? json_copy(old) : json_array();
        SK_TRY(out_of_memory_unless(value, err));
        SK_TRY(update_entry(field, value, path, text, place, err));
    }
    /* Taking a field out of what is not there leaves nothing behind. */
    *out = path && is_blank(value) ? NULL : json_incref(value);
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
    const struct sk_choice *choice = find_choice(field, name);

    return choice ? choice->label : name;
}

enum sk_status sk_form_value_text(struct sk_buf *out, const struct sk_field *field,
                                  const json_t *value, struct sk_error *err)
{
    const char *missing = missing_answer(value);
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

    if (is_blank(value) || !json_is_string(value))
        value = title && title->unless ? json_object_get(fields, title->unless) : NULL;
    return json_is_string(value) ? json_string_value(value) : "";
}
