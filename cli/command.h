/*
 * The command tables of the three programs, and the one main function that all of them share: it
 * parses, prints help, opens the store if the row needs it, runs, and turns the status into an exit
 * code. How to add a command stands in cli/README.md.
 */
#ifndef SK_CLI_COMMAND_H
#define SK_CLI_COMMAND_H

#include "core/buf.h"
#include "core/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SK_OPTIONS_MAX 8
#define SK_ADVICE_MAX  300
#define SK_ARGS_ANY    (-1) /* max_args: as many as there are */

struct sk_run;
struct sk_given;

/* An option of one command; a row without a name closes the list. */
struct sk_option {
    const char *name; /* "--from" */
    const char *arg;  /* "FILE", or NULL when it takes no value */
    const char *summary;
};

enum sk_needs {
    SK_NEEDS_NOTHING,
    SK_NEEDS_STORE,   /* unlocked and open in run->store, maybe for reading only */
    SK_NEEDS_CHANGES, /* the same, to be changed: refused before anything is asked for otherwise */
};

struct sk_command {
    const char *name;
    enum sk_status (*run)(struct sk_run *run, struct sk_error *err);
    /* What can be refused before anything is asked for or opened; NULL for nothing. */
    enum sk_status (*check)(struct sk_run *run, struct sk_error *err);
    const char *group; /* heading in the program's help */
    enum sk_needs needs;
    int min_args;
    int max_args;
    const char *args; /* as in the usage line, "" for none */
    const char *summary;
    const struct sk_option *options; /* NULL for none */
    const char *details;             /* further sentences of the help, NULL for none */
    const char *examples;            /* lines without the program's name, NULL for none */
    /* Help that depends on the arguments, appended raw; NULL for none. */
    enum sk_status (*help)(const struct sk_run *run, struct sk_buf *out, struct sk_error *err);
};

struct sk_program {
    const char *name;
    const char *summary;
    const char *dir_option;  /* "--store", NULL for a program without a store */
    const char *dir_default; /* below $HOME */
    enum sk_store_kind kind;
    const struct sk_command *commands; /* sorted by name */
    size_t command_count;
};

struct sk_option_value {
    const struct sk_option *option;
    const char *value; /* "" for an option that takes none */
};

/* One run of a program. */
struct sk_run {
    const struct sk_program *program;
    const struct sk_command *command;
    char **args; /* of the command, without options */
    int arg_count;
    struct sk_option_value options[SK_OPTIONS_MAX];
    size_t option_count;

    const char *dir; /* of the store; NULL until sk_run_dir() */
    char *dir_owned;
    int passphrase_fd; /* -1: none */
    const char *askpass;
    const char *key_file;
    unsigned wait_s;
    bool json;
    bool no_input;
    bool terminal; /* standard input is a terminal and --no-input was not given */
    bool help;

    struct sk_store *store;
    bool changes;                 /* this run changes the store, as others of its command may not */
    const struct sk_given *given; /* what opened it, while the command runs */
    int exit_code;                /* when nothing failed, but 0 would be wrong */
    char advice[SK_ADVICE_MAX];   /* second sentence of an error instead of the usual one */
};

/* The whole of main(). */
int sk_program_main(const struct sk_program *program, int argc, char **argv);

/* Whether the program has such a command. */
bool sk_run_has_command(const struct sk_run *run, const char *name);

/* The value of an option of the command, NULL when it was not given. */
const char *sk_run_option(const struct sk_run *run, const char *name);

/* The value of an option that is a file descriptor, -1 when it was not given. Errors: SK_USAGE. */
SK_MUST_CHECK enum sk_status sk_run_option_fd(const struct sk_run *run, const char *name, int *fd,
                                              struct sk_error *err);

/* Reads a number in decimal, at most `most`; false when it is none. */
bool sk_parse_number(const char *text, uint64_t most, uint64_t *out);

/* Fills run->dir. Errors: SK_CONFIG (no option and no HOME), SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_run_dir(struct sk_run *run, struct sk_error *err);

/* What is left to do where the file `keys` is missing or damaged. */
#define SK_ADVICE_KEYS                                                                           \
    "Nothing was changed. Copy the whole folder of the store before anything else. Without the " \
    "file 'keys' nothing in it can be read: put an older 'keys' into the copy (not one from "    \
    "before a 'rekey') and open it with the passphrase of that day."

/* What is said of a file that was read back, maybe out of this machine's memory. */
#define SK_NOT_FROM_MEDIUM                                                                       \
    "it reads back as it was written, but maybe from the memory of this machine. If it is on a " \
    "stick, take that out, put it in again, and let 'skrynia-courier check' compare the code."

/* Says what to do, instead of the usual second sentence of an error. */
void sk_run_advise(struct sk_run *run, const char *format, ...) SK_PRINTF(2, 3);

#endif
