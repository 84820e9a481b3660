/*
 * What the two files of the tests' VFS share.
 */
#ifndef SK_TESTS_VFS_ENTRY_INTERNAL_H
#define SK_TESTS_VFS_ENTRY_INTERNAL_H

#include "core/vfs_internal.h"
#include "tests/support/vfs_entry.h"

#include <pthread.h>

/* A database or a log. SQLite allocates it, with the file of core's VFS behind it. */
struct entry_file {
    sqlite3_file methods;
    struct entry *entry;
    struct sk_vfs *inner; /* owned by the database */
    sqlite3_file *real;
    const char *name; /* SQLite's own, of a database and of its log */
    const char *log_name;
    struct entry_file *next;
};

struct entry {
    sqlite3_vfs methods;
    sqlite3_vfs *base;
    unsigned page_size; /* 0: the default */
    bool journals;
    uint8_t key[SK_TEST_VFS_KEY_LEN];
    pthread_mutex_t lock;    /* of `open` */
    pthread_mutex_t opening; /* held while a database is opened */
    struct entry_file *open; /* databases */
    char name[64];
};

/* vfs_entry.c */
void entry_forget(struct entry_file *file);

/* vfs_entry_files.c */
const sqlite3_io_methods *entry_main_methods(bool journals);
const sqlite3_io_methods *entry_log_methods(void);
/* Opens the log through file->inner. */
int entry_open_log(struct entry_file *file, const char *path, int flags, int *out_flags);

#endif
