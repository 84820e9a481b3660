/* Usage and help, printed from the command table. */
#ifndef SK_CLI_HELP_H
#define SK_CLI_HELP_H

#include "cli/command.h"

#include <stdio.h>

/* "usage: skrynia [OPTION ...] add TYPE ..." in one line, without the newline. */
void sk_help_usage_line(const struct sk_program *program, const struct sk_command *command,
                        FILE *out);

/* What a program does, its commands by group, its options. */
void sk_help_program(const struct sk_program *program, FILE *out);

/* Usage, options and examples of the command. Errors: SK_NOMEM. */
SK_MUST_CHECK enum sk_status sk_help_command(const struct sk_run *run, FILE *out,
                                             struct sk_error *err);

#endif
