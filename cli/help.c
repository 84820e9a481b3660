#include "cli/help.h"

#include "cli/print.h"

#include <string.h>

#define SUMMARY_COLUMN 14
#define OPTION_COLUMN  26
#define USAGE_COLUMN   7
#define WIDTH          79 /* of 80 columns; the last one makes some terminals begin a line */

/* Lines on their way. */
struct lines {
    FILE *out;
    int used;   /* columns of the line */
    int indent; /* where further ones begin */
};

/* What has to stay in one line: into this one if there is room, with a blank before it. */
static void add_piece(struct lines *lines, const char *piece, size_t len)
{
    bool room = lines->used + 1 + (int)len <= WIDTH;
    int blanks = lines->used <= lines->indent ? 0 : 1;

    if (!room && blanks > 0) {
        (void)fputc('\n', lines->out);
        lines->used = 0;
        blanks = lines->indent;
    }
    lines->used += fprintf(lines->out, "%*s%.*s", blanks, "", (int)len, piece);
}

/* Word by word; a newline stays one. */
static void add_words(struct lines *lines, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, " \n");

        if (len > 0)
            add_piece(lines, text, len);
        text += len;
        if (*text == '\n') {
            (void)fputc('\n', lines->out);
            lines->used = 0;
        }
        text += *text != '\0';
    }
}

static void print_row(const char *name, const char *arg, const char *summary, int column, FILE *out)
{
    struct lines lines = {.out = out, .indent = column};

    lines.used = fprintf(out, "  %s%s%s", name, arg ? " " : "", arg ? arg : "");
    if (lines.used + 2 <= column)
        lines.used += fprintf(out, "%*s", column - lines.used, "");
    else
        lines.used += fprintf(out, " ");
    add_words(&lines, summary);
    (void)fputc('\n', out);
}

/* An option that `args` names already is not named again. */
void sk_help_usage_line(const struct sk_program *program, const struct sk_command *command,
                        FILE *out)
{
    struct lines lines = {.out = out, .indent = USAGE_COLUMN};
    char piece[64];

    lines.used = fprintf(out, "usage: %s [OPTION ...] %s", program->name, command->name);
    add_words(&lines, command->args);
    for (const struct sk_option *o = command->options; o && o->name; o++) {
        int len = snprintf(piece, sizeof(piece), "[%s%s%s]", o->name, o->arg ? " " : "",
                           o->arg ? o->arg : "");

        if (!strstr(command->args, o->name))
            add_piece(&lines, piece, (size_t)len);
    }
}

static void print_group(const struct sk_program *program, const char *group, FILE *out)
{
    (void)fprintf(out, "\n%s:\n", group);
    for (size_t i = 0; i < program->command_count; i++) {
        const struct sk_command *command = &program->commands[i];

        if (strcmp(command->group, group) == 0)
            print_row(command->name, NULL, command->summary, SUMMARY_COLUMN, out);
    }
}

/* Whether an earlier row has the same group, so that it was printed already. */
static bool group_seen(const struct sk_program *program, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(program->commands[i].group, program->commands[index].group) == 0)
            return true;
    }
    return false;
}

static void print_globals(const struct sk_program *program, FILE *out)
{
    (void)fputs("\nOptions, before the command:\n", out);
    if (program->dir_option) {
        (void)fprintf(out, "  %s DIR%*sfolder (default: $HOME/%s)\n", program->dir_option,
                      OPTION_COLUMN - 6 - (int)strlen(program->dir_option), "",
                      program->dir_default);
        print_row("--passphrase-fd", "N", "read the passphrase, one line, from descriptor N",
                  OPTION_COLUMN, out);
        print_row("--askpass", "PROGRAM", "get the passphrase from a program", OPTION_COLUMN, out);
        print_row("--key-file", "FILE", "the store's key file, if it has one", OPTION_COLUMN, out);
        print_row("--wait", "SECONDS", "wait while another program uses it", OPTION_COLUMN, out);
    }
    print_row("--json", NULL, "print data as JSON", OPTION_COLUMN, out);
    print_row("--no-input", NULL, "never ask", OPTION_COLUMN, out);
    print_row("--version", NULL, "print the version", OPTION_COLUMN, out);
    print_row("-h, --help", NULL, "this help, or after a command the command's", OPTION_COLUMN,
              out);
    (void)fprintf(out, "\n'%s COMMAND -h' explains a command;\n'man %s' the rest.\n", program->name,
                  program->name);
}

void sk_help_program(const struct sk_program *program, FILE *out)
{
    (void)fprintf(out, "usage: %s [OPTION ...] COMMAND [ARGUMENT ...]\n\n%s\n", program->name,
                  program->summary);
    for (size_t i = 0; i < program->command_count; i++) {
        if (!group_seen(program, i))
            print_group(program, program->commands[i].group, out);
    }
    print_globals(program, out);
}

static void print_examples(const struct sk_run *run, FILE *out)
{
    const char *line = run->command->examples;

    if (!line)
        return;
    (void)fputs("\nExamples:\n", out);
    while (*line) {
        size_t len = strcspn(line, "\n");

        (void)fprintf(out, "  %s %.*s\n", run->program->name, (int)len, line);
        line += len + (line[len] == '\n');
    }
}

enum sk_status sk_help_command(const struct sk_run *run, FILE *out, struct sk_error *err)
{
    const struct sk_command *command = run->command;
    sk_auto_buf more = SK_BUF_INIT;

    if (command->help)
        SK_TRY(command->help(run, &more, err));
    sk_help_usage_line(run->program, command, out);
    (void)fprintf(out, "\n\n%s\n", command->summary);
    if (command->details) {
        struct lines lines = {.out = out};

        (void)fputc('\n', out);
        add_words(&lines, command->details);
        (void)fputc('\n', out);
    }
    if (command->options && command->options->name) {
        (void)fputs("\nOptions:\n", out);
        for (const struct sk_option *o = command->options; o->name; o++)
            print_row(o->name, o->arg, o->summary, OPTION_COLUMN, out);
    }
    if (more.len > 0)
        (void)fprintf(out, "\n%s", sk_buf_text(&more));
    print_examples(run, out);
    return SK_OK;
}
