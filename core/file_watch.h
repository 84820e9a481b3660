/*
 * A folder in which others put files: what a file there is at this moment, without opening it, and
 * waiting until something changes. Nothing is ever written there.
 */
#ifndef SK_CORE_FILE_WATCH_H
#define SK_CORE_FILE_WATCH_H

#include "core/file.h"

/* What tells one state of a file from another. Times are as the file system keeps them, which may
 * be in steps of two seconds. */
struct sk_file_look {
    uint64_t device, inode;
    uint64_t bytes;
    int64_t changed_s, changed_ns; /* its content */
    int64_t touched_s, touched_ns; /* its content, name or permissions */
};
bool sk_file_look_same(const struct sk_file_look *a, const struct sk_file_look *b);

/* Looks at a name. *regular: false for a link, a folder, a pipe or a device; *out is then of no
 * use. Errors: SK_MISSING, SK_IO. */
SK_MUST_CHECK
enum sk_status sk_file_look(struct sk_file_look *out, const char *path, bool *regular,
                            struct sk_error *err);

/* The same of an open file. Errors: SK_IO. */
SK_MUST_CHECK
enum sk_status sk_file_look_open(struct sk_file_look *out, const struct sk_file *file,
                                 struct sk_error *err);

/*
 * Waits for changes in a folder (Linux: inotify). Where the system tells of none, as of network
 * folders, it is a pause: whoever waits looks again after it in any case.
 */
struct sk_notice;
SK_MUST_CHECK
enum sk_status sk_notice_new(struct sk_notice **out, const char *dir, struct sk_error *err);

/* Returns after something changed, or after that time. The folder may be gone, and another one be
 * there in its place the next time. */
void sk_notice_wait(struct sk_notice *notice, unsigned timeout_ms);
void sk_notice_free(struct sk_notice *notice);
static inline void sk_notice_cleanup(struct sk_notice **notice)
{
    sk_notice_free(*notice);
}
#define sk_auto_notice __attribute__((cleanup(sk_notice_cleanup))) struct sk_notice *

#endif
