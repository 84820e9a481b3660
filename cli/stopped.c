#include "cli/stopped.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define KEPT "Everything that was saved before is kept."
#define PART                                                                                \
    " If a hidden file whose name ends in .part stands beside one that was being written, " \
    "delete it."

/* Ready before it may be needed: a handler can do little. */
struct message {
    char text[400];
    size_t len;
};
static struct message first;
static struct message watching;
static struct message *volatile message = &first;

/* The signal is blocked until this returns; then it ends the program, since SA_RESETHAND gave it
 * back what it does by itself. */
static void tell_and_end(int number)
{
    struct pollfd said = {.fd = STDERR_FILENO, .events = POLLOUT};

    /* Nobody may read what is said, or the terminal may be gone: it is not waited for. */
    if (poll(&said, 1, 0) == 1 && (said.revents & POLLOUT) != 0) {
        ssize_t written = write(STDERR_FILENO, message->text, message->len);

        (void)written;
    }
    (void)raise(number);
}

static void prepare(struct message *out, const char *program, const char *words)
{
    /* A bar that is drawn ends its line. */
    int len = snprintf(out->text, sizeof(out->text), "%s%s: stopped. %s\n",
                       isatty(STDERR_FILENO) ? "\n" : "", program, words);

    out->len = len > 0 && (size_t)len < sizeof(out->text) ? (size_t)len : 0;
}

void sk_stopped_begin(const char *program, bool reads)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    const size_t count = sizeof(numbers) / sizeof(numbers[0]);
    struct sigaction action = {.sa_handler = tell_and_end, .sa_flags = (int)SA_RESETHAND};

    prepare(&first, program,
            reads ? "Nothing that was there before was changed." PART
                  : KEPT " Look what is there before you do this again." PART);
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < count; i++)
        (void)sigaddset(&action.sa_mask, numbers[i]); /* one message, whatever else arrives */
    for (size_t i = 0; i < count; i++) {
        struct sigaction before;

        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            (void)sigaction(numbers[i], &action, NULL);
    }
}

void sk_stopped_watching(const char *program)
{
    prepare(&watching, program, KEPT " What was not imported yet is taken by the next 'watch'.");
    message = &watching;
}
