/*
 * Asking a person: lines, yes or no, passphrases. Questions go to the terminal itself (/dev/tty),
 * so that neither standard output nor standard error carries them. A passphrase is read with echo
 * off, and the terminal is put back whatever signal arrives.
 */
#ifndef SK_CLI_PROMPT_H
#define SK_CLI_PROMPT_H

#include "core/buf.h"
#include "core/error.h"
#include "crypto/secret.h"

#include <stdbool.h>

#define SK_LINE_SECRET_MAX   1024 /* bytes of a passphrase or of an invite's code */
#define SK_LINE_TERMINAL_MAX 4095 /* what a terminal hands over in one line, with its newline */

/* A line that is kept secret. bytes: `len` of them and a NUL. */
struct sk_line {
    struct sk_secret *secret; /* owned */
    size_t len;
};
#define SK_LINE_INIT \
    {                \
        NULL, 0      \
    }
void sk_line_clear(struct sk_line *line);
const char *sk_line_text(const struct sk_line *line);
#define sk_auto_line __attribute__((cleanup(sk_line_clear))) struct sk_line

/*
 * Why a question was not answered: true after Ctrl-D or a signal; the signal's number, 0 for none.
 * The functions below then return SK_REFUSED.
 */
bool sk_prompt_cancelled(void);
int sk_prompt_signal(void);

/* Marks the run as cancelled by an answer ("no") and returns SK_REFUSED. */
SK_MUST_CHECK enum sk_status sk_prompt_cancel(struct sk_error *err);

/* Whether there is a terminal to ask on. */
bool sk_prompt_possible(void);

/* Text for the person at the terminal; of the program's own, or passed through sk_text_show(). */
void sk_prompt_say(const char *format, ...) SK_PRINTF(1, 2);

/* Asks for a line, echoed; `out` (emptied) holds it without its newline. Errors: SK_REFUSED
 * (cancelled), SK_IO, SK_NOMEM. A line too long for a terminal is asked for again. */
SK_MUST_CHECK enum sk_status sk_prompt_line(struct sk_buf *out, const char *question,
                                            struct sk_error *err);

/* The same for a line of a text, which Ctrl-D ends: *ended is then true and `out` empty. */
SK_MUST_CHECK enum sk_status sk_prompt_text_line(struct sk_buf *out, const char *question,
                                                 bool *ended, struct sk_error *err);

/* Asks for a line without echo. Errors: SK_REFUSED (cancelled), SK_USAGE (no terminal), SK_IO. */
SK_MUST_CHECK enum sk_status sk_prompt_secret(struct sk_line *out, const char *question,
                                              struct sk_error *err);

/* Asks until the answer is yes or no; an empty line means `by_default`. */
SK_MUST_CHECK enum sk_status sk_prompt_yes(bool *yes, const char *question, bool by_default,
                                           struct sk_error *err);

/* One line from a descriptor, read byte by byte so that what follows stays for others.
 * Errors: SK_USAGE (too long, not open), SK_IO. */
SK_MUST_CHECK enum sk_status sk_line_from_fd(struct sk_line *out, int fd, struct sk_error *err);

/* One line from the output of a program that is given the question as its only argument.
 * Errors: SK_CONFIG (it does not start), SK_REFUSED (it failed), SK_USAGE (too long). */
SK_MUST_CHECK enum sk_status sk_line_from_program(struct sk_line *out, const char *program,
                                                  const char *question, struct sk_error *err);

/* Up to len bytes of standard input; *got is 0 at its end. Errors: SK_IO. */
SK_MUST_CHECK enum sk_status sk_stdin_read(void *out, size_t len, size_t *got,
                                           struct sk_error *err);

#endif
