#include "sync/worker_process.h"

#include "sync/worker_wire.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM      "/proc/self/exe"
#define NAME_MAX_LEN 64
#define WAIT_MS      2000 /* for a process that ends */

/* Descriptors 0 and 1 and no other. Neither is 0 or 1 itself: cli/command.c sees to it that the
 * standard streams are there. */
static int prepare(posix_spawn_file_actions_t *actions, int socket, int file)
{
    int number = posix_spawn_file_actions_adddup2(actions, socket, SK_WORKER_SOCKET);
    if (!number)
        number = file >= 0 ? posix_spawn_file_actions_adddup2(actions, file, SK_WORKER_FILE)
                           : posix_spawn_file_actions_addclose(actions, SK_WORKER_FILE);
    return number ? number : posix_spawn_file_actions_addclosefrom_np(actions, SK_WORKER_FILE + 1);
}

static int spawn(pid_t *pid, const char *name, int socket, int file)
{
    char plain[NAME_MAX_LEN];
    char *const argv[] = {plain, NULL};
    char *const envp[] = {NULL};
    posix_spawn_file_actions_t actions;
    if (strlen(name) >= sizeof(plain))
        return ENAMETOOLONG;
    memcpy(plain, name, strlen(name) + 1);
    int number = posix_spawn_file_actions_init(&actions);
    if (number)
        return number;
    number = prepare(&actions, socket, file);
    if (!number)
        number = posix_spawn(pid, PROGRAM, &actions, NULL, argv, envp);
    (void)posix_spawn_file_actions_destroy(&actions);
    return number;
}

int sk_worker_process_start(struct sk_worker_process *out, const char *name, int file)
{
    int pair[2];
    pid_t pid = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return errno;
    int number = spawn(&pid, name, pair[1], file);
    (void)close(pair[1]);
    if (number) {
        (void)close(pair[0]);
        return number;
    }
    *out = (struct sk_worker_process){pid, pair[0]};
    return 0;
}

bool sk_worker_process_wait(struct sk_worker_process *process, int *how)
{
    const struct timespec millisecond = {0, 1000000};
    for (unsigned i = 0; process->pid > 0 && i < WAIT_MS; i++) {
        pid_t got = waitpid(process->pid, how, WNOHANG);
        if (got == process->pid || (got < 0 && errno != EINTR)) {
            process->pid = 0;
            return got > 0;
        }
        (void)nanosleep(&millisecond, NULL);
    }
    return false;
}

void sk_worker_process_end(struct sk_worker_process *process)
{
    int how = 0;
    if (process->socket >= 0)
        (void)close(process->socket);
    process->socket = -1;
    if (process->pid <= 0)
        return;
    (void)kill(process->pid, SIGKILL);
    /* One that hangs in a device that is gone cannot be waited for; it ends when that answers. */
    (void)sk_worker_process_wait(process, &how);
    process->pid = 0;
}
