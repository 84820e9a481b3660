#include "cli/command.h"

#include "cli/help.h"
#include "cli/print.h"
#include "cli/prompt.h"
#include "cli/stopped.h"
#include "cli/unlock.h"
#include "core/file.h"
#include "core/form.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FD_MAX     1048576
#define WAIT_MAX_S 86400

bool sk_parse_number(const char *text, uint64_t most, uint64_t *out)
{
    uint64_t value = 0;

    if (*text == '\0')
        return false;
    for (; *text; text++) {
        uint64_t digit = (uint64_t)(*text - '0');

        if (*text < '0' || *text > '9' || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > most)
        return false;
    *out = value;
    return true;
}

const char *sk_run_option(const struct sk_run *run, const char *name)
{
    for (size_t i = 0; i < run->option_count; i++) {
        if (strcmp(run->options[i].option->name, name) == 0)
            return run->options[i].value;
    }
    return NULL;
}

static enum sk_status parse_fd(int *fd, const char *name, const char *text, struct sk_error *err)
{
    uint64_t number;

    if (!sk_parse_number(text, FD_MAX, &number))
        return sk_fail(err, SK_USAGE, "%s takes the number of an open descriptor", name);
    *fd = (int)number;
    return SK_OK;
}

enum sk_status sk_run_option_fd(const struct sk_run *run, const char *name, int *fd,
                                struct sk_error *err)
{
    const char *text = sk_run_option(run, name);

    *fd = -1;
    return text ? parse_fd(fd, name, text, err) : SK_OK;
}

void sk_run_advise(struct sk_run *run, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(run->advice, sizeof(run->advice), format, args);
    va_end(args);
}

enum sk_status sk_run_dir(struct sk_run *run, struct sk_error *err)
{
    const char *home = getenv("HOME");

    if (run->dir)
        return SK_OK;
    if (!home || home[0] == '\0')
        return sk_fail(err, SK_CONFIG, "%s was not given, and HOME is not set",
                       run->program->dir_option);
    SK_TRY(sk_path_join(&run->dir_owned, home, run->program->dir_default, err));
    run->dir = run->dir_owned;
    return SK_OK;
}

/* ---- parsing ---- */

/* The arguments while they are read. */
struct arguments {
    char **items;
    int count;
    int at;
};

/*
 * Whether the argument is the option `name`, with its value after "=" or in the next argument. The
 * value is NULL when it is missing.
 */
static bool is_option(const struct arguments *args, const char *name, const char **attached)
{
    const char *text = args->items[args->at];
    size_t len = strlen(name);

    *attached = NULL;
    if (strncmp(text, name, len) != 0)
        return false;
    if (text[len] == '=')
        *attached = text + len + 1;
    return text[len] == '\0' || text[len] == '=';
}

static enum sk_status option_value(struct arguments *args, const char *name, const char *attached,
                                   const char **out, struct sk_error *err)
{
    if (!attached && args->at + 1 >= args->count)
        return sk_fail(err, SK_USAGE, "%s needs a value", name);
    *out = attached ? attached : args->items[++args->at];
    return SK_OK;
}

static enum sk_status set_wait(struct sk_run *run, const char *text, struct sk_error *err)
{
    uint64_t seconds;

    if (!sk_parse_number(text, WAIT_MAX_S, &seconds))
        return sk_fail(err, SK_USAGE, "--wait takes a number of seconds");
    run->wait_s = (unsigned)seconds;
    return SK_OK;
}

/* Options that stand before the command and take a value. */
static enum sk_status parse_global_value(struct sk_run *run, struct arguments *args, bool *known,
                                         struct sk_error *err)
{
    static const char *const names[] = {"--passphrase-fd", "--askpass", "--key-file", "--wait"};
    const char *attached;
    const char *value = NULL;
    size_t which = 0;

    *known = true;
    if (!run->program->dir_option) {
        *known = false;
        return SK_OK;
    }
    if (is_option(args, run->program->dir_option, &attached))
        return option_value(args, run->program->dir_option, attached, &run->dir, err);
    while (which < sizeof(names) / sizeof(names[0]) && !is_option(args, names[which], &attached))
        which++;
    if (which == sizeof(names) / sizeof(names[0])) {
        *known = false;
        return SK_OK;
    }
    SK_TRY(option_value(args, names[which], attached, &value, err));
    if (which == 0)
        return parse_fd(&run->passphrase_fd, names[0], value, err);
    if (which == 1)
        run->askpass = value;
    else if (which == 2)
        run->key_file = value;
    else
        return set_wait(run, value, err);
    return SK_OK;
}

/* Options that may stand before the command and after it. */
static bool parse_anywhere(struct sk_run *run, const char *text)
{
    if (strcmp(text, "--json") == 0)
        run->json = true;
    else if (strcmp(text, "--no-input") == 0)
        run->no_input = true;
    else if (strcmp(text, "-h") == 0 || strcmp(text, "--help") == 0)
        run->help = true;
    else
        return false;
    return true;
}

static enum sk_status parse_globals(struct sk_run *run, struct arguments *args, bool *version,
                                    struct sk_error *err)
{
    for (; args->at < args->count && args->items[args->at][0] == '-'; args->at++) {
        const char *text = args->items[args->at];
        bool known;

        if (strcmp(text, "--version") == 0)
            *version = true;
        else if (!parse_anywhere(run, text)) {
            SK_TRY(parse_global_value(run, args, &known, err));
            if (!known)
                return sk_fail(err, SK_USAGE, "there is no option %.*s", (int)strcspn(text, "="),
                               text);
        }
    }
    return SK_OK;
}

static enum sk_status find_command(struct sk_run *run, const char *name, struct sk_error *err)
{
    const struct sk_program *program = run->program;

    for (size_t i = 0; i < program->command_count; i++) {
        if (strcmp(program->commands[i].name, name) == 0) {
            run->command = &program->commands[i];
            return SK_OK;
        }
    }
    sk_run_advise(run, "'%s -h' lists the commands.", program->name);
    return sk_fail(err, SK_USAGE, "there is no command %s", name);
}

static enum sk_status keep_option(struct sk_run *run, const struct sk_option *option,
                                  const char *value, struct sk_error *err)
{
    if (sk_run_option(run, option->name))
        return sk_fail(err, SK_USAGE, "%s is given twice", option->name);
    if (run->option_count == SK_OPTIONS_MAX)
        return sk_fail(err, SK_INTERNAL, "a command has too many options");
    run->options[run->option_count++] = (struct sk_option_value){option, value};
    return SK_OK;
}

static enum sk_status parse_own_option(struct sk_run *run, struct arguments *args,
                                       struct sk_error *err)
{
    const struct sk_option *option = run->command->options;
    const char *text = args->items[args->at];
    int name_len = (int)strcspn(text, "="); /* a value may be a record's text: it is not repeated */
    const char *attached = NULL;
    const char *value = "";
    bool global = false;

    while (option && option->name && !is_option(args, option->name, &attached))
        option++;
    if (option && option->name) {
        if (option->arg)
            SK_TRY(option_value(args, option->name, attached, &value, err));
        else if (attached)
            return sk_fail(err, SK_USAGE, "%s takes no value", option->name);
        return keep_option(run, option, value, err);
    }
    /* Tried only to say where it belongs. */
    struct sk_run scratch = *run;
    struct sk_error ignored = SK_ERROR_INIT;

    if (strcmp(text, "--version") == 0 ||
        parse_global_value(&scratch, args, &global, &ignored) != SK_OK || global)
        return sk_fail(err, SK_USAGE, "%.*s goes before the command", name_len, text);
    return sk_fail(err, SK_USAGE, "%s has no option %.*s", run->command->name, name_len, text);
}

/* Arguments stay in `items` in their order, from the front; options are taken out of it. */
static enum sk_status parse_command(struct sk_run *run, struct arguments *args,
                                    struct sk_error *err)
{
    bool options = true;

    run->args = args->items + args->at;
    /* Help is given whatever else stands there, half-typed options included. */
    for (int i = args->at; i < args->count && strcmp(args->items[i], "--") != 0; i++) {
        if (strcmp(args->items[i], "-h") == 0 || strcmp(args->items[i], "--help") == 0)
            run->help = true;
    }
    for (; args->at < args->count; args->at++) {
        char *text = args->items[args->at];

        if (options && strcmp(text, "--") == 0)
            options = false;
        else if (!options || text[0] != '-' || text[1] == '\0')
            run->args[run->arg_count++] = text;
        else if (!parse_anywhere(run, text) && !run->help)
            SK_TRY(parse_own_option(run, args, err));
    }
    return SK_OK;
}

static enum sk_status check_args(const struct sk_run *run, struct sk_error *err)
{
    if (run->arg_count < run->command->min_args)
        return sk_fail(err, SK_USAGE, "%s needs more arguments", run->command->name);
    if (run->command->max_args != SK_ARGS_ANY && run->arg_count > run->command->max_args)
        return sk_fail(err, SK_USAGE, "%s takes no more than %d %s", run->command->name,
                       run->command->max_args,
                       run->command->max_args == 1 ? "argument" : "arguments");
    return SK_OK;
}

/* ---- running ---- */

/*
 * Descriptors 0 to 2 must be open, or a file of the store would become standard output. A closed
 * standard output cannot be written afterwards either: a result that nobody gets is an error.
 */
static void fill_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd)
            _exit(sk_status_exit_code(SK_IO));
    }
}

static enum sk_status start(struct sk_error *err)
{
    const struct rlimit none = {0, 0};

    fill_standard_streams();
#if !defined(__SANITIZE_ADDRESS__)
    /* LeakSanitizer has to attach to the process, which this forbids. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return sk_fail_errno(err, SK_INTERNAL, "cores of this program cannot be forbidden");
#endif
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return sk_fail_errno(err, SK_INTERNAL, "cores of this program cannot be forbidden");
    (void)umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    if (sk_crypto_init() != SK_OK)
        return sk_fail(err, SK_INTERNAL, "the cryptographic library does not start");
    sk_json_init();
    return sk_forms_init(err);
}

static enum sk_status run_command(struct sk_run *run, struct sk_error *err)
{
    if (run->command->needs != SK_NEEDS_NOTHING) {
        sk_auto_given given = SK_GIVEN_INIT;

        SK_TRY(sk_run_enter(run, &given, err));
        run->given = &given;
        enum sk_status status = run->command->run(run, err);
        run->given = NULL;
        return status;
    }
    return run->command->run(run, err);
}

static enum sk_status close_store(struct sk_run *run, enum sk_status status, struct sk_error *err)
{
    struct sk_error closing = SK_ERROR_INIT;
    bool copies = run->store && sk_store_left_copies(run->store);
    enum sk_status closed = sk_store_close(run->store, &closing);

    run->store = NULL;
    if (status != SK_OK && copies && !run->advice[0])
        sk_run_advise(run,
                      "Do not do it again. %s, then run '%s list' once: it takes them away, if it "
                      "ends without a warning.",
                      status == SK_FULL ? "Make room" : "See that the disk can be written",
                      run->program->name);
    if (status != SK_OK || closed == SK_OK)
        return status;
    if (closed == SK_FULL || closed == SK_IO) {
        /* It was saved. A script that is told otherwise would do it again. */
        sk_say(run->program->name, "warning: %s. What was saved is safe. %s", closing.text,
               closed == SK_FULL ? "Make room before you go on."
                                 : "The disk gives errors: copy the whole folder to another disk "
                                   "before you go on.");
        return SK_OK;
    }
    sk_run_advise(run, "What was saved is safe; it is taken up at the next start.");
    return sk_fail(err, closed, "%s", closing.text);
}

static enum sk_status parse_and_run(struct sk_run *run, struct arguments *args,
                                    struct sk_error *err)
{
    bool version = false;

    SK_TRY(parse_globals(run, args, &version, err));
    if (version) {
        sk_out("%s %s\n", run->program->name, SK_VERSION);
        return SK_OK;
    }
    if (args->at == args->count) {
        sk_help_program(run->program, run->help ? stdout : stderr);
        run->exit_code = run->help ? 0 : sk_status_exit_code(SK_USAGE);
        return SK_OK;
    }
    SK_TRY(find_command(run, args->items[args->at++], err));
    SK_TRY(parse_command(run, args, err));
    if (run->help)
        return sk_help_command(run, stdout, err);
    SK_TRY(check_args(run, err));
    run->terminal = !run->no_input && isatty(STDIN_FILENO);
    sk_stopped_begin(run->program->name, run->command->needs == SK_NEEDS_STORE);
    if (run->command->check)
        SK_TRY(run->command->check(run, err));
    return close_store(run, run_command(run, err), err);
}

/* ---- what is said when something failed ---- */

bool sk_run_has_command(const struct sk_run *run, const char *name)
{
    const struct sk_program *program = run->program;

    for (size_t i = 0; i < program->command_count; i++) {
        if (strcmp(program->commands[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Without `keys` no other part is of use; otherwise what is whole can be saved. */
static void advise_damaged(struct sk_run *run, const char *words)
{
    const char *name = run->program->name;
    bool keys = strstr(words, "/keys: ") != NULL;
    bool repair = !keys && sk_run_has_command(run, "repair");
    bool restore = sk_run_has_command(run, "restore");

    sk_run_advise(
        run, "%s%s%s%s%s%s%s%s",
        keys ? SK_ADVICE_KEYS
             : "Nothing was changed. Copy the whole folder of the store before anything else.",
        repair ? " '" : "", repair ? name : "",
        repair ? " repair' saves what is whole into a new store." : "", restore ? " '" : "",
        restore ? name : "", restore ? " restore' makes a store of a backup." : "",
        repair || restore || keys ? ""
                                  : " Then put the newest copy of the folder that "
                                    "verifies into another place, and go on there.");
}

static const char *advice_for(enum sk_status status)
{
    switch (status) {
    case SK_USAGE:
    case SK_INTERNAL:
    case SK_OK:
        return "";
    case SK_DAMAGED: /* of a program without a store */
    case SK_REFUSED:
    case SK_LIMIT:
        return "Nothing was saved.";
    case SK_MISSING:
        return "Nothing was changed. Check the name.";
    case SK_CREATE:
        return "Nothing was overwritten. Choose another name, or a folder that takes files.";
    case SK_FULL:
        return "What was there before is kept. Make room, then do it again.";
    case SK_BUSY:
        return "Nothing was changed. Close that one, or use --wait SECONDS.";
    case SK_WRONG_KEY:
        return "Nothing was changed. Check the passphrase, its spaces and letters, and the key "
               "file if one is used.";
    case SK_CONFIG:
        return "Nothing was changed.";
    default:
        return "What was saved before is kept.";
    }
}

/* Words of others, such as the name of a file, may be part of it. */
static void print_error(struct sk_run *run, const struct sk_error *err, enum sk_status status)
{
    const char *words = err->text[0] ? err->text : sk_status_text(status);

    if (status == SK_DAMAGED && run->program->dir_option && !run->advice[0])
        advise_damaged(run, words);
    const char *advice = run->advice[0] ? run->advice : advice_for(status);
    size_t len = strlen(words);
    bool ended = len > 0 && strchr(".?!", words[len - 1]) != NULL;

    sk_say(run->program->name, "%s%s%s%s", words, ended ? "" : ".", advice[0] ? " " : "", advice);
    if (status == SK_USAGE && run->command) {
        sk_help_usage_line(run->program, run->command, stderr);
        (void)fprintf(stderr, "\n'%s %s -h' explains it.\n", run->program->name,
                      run->command->name);
    }
}

static int exit_code_of(const struct sk_run *run, enum sk_status status)
{
    if (status != SK_OK)
        return sk_prompt_cancelled() ? 1 : sk_status_exit_code(status);
    return run->exit_code;
}

int sk_program_main(const struct sk_program *program, int argc, char **argv)
{
    struct sk_run run = {.program = program, .passphrase_fd = -1};
    struct sk_error err = SK_ERROR_INIT;
    struct arguments args = {argv, argc, 1};
    enum sk_status status = start(&err);

    sk_out_begin();
    if (status == SK_OK)
        status = parse_and_run(&run, &args, &err);
    if (status == SK_NOMEM)
        sk_out_array_drop();
    if (status != SK_OK) {
        print_error(&run, &err, status);
        sk_ignore(sk_out_end(NULL));
    } else if ((status = sk_out_end(&err)) != SK_OK) {
        sk_run_advise(&run, "%s", "What the command changed is saved, its result was not shown.");
        print_error(&run, &err, status);
    }
    free(run.dir_owned);
    sk_forms_clear();
    assert(sk_secret_live_count() == 0);
    if (sk_prompt_signal() != 0) {
        (void)signal(sk_prompt_signal(), SIG_DFL);
        (void)raise(sk_prompt_signal());
    }
    return exit_code_of(&run, status);
}
