/* The courier's program: its commands. It has no keys and no store. */
#include "cli/commands.h"

static const struct sk_option check_options[] = {
    {"--code", "CODE", "the 30 digits that came another way than the file"},
    {NULL, NULL, NULL},
};

static const struct sk_command commands[] = {
    {
        .name = "check",
        .run = sk_cmd_check,
        .group = "Commands",
        .needs = SK_NEEDS_NOTHING,
        .min_args = 1,
        .max_args = SK_ARGS_ANY,
        .args = "--code CODE FILE ...",
        .summary = "Tell whether a file is the one that a code was made from.",
        .options = check_options,
        .examples = "check --code \"01234 56789 01234 56789 01234 56789\" notes",
    },
    {
        .name = "copy",
        .run = sk_cmd_copy,
        .group = "Commands",
        .needs = SK_NEEDS_NOTHING,
        .min_args = 2,
        .max_args = 2,
        .args = "FILE DIR",
        .summary = "Copy a file to a folder, read it back, and print its code.",
        .details = "Nothing is overwritten.",
        .examples = "copy /media/stick/notes /media/card",
    },
};

static const struct sk_program program = {
    .name = "skrynia-courier",
    .summary = "Checks and copies files for a courier. It holds no keys and opens nothing.",
    .dir_option = NULL,
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
};

int main(int argc, char **argv)
{
    return sk_program_main(&program, argc, argv);
}
