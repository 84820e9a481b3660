#include "cli/ask.h"

#include "cli/print.h"
#include "cli/prompt.h"
#include "core/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PATH_LEN_MAX 256

/* The record while it is asked for. */
struct asking {
    const struct sk_form *form;
    json_t *fields;
    bool done; /* "?done": no further questions */
};

/* A field, or the group or entry that holds it, by its way down from the record. */
struct place {
    char path[PATH_LEN_MAX]; /* "posts.0." before the name; "" at the top */
    unsigned depth;
};

static const char special_answers[] =
    "  (an empty line)  pass over, or keep what is there\n"
    "  ?unknown         the answer is not known\n"
    "  ?refused         the person refused to say\n"
    "  ?not asked       the question was not asked\n"
    "  ?clear           take out what is there\n"
    "  ?long            write several lines, ended by a line of a single dot or by Ctrl-D\n"
    "  ?done            ask no further, go to the summary\n"
    "  ??text           a text that begins with ?: write one more\n"
    "  Ctrl-D           at a question: stop and save nothing\n";

/* What stands at a path such as "posts.0.body", or NULL. */
static json_t *value_at(json_t *fields, const char *path)
{
    char name[PATH_LEN_MAX];
    json_t *value = fields;

    while (value && *path) {
        size_t len = strcspn(path, ".");

        (void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
        value = json_is_array(value) ? json_array_get(value, strtoul(name, NULL, 10))
                                     : json_object_get(value, name);
        path += len + (path[len] == '.');
    }
    return value;
}

static bool path_of(char out[static PATH_LEN_MAX], const struct place *place, const char *name)
{
    int len = snprintf(out, PATH_LEN_MAX, "%s%s", place->path, name);

    return len > 0 && len < PATH_LEN_MAX;
}

/* Fields for a story rather than a line. Deeper down a line is the rule, "?long" the exception. */
static bool is_long(const struct sk_field *field, const struct place *place)
{
    return field->type == SK_FIELD_TEXT && place->depth == 0 &&
           (strcmp(field->name, "text") == 0 || strcmp(field->name, "description") == 0 ||
            strcmp(field->name, "notes") == 0);
}

static void say_indent(const struct place *place)
{
    sk_prompt_say("%*s", (int)place->depth * 4, "");
}

/* Text from a form or a record, made safe for the terminal. */
static enum sk_status say_text(const char *before, const char *text, const char *after,
                               unsigned indent, struct sk_error *err)
{
    sk_auto_buf shown = SK_BUF_INIT;

    SK_TRY(sk_text_show(&shown, text, strlen(text), true, indent, err));
    sk_prompt_say("%s%s%s", before, sk_buf_text(&shown), after);
    return SK_OK;
}

static enum sk_status say_present(const struct sk_field *field, const json_t *value,
                                  const struct place *place, struct sk_error *err)
{
    unsigned indent = place->depth * 4 + 4;
    sk_auto_buf text = SK_BUF_INIT;

    if (!value)
        return SK_OK;
    SK_TRY(sk_form_value_text(&text, field, value, err));
    sk_prompt_say("%*s", (int)indent, "");
    return say_text("now: ", sk_buf_text(&text), "\n", indent + 5, err);
}

/* The label with its type, hint and choices, and what the field holds now. */
static enum sk_status say_field(const struct sk_field *field, const json_t *value,
                                const struct place *place, struct sk_error *err)
{
    say_indent(place);
    sk_prompt_say("%s", field->label);
    if (field->type != SK_FIELD_TEXT)
        sk_prompt_say(" [%s]", sk_field_type_name(field->type));
    if (field->required)
        sk_prompt_say(" (required)");
    if (field->hint[0])
        sk_prompt_say(" - %s", field->hint);
    sk_prompt_say("\n");
    for (size_t i = 0; i < field->choice_count; i++) {
        say_indent(place);
        sk_prompt_say("  %2zu  %s\n", i + 1, field->choices[i].label);
    }
    if (field->type == SK_FIELD_CHOICES) {
        say_indent(place);
        sk_prompt_say("  (several numbers with commas)\n");
    }
    return say_present(field, value, place, err);
}

/* Replaces numbers of choices by their names: "1, 3" becomes "victim,witness". */
static enum sk_status number_to_choice(struct sk_buf *out, const struct sk_field *field,
                                       const char *answer, struct sk_error *err)
{
    bool several = field->type == SK_FIELD_CHOICES;
    const char *at = answer;

    for (;;) {
        size_t len = several ? strcspn(at, ",") : strlen(at);
        size_t spaces = strspn(at, " ");
        char number[8] = "";
        uint64_t index;

        if (spaces < len && len - spaces < sizeof(number))
            (void)snprintf(number, sizeof(number), "%.*s", (int)(len - spaces), at + spaces);
        number[strcspn(number, " ")] = '\0';
        if (number[0] >= '1' && number[0] <= '9' && (index = strtoul(number, NULL, 10)) > 0 &&
            index <= field->choice_count)
            SK_TRY(sk_buf_add_text(out, field->choices[index - 1].name, err));
        else
            SK_TRY(sk_buf_add(out, at, len, err));
        if (at[len] == '\0')
            return SK_OK;
        SK_TRY(sk_buf_add_byte(out, ',', err));
        at += len + 1;
    }
}

/* Lines up to one of a single dot, or to Ctrl-D. */
static enum sk_status ask_lines(struct sk_buf *out, struct sk_error *err)
{
    sk_auto_buf line = SK_BUF_INIT;
    bool ended = false;

    for (;;) {
        SK_TRY(sk_prompt_text_line(&line, "| ", &ended, err));
        if (ended || strcmp(sk_buf_text(&line), ".") == 0)
            return SK_OK;
        if (out->len > 0)
            SK_TRY(sk_buf_add_byte(out, '\n', err));
        SK_TRY(sk_buf_add(out, line.bytes, line.len, err));
    }
}

/* The rest of a long text whose first line is already in `answer`. */
static enum sk_status ask_more_lines(struct sk_buf *answer, bool first, struct sk_error *err)
{
    sk_auto_buf more = SK_BUF_INIT;

    if (!first)
        sk_buf_reset(answer);
    SK_TRY(ask_lines(&more, err));
    if (more.len > 0 && first)
        SK_TRY(sk_buf_add_byte(answer, '\n', err));
    return sk_buf_add(answer, more.bytes ? more.bytes : (const uint8_t *)"", more.len, err);
}

/* What one answer led to. */
enum answered {
    ANSWER_TAKEN,
    ANSWER_AGAIN,
};

static enum sk_status set_value(struct asking *asking, const struct sk_field *field,
                                const char *path, const char *answer, enum answered *what,
                                struct sk_error *err)
{
    struct sk_error reason = SK_ERROR_INIT;
    sk_auto_buf value = SK_BUF_INIT;

    if (field->choice_count > 0)
        SK_TRY(number_to_choice(&value, field, answer, err));
    else
        SK_TRY(sk_buf_add_text(&value, answer, err));
    *what = ANSWER_TAKEN;
    if (sk_form_set(asking->form, asking->fields, path, sk_buf_text(&value), &reason) == SK_OK)
        return SK_OK;
    if (reason.status == SK_NOMEM)
        return sk_fail_status(err, SK_NOMEM);
    *what = ANSWER_AGAIN;
    if (field->choice_count > 0 && answer[0] != '?') {
        sk_prompt_say(field->type == SK_FIELD_CHOICES
                          ? "    Please give numbers from 1 to %zu, with commas between them.\n"
                          : "    Please give a number from 1 to %zu.\n",
                      field->choice_count);
        return SK_OK;
    }
    return say_text("    ", reason.text, ".\n", 4, err);
}

/* Whether a required field may stay empty: something else may stand in for it, checked at the end.
 */
static bool may_skip(const struct sk_field *field, const json_t *value)
{
    return !field->required || field->unless || value;
}

/* Whether an answer that begins with ? is none of those that sk_form_set() and take_answer() know.
 */
static bool is_unknown_answer(const char *text)
{
    static const char *const known[] = {"?unknown", "?refused", "?not asked",
                                        "?clear",   "?long",    "?done"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(text, known[i]) == 0)
            return false;
    }
    return text[0] == '?' && text[1] != '?';
}

/* Takes one answer that is not empty. */
static enum sk_status take_answer(struct asking *asking, const struct sk_field *field,
                                  const struct place *place, const char *path,
                                  struct sk_buf *answer, enum answered *what, struct sk_error *err)
{
    const char *text = sk_buf_text(answer);

    *what = ANSWER_AGAIN;
    if (strcmp(text, "?") == 0) {
        sk_prompt_say("%s", special_answers);
        return SK_OK;
    }
    if (is_unknown_answer(text)) {
        sk_prompt_say("    There is no such answer. These are known:\n%s", special_answers);
        return SK_OK;
    }
    if (strcmp(text, "?done") == 0) {
        asking->done = true;
        *what = ANSWER_TAKEN;
        return SK_OK;
    }
    if (strcmp(text, "?clear") == 0)
        return set_value(asking, field, path, "", what, err);
    bool doubled = text[0] == '?' && text[1] == '?';

    if (field->type == SK_FIELD_TEXT && strcmp(text, "?long") == 0)
        SK_TRY(ask_more_lines(answer, false, err));
    else if ((text[0] != '?' || doubled) && is_long(field, place))
        SK_TRY(ask_more_lines(answer, true, err));
    return set_value(asking, field, path, sk_buf_text(answer) + (doubled ? 1 : 0), what, err);
}

static enum sk_status ask_value(struct asking *asking, const struct sk_field *field,
                                const struct place *place, struct sk_error *err)
{
    sk_auto_buf answer = SK_BUF_INIT;
    char path[PATH_LEN_MAX];
    char question[96];
    enum answered what = ANSWER_AGAIN;

    if (!path_of(path, place, field->name))
        return SK_OK;
    SK_TRY(say_field(field, value_at(asking->fields, path), place, err));
    (void)snprintf(question, sizeof(question), "%*s%s> ", (int)place->depth * 4, "",
                   is_long(field, place) ? "(ends with a line of a single dot, or Ctrl-D) " : "");
    while (what == ANSWER_AGAIN) {
        SK_TRY(sk_prompt_line(&answer, question, err));
        if (answer.len > 0) {
            SK_TRY(take_answer(asking, field, place, path, &answer, &what, err));
            continue;
        }
        if (may_skip(field, value_at(asking->fields, path)))
            return SK_OK;
        sk_prompt_say("    This has to be filled in; ?unknown, ?refused and ?not asked are "
                      "answers too.\n");
    }
    return SK_OK;
}

static enum sk_status ask_all(struct asking *asking, const struct sk_field *fields, size_t count,
                              const struct place *place, struct sk_error *err);

/* A yes-or-no question about a group or repeat that also takes the special answers. */
static enum sk_status ask_into(struct asking *asking, const struct sk_field *field,
                               const struct place *place, const char *path, const char *question,
                               bool *yes, struct sk_error *err)
{
    sk_auto_buf answer = SK_BUF_INIT;
    char line[PATH_LEN_MAX];

    (void)snprintf(line, sizeof(line), "%*s%s: %s [y/N] ", (int)place->depth * 4, "", field->label,
                   question);
    for (*yes = false;;) {
        enum answered what = ANSWER_TAKEN;

        SK_TRY(sk_prompt_line(&answer, line, err));

        const char *text = sk_buf_text(&answer);

        if (text[0] == '\0' || strcasecmp(text, "n") == 0 || strcasecmp(text, "no") == 0)
            return SK_OK;
        *yes = strcasecmp(text, "y") == 0 || strcasecmp(text, "yes") == 0;
        if (*yes)
            return SK_OK;
        if (text[0] == '?')
            SK_TRY(take_answer(asking, field, place, path, &answer, &what, err));
        else
            what = ANSWER_AGAIN;
        if (what == ANSWER_TAKEN)
            return SK_OK;
        if (text[0] != '?')
            sk_prompt_say("Answer y or n, or ? for the other answers.\n");
    }
}

static enum sk_status ask_group(struct asking *asking, const struct sk_field *field,
                                const struct place *place, struct sk_error *err)
{
    struct place inside = {"", place->depth + 1};
    char path[PATH_LEN_MAX];
    bool yes = false;

    if (!path_of(path, place, field->name) ||
        snprintf(inside.path, PATH_LEN_MAX, "%s%s.", place->path, field->name) >= PATH_LEN_MAX)
        return SK_OK;
    if (field->hint[0]) {
        say_indent(place);
        sk_prompt_say("%s\n", field->hint);
    }
    SK_TRY(ask_into(asking, field, place, path,
                    value_at(asking->fields, path) ? "change?" : "fill in?", &yes, err));
    return yes ? ask_all(asking, field->fields, field->field_count, &inside, err) : SK_OK;
}

static enum sk_status ask_entry(struct asking *asking, const struct sk_field *field,
                                const struct place *place, size_t index, struct sk_error *err)
{
    struct place inside = {"", place->depth + 1};

    if (snprintf(inside.path, PATH_LEN_MAX, "%s%s.%zu.", place->path, field->name, index) >=
        PATH_LEN_MAX)
        return SK_OK;
    say_indent(place);
    sk_prompt_say("%s, %zu\n", field->label, index + 1);
    return ask_all(asking, field->fields, field->field_count, &inside, err);
}

static enum sk_status ask_repeat(struct asking *asking, const struct sk_field *field,
                                 const struct place *place, struct sk_error *err)
{
    char path[PATH_LEN_MAX];
    bool yes = false;

    if (!path_of(path, place, field->name))
        return SK_OK;

    size_t count = json_array_size(value_at(asking->fields, path));

    if (field->hint[0]) {
        say_indent(place);
        sk_prompt_say("%s\n", field->hint);
    }
    if (count > 0)
        SK_TRY(ask_into(asking, field, place, path, "change what is there?", &yes, err));
    for (size_t i = 0; yes && i < count && !asking->done; i++)
        SK_TRY(ask_entry(asking, field, place, i, err));
    while (!asking->done) {
        count = json_array_size(value_at(asking->fields, path));
        SK_TRY(ask_into(asking, field, place, path, count > 0 ? "add another?" : "add one?", &yes,
                        err));
        if (!yes)
            return SK_OK;
        SK_TRY(ask_entry(asking, field, place, count, err));
    }
    return SK_OK;
}

static enum sk_status ask_all(struct asking *asking, const struct sk_field *fields, size_t count,
                              const struct place *place, struct sk_error *err)
{
    for (size_t i = 0; i < count && !asking->done; i++) {
        if (fields[i].type == SK_FIELD_GROUP)
            SK_TRY(ask_group(asking, &fields[i], place, err));
        else if (fields[i].type == SK_FIELD_REPEAT)
            SK_TRY(ask_repeat(asking, &fields[i], place, err));
        else
            SK_TRY(ask_value(asking, &fields[i], place, err));
    }
    return SK_OK;
}

/* A field that is required and lacks, and after it the one that can stand in for it. */
static enum sk_status ask_lacking(struct asking *asking, const struct sk_field *field,
                                  struct sk_error *err)
{
    const struct place top = {"", 0};
    const struct sk_field *other =
        field->unless ? sk_form_field(asking->form, field->unless) : NULL;

    SK_TRY(ask_value(asking, field, &top, err));
    if (!other || json_object_get(asking->fields, field->name))
        return SK_OK;
    return ask_value(asking, other, &top, err);
}

/* "?done" and a stand-in left empty may have passed over what the form insists on. */
static enum sk_status ask_required(struct asking *asking, struct sk_error *err)
{
    struct sk_error reason = SK_ERROR_INIT;

    while (sk_form_check(asking->form, asking->fields, &reason) != SK_OK) {
        if (reason.status == SK_NOMEM)
            return sk_fail_status(err, SK_NOMEM);
        SK_TRY(say_text("", reason.text, ".\n", 0, err));
        sk_error_clear(&reason);
        asking->done = false;
        for (size_t i = 0; i < asking->form->field_count; i++) {
            const struct sk_field *field = &asking->form->fields[i];

            if (field->required && !json_object_get(asking->fields, field->name))
                SK_TRY(ask_lacking(asking, field, err));
        }
    }
    return SK_OK;
}

/* Every question, and the summary; *save is the answer to it. */
static enum sk_status ask_round(struct asking *asking, bool *save, struct sk_error *err)
{
    const struct sk_form *form = asking->form;
    const struct place top = {"", 0};
    sk_auto_buf shown = SK_BUF_INIT;

    asking->done = false;
    SK_TRY(ask_all(asking, form->fields, form->field_count, &top, err));
    SK_TRY(ask_required(asking, err));
    SK_TRY(sk_fields_show(&shown, form->fields, form->field_count, asking->fields, 4, err));
    sk_prompt_say("\n%s\n%s\n", form->label, sk_buf_text(&shown));
    return sk_prompt_yes(save, "Save this? [Y/n] ", true, err);
}

enum sk_status sk_ask_fields(const struct sk_form *form, json_t *fields, struct sk_error *err)
{
    struct asking asking = {form, fields, false};
    bool save = false;
    bool discard = false;

    sk_prompt_say("%s. An empty line passes a field over, ? lists the other answers, Ctrl-D stops "
                  "and saves nothing.\n\n",
                  form->label);
    for (;;) {
        SK_TRY(ask_round(&asking, &save, err));
        if (save)
            return SK_OK;
        SK_TRY(sk_prompt_yes(&discard, "Throw away what was typed? [y/N] ", false, err));
        if (discard)
            return sk_prompt_cancel(err);
        sk_prompt_say("\nOnce more from the first field; an empty line keeps what is there.\n\n");
    }
}
