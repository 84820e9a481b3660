/*
 * Routing: which VFS of core each file belongs to. See vfs_entry.h; vfs_entry_files.c holds the
 * methods of the files.
 */
#include "tests/support/vfs_entry_internal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 63

static const uint8_t store_id[VFS_STORE_ID_LEN];

static struct entry *entry_of(sqlite3_vfs *methods)
{
    return (struct entry *)(void *)methods;
}

static struct entry_file *file_of(sqlite3_file *file)
{
    return (struct entry_file *)(void *)file;
}

/* ---- databases that are open ---- */

static void remember(struct entry *entry, struct entry_file *file)
{
    (void)pthread_mutex_lock(&entry->lock);
    file->next = entry->open;
    entry->open = file;
    (void)pthread_mutex_unlock(&entry->lock);
}

void entry_forget(struct entry_file *file)
{
    struct entry *entry = file->entry;
    (void)pthread_mutex_lock(&entry->lock);
    struct entry_file **at = &entry->open;
    while (*at && *at != file)
        at = &(*at)->next;
    if (*at)
        *at = file->next;
    (void)pthread_mutex_unlock(&entry->lock);
}

/*
 * The database whose log or own file this is. Two connections to one file have equal names in
 * different memory, and SQLite gives the same memory for a database and its log each time.
 */
static struct entry_file *owner_of(struct entry *entry, const char *path, bool *is_log)
{
    struct entry_file *found = NULL;
    bool exact = false;

    (void)pthread_mutex_lock(&entry->lock);
    for (struct entry_file *file = entry->open; file && !exact; file = file->next) {
        bool main = strcmp(path, file->name) == 0;
        bool log = strcmp(path, file->log_name) == 0;
        exact = path == file->name || path == file->log_name;
        if (exact || (!found && (main || log))) {
            found = file;
            *is_log = log;
        }
    }
    (void)pthread_mutex_unlock(&entry->lock);
    return found;
}

/* ---- opening ---- */

static int new_inner(const struct entry *entry, int flags, struct sk_vfs **out)
{
    const struct sk_vfs_options options = {
        .base = entry->base->zName,
        .store_key = entry->key,
        .store_id = store_id,
        /* As SQLite has it, an empty file is an empty database whoever made it. */
        .create = entry->journals || (flags & SQLITE_OPEN_CREATE) != 0,
        .read_only = (flags & SQLITE_OPEN_READONLY) != 0,
        .page_size = entry->page_size,
    };
    return sk_vfs_register(out, &options, NULL) == SK_OK ? SQLITE_OK : SQLITE_NOMEM;
}

static int open_main(struct entry *entry, const char *path, struct entry_file *file, int flags,
                     int *out_flags)
{
    int rc = new_inner(entry, flags, &file->inner);
    if (rc != SQLITE_OK)
        return rc;
    /* Two threads that make the same database would see each other's half of it. */
    (void)pthread_mutex_lock(&entry->opening);
    rc = file->inner->methods.xOpen(&file->inner->methods, path, file->real, flags, out_flags);
    (void)pthread_mutex_unlock(&entry->opening);
    if (rc != SQLITE_OK) {
        sk_vfs_unregister(file->inner);
        return rc;
    }
    file->name = path;
    file->log_name = sqlite3_filename_wal(path);
    file->methods.pMethods = entry_main_methods(entry->journals);
    remember(entry, file);
    return SQLITE_OK;
}

static int open_log(struct entry *entry, const char *path, struct entry_file *file, int flags,
                    int *out_flags)
{
    bool is_log = false;
    struct entry_file *owner = owner_of(entry, path, &is_log);
    if (!owner || !is_log)
        return SQLITE_CANTOPEN;
    file->inner = owner->inner;
    int rc = entry_open_log(file, path, flags, out_flags);
    if (rc == SQLITE_OK)
        file->methods.pMethods = entry_log_methods();
    return rc;
}

static int entry_open(sqlite3_vfs *methods, const char *path, sqlite3_file *opened, int flags,
                      int *out_flags)
{
    struct entry *entry = entry_of(methods);
    struct entry_file *file = file_of(opened);

    memset(file, 0, sizeof(*file));
    file->entry = entry;
    file->real = (sqlite3_file *)(void *)(file + 1);
    if (path && (flags & SQLITE_OPEN_MAIN_DB))
        return open_main(entry, path, file, flags, out_flags);
    if (path && (flags & SQLITE_OPEN_WAL))
        return open_log(entry, path, file, flags, out_flags);
    if (entry->journals)
        return entry->base->xOpen(entry->base, path, opened, flags, out_flags);
    return SQLITE_CANTOPEN;
}

static int entry_access(sqlite3_vfs *methods, const char *path, int flags, int *out)
{
    struct entry *entry = entry_of(methods);
    bool is_log = false;
    struct entry_file *owner = owner_of(entry, path, &is_log);

    if (owner)
        return owner->inner->methods.xAccess(&owner->inner->methods, path, flags, out);
    if (entry->journals)
        return entry->base->xAccess(entry->base, path, flags, out);
    *out = 0;
    return SQLITE_OK;
}

static int entry_delete(sqlite3_vfs *methods, const char *path, int sync_folder)
{
    struct entry *entry = entry_of(methods);
    bool is_log = false;
    struct entry_file *owner = owner_of(entry, path, &is_log);

    if (owner && is_log)
        return owner->inner->methods.xDelete(&owner->inner->methods, path, sync_folder);
    if (entry->journals)
        return entry->base->xDelete(entry->base, path, sync_folder);
    return SQLITE_IOERR_DELETE_NOENT;
}

/* ---- passed on ---- */

static int entry_full_path(sqlite3_vfs *methods, const char *path, int room, char *out)
{
    sqlite3_vfs *base = entry_of(methods)->base;
    return base->xFullPathname(base, path, room, out);
}

static void *entry_dl_open(sqlite3_vfs *methods, const char *path)
{
    sqlite3_vfs *base = entry_of(methods)->base;
    return base->xDlOpen(base, path);
}

static void entry_dl_error(sqlite3_vfs *methods, int room, char *out)
{
    sqlite3_vfs *base = entry_of(methods)->base;
    base->xDlError(base, room, out);
}

static void (*entry_dl_sym(sqlite3_vfs *methods, void *handle, const char *symbol))(void)
{
    sqlite3_vfs *base = entry_of(methods)->base;
    return base->xDlSym(base, handle, symbol);
}

static void entry_dl_close(sqlite3_vfs *methods, void *handle)
{
    sqlite3_vfs *base = entry_of(methods)->base;
    base->xDlClose(base, handle);
}

static int entry_randomness(sqlite3_vfs *methods, int len, char *out)
{
    sqlite3_vfs *base = entry_of(methods)->base;
    return base->xRandomness(base, len, out);
}

static int entry_sleep(sqlite3_vfs *methods, int microseconds)
{
    sqlite3_vfs *base = entry_of(methods)->base;
    return base->xSleep(base, microseconds);
}

static int entry_time(sqlite3_vfs *methods, double *out)
{
    sqlite3_vfs *base = entry_of(methods)->base;
    return base->xCurrentTime(base, out);
}

static int entry_last_error(sqlite3_vfs *methods, int room, char *out)
{
    sqlite3_vfs *base = entry_of(methods)->base;
    return base->xGetLastError ? base->xGetLastError(base, room, out) : 0;
}

static const sqlite3_vfs method_table = {
    .iVersion = 1,
    .xOpen = entry_open,
    .xDelete = entry_delete,
    .xAccess = entry_access,
    .xFullPathname = entry_full_path,
    .xDlOpen = entry_dl_open,
    .xDlError = entry_dl_error,
    .xDlSym = entry_dl_sym,
    .xDlClose = entry_dl_close,
    .xRandomness = entry_randomness,
    .xSleep = entry_sleep,
    .xCurrentTime = entry_time,
    .xGetLastError = entry_last_error,
};

/* ---- registering ---- */

static void entry_free(struct entry *entry)
{
    (void)pthread_mutex_destroy(&entry->lock);
    (void)pthread_mutex_destroy(&entry->opening);
    sk_wipe(entry->key, sizeof(entry->key));
    free(entry);
}

/* What core makes of base and page size, and how much room its files need. */
static int probe(struct entry *entry)
{
    struct sk_vfs *inner;
    int rc = new_inner(entry, 0, &inner);
    if (rc != SQLITE_OK)
        return SQLITE_MISUSE;
    int room = inner->methods.szOsFile > entry->base->szOsFile ? inner->methods.szOsFile
                                                               : entry->base->szOsFile;
    entry->methods.szOsFile = (int)sizeof(struct entry_file) + room;
    sk_vfs_unregister(inner);
    return SQLITE_OK;
}

int sk_test_vfs_register(const char *name, const char *base,
                         const uint8_t key[static SK_TEST_VFS_KEY_LEN], unsigned page_size,
                         int journals)
{
    sqlite3_vfs *below = sqlite3_vfs_find(base);
    if (!name || strlen(name) > NAME_MAX_LEN || sqlite3_vfs_find(name) || !below ||
        sk_crypto_init() != SK_OK)
        return SQLITE_MISUSE;

    struct entry *entry = calloc(1, sizeof(*entry));
    if (!entry)
        return SQLITE_NOMEM;
    entry->methods = method_table;
    entry->methods.mxPathname = below->mxPathname;
    (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    entry->methods.zName = entry->name;
    entry->base = below;
    entry->page_size = page_size;
    entry->journals = journals != 0;
    memcpy(entry->key, key, sizeof(entry->key));
    (void)pthread_mutex_init(&entry->lock, NULL);
    (void)pthread_mutex_init(&entry->opening, NULL);
    int rc = probe(entry);
    if (rc == SQLITE_OK)
        rc = sqlite3_vfs_register(&entry->methods, 0);
    if (rc != SQLITE_OK)
        entry_free(entry);
    return rc;
}

int sk_test_vfs_unregister(const char *name)
{
    sqlite3_vfs *methods = sqlite3_vfs_find(name);
    if (!methods || methods->xOpen != entry_open)
        return SQLITE_NOTFOUND;
    int rc = sqlite3_vfs_unregister(methods);
    entry_free(entry_of(methods));
    return rc;
}

/* ---- from the environment ---- */

static bool flag(const char *variable)
{
    const char *value = getenv(variable);
    return value && strcmp(value, "0") != 0 && value[0] != '\0';
}

static void refuse(const char *words)
{
    (void)fprintf(stderr, "libsk_test_vfs: %s\n", words);
    _Exit(78);
}

static __attribute__((constructor)) void register_from_environment(void)
{
    const char *name = getenv("SK_TEST_VFS_NAME");
    const char *hex = getenv("SK_TEST_VFS_KEY");
    const char *page_size = getenv("SK_TEST_VFS_PAGE_SIZE");
    uint8_t key[SK_TEST_VFS_KEY_LEN];

    if (!name)
        return;
    size_t len = 0;
    if (!hex || sodium_hex2bin(key, sizeof(key), hex, strlen(hex), NULL, &len, NULL) != 0 ||
        len != sizeof(key))
        refuse("SK_TEST_VFS_KEY is not a key of 64 hex digits");
    unsigned long size = page_size ? strtoul(page_size, NULL, 10) : 0;
    int rc = sk_test_vfs_register(name, getenv("SK_TEST_VFS_BASE"), key, (unsigned)size,
                                  flag("SK_TEST_VFS_JOURNALS"));
    sk_wipe(key, sizeof(key));
    if (rc != SQLITE_OK)
        refuse("there is no such base VFS or page size, or the name is taken");
    if (flag("SK_TEST_VFS_DEFAULT"))
        (void)sqlite3_vfs_register(sqlite3_vfs_find(name), 1);
}

int sqlite3_extension_init(struct sqlite3 *db, char **message,
                           const struct sqlite3_api_routines *api)
{
    (void)db, (void)message, (void)api;
    return SQLITE_OK_LOAD_PERMANENTLY;
}
