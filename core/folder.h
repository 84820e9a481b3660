/*
 * The files in a store's folders: what an interrupted program left there is put right, and what is
 * not the store's can be named.
 */
#ifndef SK_CORE_FOLDER_H
#define SK_CORE_FOLDER_H

#include "core/file.h"
#include "core/store.h"

/*
 * Removes temporary files, media files that have a mark and no row, and marks; makes media/ if it
 * is not there. A media file without a mark is left alone, whether or not a row names it. A file
 * that cannot be removed stays. Errors: those of reading the database and the folders.
 */
SK_MUST_CHECK
enum sk_status sk_folder_sweep(struct sk_store *store, struct sk_error *err);

/* Calls `each` with the path within the store ("media/notes.txt", raw bytes) of everything that is
 * not the store's; `unknown`: it looks like a media file, and no row names it. Errors: as above,
 * the callback's. */
typedef enum sk_status sk_stray_fn(void *context, const char *name, bool unknown,
                                   struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_folder_strays(struct sk_store *store, sk_stray_fn *each, void *context,
                                struct sk_error *err);

#endif
