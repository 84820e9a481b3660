#include "cli/prompt.h"

#include "core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

extern char **environ;

void sk_line_clear(struct sk_line *line)
{
    sk_secret_free(line->secret);
    *line = (struct sk_line)SK_LINE_INIT;
}

const char *sk_line_text(const struct sk_line *line)
{
    return line->secret ? (const char *)sk_secret_view(line->secret) : "";
}

/* ---- signals while a question stands ---- */

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
#define CAUGHT_COUNT (sizeof(caught) / sizeof(caught[0]))

static volatile sig_atomic_t arrived; /* the signal, 0 for none */
static bool cancelled;

struct guard {
    struct sigaction before[CAUGHT_COUNT];
};

static void note_signal(int number)
{
    arrived = number;
}

/* Without SA_RESTART, so that read() comes back. */
static void guard_begin(struct guard *guard)
{
    struct sigaction action = {.sa_handler = note_signal};

    arrived = 0;
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < CAUGHT_COUNT; i++)
        (void)sigaction(caught[i], &action, &guard->before[i]);
}

static void guard_end(struct guard *guard)
{
    for (size_t i = 0; i < CAUGHT_COUNT; i++)
        (void)sigaction(caught[i], &guard->before[i], NULL);
}

bool sk_prompt_cancelled(void)
{
    return cancelled;
}

int sk_prompt_signal(void)
{
    return cancelled ? (int)arrived : 0;
}

enum sk_status sk_prompt_cancel(struct sk_error *err)
{
    cancelled = true;
    return sk_fail(err, SK_REFUSED, arrived ? "interrupted" : "cancelled");
}

/* ---- the terminal ---- */

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
#define auto_fd __attribute__((cleanup(close_fd))) int

static int open_terminal(void)
{
    return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

bool sk_prompt_possible(void)
{
    auto_fd fd = open_terminal();

    return fd >= 0;
}

static void put(int fd, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

void sk_prompt_say(const char *format, ...)
{
    auto_fd fd = open_terminal();
    va_list args;

    va_start(args, format);
    if (fd >= 0)
        (void)vdprintf(fd, format, args);
    va_end(args);
}

/* What came of reading a line. */
enum outcome {
    LINE_READ,
    LINE_TOO_LONG,
    LINE_END,       /* Ctrl-D on an empty line */
    LINE_STOPPED,   /* Ctrl-Z: to be asked again */
    LINE_CANCELLED, /* any other signal */
    LINE_FAILED,
};

/* Reads up to a newline, which is not kept; what is beyond `room` is thrown away. */
static enum outcome read_line(int fd, char *out, size_t room, size_t *len)
{
    char piece[SK_LINE_TERMINAL_MAX + 1];
    bool too_long = false;

    *len = 0;
    for (;;) {
        ssize_t n = arrived ? -1 : read(fd, piece, sizeof(piece));
        bool ended = n > 0 && piece[n - 1] == '\n';
        size_t use = n > 0 ? (size_t)n - (ended ? 1 : 0) : 0;

        if (arrived)
            return arrived == SIGTSTP ? LINE_STOPPED : LINE_CANCELLED;
        if (n < 0)
            return LINE_FAILED;
        if (n == 0)
            return *len > 0 ? LINE_READ : LINE_END;
        /* A terminal drops what exceeds its own line, so a full one may lack its end. */
        too_long |= use > room - *len || n >= SK_LINE_TERMINAL_MAX;
        if (!too_long) {
            memcpy(out + *len, piece, use);
            *len += use;
        }
        sk_wipe(piece, sizeof(piece));
        if (ended)
            return too_long ? LINE_TOO_LONG : LINE_READ;
    }
}

/* One try at a question: the terminal is as it was before when this returns. */
static enum outcome ask_once(const char *question, bool echo, char *out, size_t room, size_t *len)
{
    auto_fd fd = open_terminal();
    struct guard guard;
    struct termios before;
    struct termios quiet;

    if (fd < 0 || tcgetattr(fd, &before) != 0)
        return LINE_FAILED;
    guard_begin(&guard);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    if (!echo)
        (void)tcsetattr(fd, TCSAFLUSH, &quiet);
    put(fd, question);

    enum outcome outcome = read_line(fd, out, room, len);

    if (!echo || outcome != LINE_READ)
        put(fd, "\n");
    if (!echo)
        (void)tcsetattr(fd, TCSADRAIN, &before);
    guard_end(&guard);
    /* One that came right behind the answer is no less meant. */
    if (outcome == LINE_READ && arrived)
        return arrived == SIGTSTP ? LINE_STOPPED : LINE_CANCELLED;
    return outcome;
}

/* Asks until there is a line or a reason why not. Ctrl-D sets *ended, or cancels if that is NULL.
 */
static enum sk_status ask(const char *question, bool echo, char *out, size_t room, size_t *len,
                          bool *ended, struct sk_error *err)
{
    for (;;) {
        switch (ask_once(question, echo, out, room, len)) {
        case LINE_READ:
            return SK_OK;
        case LINE_TOO_LONG:
            sk_prompt_say("That line is too long for a terminal and may lack its end. Break it "
                          "into several, or take it from a file.\n");
            break;
        case LINE_STOPPED:
            arrived = 0;
            (void)raise(SIGTSTP);
            break;
        case LINE_END:
            if (!ended)
                return sk_prompt_cancel(err);
            *ended = true;
            return SK_OK;
        case LINE_CANCELLED:
            return sk_prompt_cancel(err);
        case LINE_FAILED:
        default:
            return sk_fail_errno(err, SK_IO, "the terminal cannot be read");
        }
    }
}

static enum sk_status ask_line(struct sk_buf *out, const char *question, bool *ended,
                               struct sk_error *err)
{
    size_t len = 0;

    sk_buf_reset(out);
    SK_TRY(sk_buf_grow(out, SK_LINE_TERMINAL_MAX + 1, err));
    SK_TRY(ask(question, true, (char *)out->bytes, SK_LINE_TERMINAL_MAX, &len, ended, err));
    out->len = len;
    out->bytes[len] = '\0';
    return SK_OK;
}

enum sk_status sk_prompt_line(struct sk_buf *out, const char *question, struct sk_error *err)
{
    return ask_line(out, question, NULL, err);
}

enum sk_status sk_prompt_text_line(struct sk_buf *out, const char *question, bool *ended,
                                   struct sk_error *err)
{
    *ended = false;
    return ask_line(out, question, ended, err);
}

enum sk_status sk_prompt_secret(struct sk_line *out, const char *question, struct sk_error *err)
{
    sk_auto_line line = SK_LINE_INIT;

    if (!sk_prompt_possible())
        return sk_fail(err, SK_USAGE, "there is no terminal to ask for a passphrase on");
    if (sk_secret_new(&line.secret, SK_LINE_SECRET_MAX + 1) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);

    char *bytes = (char *)sk_secret_bytes(line.secret);

    SK_TRY(ask(question, false, bytes, SK_LINE_SECRET_MAX, &line.len, NULL, err));
    bytes[line.len] = '\0';
    *out = SK_TAKE(line);
    return SK_OK;
}

enum sk_status sk_prompt_yes(bool *yes, const char *question, bool by_default, struct sk_error *err)
{
    sk_auto_buf answer = SK_BUF_INIT;

    for (;;) {
        SK_TRY(sk_prompt_line(&answer, question, err));

        const char *text = sk_buf_text(&answer);

        if (text[0] == '\0') {
            *yes = by_default;
            return SK_OK;
        }
        if (strcasecmp(text, "y") == 0 || strcasecmp(text, "yes") == 0 ||
            strcasecmp(text, "n") == 0 || strcasecmp(text, "no") == 0) {
            *yes = text[0] == 'y' || text[0] == 'Y';
            return SK_OK;
        }
        sk_prompt_say("Answer y or n.\n");
    }
}

/* ---- lines from elsewhere ---- */

enum sk_status sk_line_from_fd(struct sk_line *out, int fd, struct sk_error *err)
{
    sk_auto_line line = SK_LINE_INIT;

    if (sk_secret_new(&line.secret, SK_LINE_SECRET_MAX + 1) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);

    char *bytes = (char *)sk_secret_bytes(line.secret);

    for (;;) {
        ssize_t n = read(fd, bytes + line.len, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sk_fail_errno(err, SK_USAGE, "descriptor %d cannot be read", fd);
        if (n == 0 || bytes[line.len] == '\n')
            break;
        if (bytes[line.len] == '\0')
            return sk_fail(err, SK_USAGE, "the line from descriptor %d holds a zero byte", fd);
        if (++line.len > SK_LINE_SECRET_MAX)
            return sk_fail(err, SK_USAGE, "the line from descriptor %d is longer than %d bytes", fd,
                           SK_LINE_SECRET_MAX);
    }
    bytes[line.len] = '\0';
    *out = SK_TAKE(line);
    return SK_OK;
}

/* Starts the program with its output in a pipe; *fd is the end to read from. */
static enum sk_status start_program(const char *program, const char *question, pid_t *pid, int *fd,
                                    struct sk_error *err)
{
    char *argv[] = {strdup(program), strdup(question), NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    int failed = ENOMEM;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        failed = errno;
    } else if (argv[0] && argv[1] && posix_spawn_file_actions_init(&actions) == 0) {
        failed = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        if (failed == 0)
            failed = posix_spawnp(pid, program, &actions, NULL, argv, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        (void)close(ends[1]);
        if (failed == 0)
            *fd = ends[0];
        else
            (void)close(ends[0]);
    }
    free(argv[0]);
    free(argv[1]);
    errno = failed;
    return failed == 0 ? SK_OK
                       : sk_fail_errno(err, SK_CONFIG, "the askpass program does not start");
}

enum sk_status sk_line_from_program(struct sk_line *out, const char *program, const char *question,
                                    struct sk_error *err)
{
    sk_auto_line line = SK_LINE_INIT;
    auto_fd fd = -1;
    pid_t pid = -1;
    int result = -1;

    SK_TRY(start_program(program, question, &pid, &fd, err));

    enum sk_status status = sk_line_from_fd(&line, fd, err);

    close_fd(&fd);
    fd = -1;
    while (waitpid(pid, &result, 0) < 0 && errno == EINTR)
        ;
    SK_TRY(status);
    if (!WIFEXITED(result) || WEXITSTATUS(result) != 0) {
        cancelled = true;
        return sk_fail(err, SK_REFUSED, "the askpass program gave no passphrase");
    }
    *out = SK_TAKE(line);
    return SK_OK;
}

enum sk_status sk_stdin_read(void *out, size_t len, size_t *got, struct sk_error *err)
{
    for (;;) {
        ssize_t n = read(STDIN_FILENO, out, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sk_fail_errno(err, SK_IO, "standard input cannot be read");
        *got = (size_t)n;
        return SK_OK;
    }
}
