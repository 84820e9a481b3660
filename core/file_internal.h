/*
 * What file.c (files), file_dir.c (folders and the lock) and file_watch.c share. Private to them.
 */
#ifndef SK_CORE_FILE_INTERNAL_H
#define SK_CORE_FILE_INTERNAL_H

#include "core/error.h"
#include "core/file_calls.h"

#define SK_FILE_MODE 0600

/* The words for what could not be created, from errno. Errors: SK_CREATE, SK_FULL. */
enum sk_status sk_file_fail_create(struct sk_error *err, const char *path);

/* Syncs the folder that holds `path`. Errors: SK_IO, SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_file_sync_parent(const char *path, struct sk_error *err);

#endif
