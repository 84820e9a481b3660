/*
 * The files in a store's folders: what an interrupted program left there is removed, and what is
 * not the store's can be named.
 */
#ifndef SK_CORE_FOLDER_H
#define SK_CORE_FOLDER_H

#include "core/file.h"
#include "core/store.h"

/*
 * Removes temporary files and media files that no row names; makes media/ if it is not there. A
 * file that cannot be removed stays. Errors: those of reading the database and the folders.
 */
SK_MUST_CHECK
enum sk_status sk_folder_sweep(struct sk_store *store, struct sk_error *err);

/* Calls `each` with the path within the store ("media/notes.txt", raw bytes) of everything that is
 * not the store's. Errors: as above, the callback's. */
SK_MUST_CHECK
enum sk_status sk_folder_strays(struct sk_store *store, sk_dir_each_fn *each, void *context,
                                struct sk_error *err);

#endif
