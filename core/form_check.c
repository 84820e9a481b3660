/* Whether the fields of a record are what its form says. */
#include "core/form_internal.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- places and words ---- */

static void place_add(char *text, size_t room, const struct form_place *place)
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

enum sk_status form_fail_at(const struct form_place *place, enum sk_status status,
                            const char *sentence, struct sk_error *err)
{
    char text[160] = "";

    place_add(text, sizeof(text), place);
    return sk_fail(err, status, "%s: %s", text, sentence);
}

/* How many letters have to be added, taken away or changed to make one name of another. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[FORM_NAME_MAX + 1] = {0};
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
enum sk_status form_unknown_field(const struct sk_field *fields, size_t count, const char *name,
                                  const struct form_place *up, enum sk_status status,
                                  struct sk_error *err)
{
    struct form_place place = {up, form_is_name(name) ? name : "?", 0};
    size_t limit = (strlen(name) + 1) / 3 + 1; /* where nearness ends */
    char sentence[100] = "there is no such field";

    for (size_t i = 0; form_is_name(name) && i < count; i++) {
        size_t distance = edit_distance(name, fields[i].name);

        if (distance < limit && distance < strlen(name)) {
            (void)snprintf(sentence, sizeof(sentence), "there is no such field, did you mean %s?",
                           fields[i].name);
            limit = distance;
        }
    }
    return form_fail_at(&place, status, sentence, err);
}

/* "takes one of female, male, other". */
static enum sk_status wrong_choice(const struct sk_field *field, const struct form_place *place,
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
    return form_fail_at(place, SK_REFUSED, sentence, err);
}

/* ---- checking ---- */

const char *form_missing_named(const char *text)
{
    static const char *const answers[] = {"unknown", "refused", "not asked"};

    for (size_t i = 0; text && i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (strcmp(text, answers[i]) == 0)
            return answers[i];
    }
    return NULL;
}

const char *form_missing_answer(const json_t *value)
{
    return json_object_size(value) == 1
               ? form_missing_named(json_string_value(json_object_get(value, "missing")))
               : NULL;
}

bool form_is_blank(const json_t *value)
{
    const char *text = json_string_value(value);

    if (text)
        return text[strspn(text, " \t\r\n")] == '\0';
    return !value || ((json_is_array(value) || json_is_object(value)) &&
                      json_array_size(value) + json_object_size(value) == 0);
}

static enum sk_status check_fields(const struct sk_field *fields, size_t count,
                                   const json_t *object, const struct form_place *up,
                                   struct sk_error *err);

static enum sk_status check_choices(const struct sk_field *field, const json_t *value,
                                    const struct form_place *place, struct sk_error *err)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *name = json_string_value(json_array_get(value, i));

        if (!form_find_choice(field, name))
            return wrong_choice(field, place, err);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(json_string_value(json_array_get(value, j)), name) == 0)
                return form_fail_at(place, SK_REFUSED, "the same choice stands twice", err);
        }
    }
    return SK_OK;
}

static enum sk_status check_repeat(const struct sk_field *field, const json_t *value,
                                   const struct form_place *up, struct sk_error *err)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct form_place place = {up, NULL, i};

        if (!json_is_object(json_array_get(value, i)))
            return form_fail_at(&place, SK_REFUSED, "takes a group of fields", err);
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
                                 const struct form_place *place, struct sk_error *err)
{
    const char *text = json_string_value(value);
    struct sk_error reason = SK_ERROR_INIT;
    enum sk_status status = SK_OK;

    if (!sk_text_valid(text, json_string_length(value)))
        return form_fail_at(place, SK_REFUSED, "the text is not UTF-8", err);
    if (field->type == SK_FIELD_CHOICE)
        return form_find_choice(field, text) ? SK_OK : wrong_choice(field, place, err);
    if (field->type == SK_FIELD_DATE)
        status = sk_date_check(text, &reason);
    else if (field->type == SK_FIELD_TIME)
        status = sk_time_check(text, &reason);
    else if (field->type == SK_FIELD_DATETIME)
        status = sk_datetime_check(text, &reason);
    return status == SK_OK ? SK_OK : form_fail_at(place, status, reason.text, err);
}

enum sk_status form_check_value(const struct sk_field *field, const json_t *value,
                                const struct form_place *place, struct sk_error *err)
{
    char sentence[64];
    bool choosing = field->type == SK_FIELD_CHOICE || field->type == SK_FIELD_CHOICES;

    if (form_missing_answer(value))
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
                   sk_field_type_name(field->type));
    return form_fail_at(place, SK_REFUSED, sentence, err);
}

static enum sk_status check_fields(const struct sk_field *fields, size_t count,
                                   const json_t *object, const struct form_place *up,
                                   struct sk_error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach(sk_json_plain(object), name, value)
    {
        const struct sk_field *field = form_find_field(fields, count, name);

        if (!field)
            return form_unknown_field(fields, count, name, up, SK_REFUSED, err);
        SK_TRY(form_check_value(field, value, &(struct form_place){up, name, 0}, err));
    }
    for (size_t i = 0; i < count; i++) {
        const char *unless = fields[i].unless;
        struct form_place place = {up, fields[i].name, 0};
        char sentence[100] = "has to be filled in";

        if (!fields[i].required || !form_is_blank(json_object_get(object, fields[i].name)) ||
            (unless && !form_is_blank(json_object_get(object, unless))))
            continue;
        if (unless)
            (void)snprintf(sentence, sizeof(sentence), "this or %s has to be filled in", unless);
        return form_fail_at(&place, SK_REFUSED, sentence, err);
    }
    return SK_OK;
}

enum sk_status sk_form_check(const struct sk_form *form, const json_t *fields, struct sk_error *err)
{
    if (!json_is_object(fields))
        return sk_fail(err, SK_REFUSED, "a record is a JSON object");
    return check_fields(form->fields, form->field_count, fields, NULL, err);
}
