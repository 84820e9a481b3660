#include "core/file_watch.h"

#include "core/file_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS                                                                           \
    (IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | \
     IN_MOVE_SELF | IN_ONLYDIR)
#define EVENTS_LEN 4096

/* ---- what a file is now ---- */

bool sk_file_look_same(const struct sk_file_look *a, const struct sk_file_look *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           a->changed_s == b->changed_s && a->changed_ns == b->changed_ns &&
           a->touched_s == b->touched_s && a->touched_ns == b->touched_ns;
}

static struct sk_file_look look_of(const struct stat *st)
{
    return (struct sk_file_look){
        .device = (uint64_t)st->st_dev,
        .inode = (uint64_t)st->st_ino,
        .bytes = (uint64_t)st->st_size,
        .changed_s = st->st_mtim.tv_sec,
        .changed_ns = st->st_mtim.tv_nsec,
        .touched_s = st->st_ctim.tv_sec,
        .touched_ns = st->st_ctim.tv_nsec,
    };
}

enum sk_status sk_file_look(struct sk_file_look *out, const char *path, bool *regular,
                            struct sk_error *err)
{
    struct stat st;
    if (sk_call_lstat(path, &st) != 0)
        return sk_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? SK_MISSING : SK_IO,
                             "%s cannot be looked at", path);
    *regular = S_ISREG(st.st_mode);
    *out = look_of(&st);
    return SK_OK;
}

enum sk_status sk_file_look_open(struct sk_file_look *out, const struct sk_file *file,
                                 struct sk_error *err)
{
    struct stat st;
    if (sk_call_fstat(sk_file_descriptor(file), &st) != 0)
        return sk_fail_errno(err, SK_IO, "%s cannot be looked at", sk_file_path(file));
    *out = look_of(&st);
    return SK_OK;
}

/* ---- when something changes ---- */

struct sk_notice {
    char *dir;
    int fd;    /* -1: the system has none to give */
    int watch; /* -1: the folder is not there, or there is none of its kind */
};

enum sk_status sk_notice_new(struct sk_notice **out, const char *dir, struct sk_error *err)
{
    struct sk_notice *notice = calloc(1, sizeof(*notice));
    if (!notice || !(notice->dir = strdup(dir))) {
        free(notice);
        return sk_fail_status(err, SK_NOMEM);
    }
    notice->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    notice->watch = notice->fd < 0 ? -1 : inotify_add_watch(notice->fd, dir, EVENTS);
    *out = notice;
    return SK_OK;
}

/* A folder that is watched already keeps its number; another one under the name has another. */
static void follow_name(struct sk_notice *notice)
{
    int watch = inotify_add_watch(notice->fd, notice->dir, EVENTS);
    if (notice->watch >= 0 && watch != notice->watch)
        (void)inotify_rm_watch(notice->fd, notice->watch);
    notice->watch = watch;
}

/* That something changed is enough: what did is looked up in the folder. */
static void drain(int fd)
{
    _Alignas(struct inotify_event) char events[EVENTS_LEN];
    while (read(fd, events, sizeof(events)) > 0)
        ;
}

void sk_notice_wait(struct sk_notice *notice, unsigned timeout_ms)
{
    struct pollfd changed = {.fd = notice->fd, .events = POLLIN};
    if (notice->fd >= 0)
        follow_name(notice);
    if (poll(&changed, 1, (int)timeout_ms) > 0)
        drain(notice->fd);
}

void sk_notice_free(struct sk_notice *notice)
{
    if (!notice)
        return;
    if (notice->fd >= 0)
        (void)close(notice->fd);
    free(notice->dir);
    free(notice);
}
