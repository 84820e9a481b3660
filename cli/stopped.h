/*
 * What a person is told when a signal ends the program in the middle of its work: Ctrl-C, the end
 * of the session, a terminal that is closed. While a question stands, prompt.h takes signals.
 */
#ifndef SK_CLI_STOPPED_H
#define SK_CLI_STOPPED_H

#include <stdbool.h>

/*
 * From now on SIGINT, SIGTERM and SIGHUP say on standard error what is kept, and then end the
 * program as they would have. What whoever started the program ignores stays ignored (nohup).
 * reads: the command changes nothing that was there.
 */
void sk_stopped_begin(const char *program, bool reads);

/* From now on it is said as of a command that a signal ends as it should be ended. */
void sk_stopped_watching(const char *program);

#endif
