/*
 * The encrypting VFS: registration, opening of the two files it knows, and what the other files of
 * the VFS share. See core/FORMAT.md for the layout on disk.
 */
#include "core/vfs_internal.h"
#include "crypto/bytes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AD_LEN        48
#define KEY_COUNT     3
#define PAGE_SIZE_MIN 1024 /* of 512 SQLite would not give up 40 bytes */
#define PAGE_SIZE_MAX 65536

#define PAGE_ONE_SIZE    16 /* in the database header: u16 page size, big-endian */
#define PAGE_ONE_RESERVE 20 /* reserved bytes of each page */

/* The kinds of file that SQLite names when it opens one. */
#define KINDS                                                                       \
    (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB |         \
     SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_SUBJOURNAL | \
     SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL)

static struct sk_vfs *vfs_of(sqlite3_vfs *methods)
{
    return (struct sk_vfs *)(void *)methods;
}

/* ---- shared by the files of the VFS ---- */

void vfs_fault(struct sk_vfs *vfs, const char *path, const char *format, ...)
{
    if (vfs->fault[0] != '\0')
        return;
    const char *slash = path ? strrchr(path, '/') : NULL;
    int len = snprintf(vfs->fault, sizeof(vfs->fault),
                       "%.60s: ", slash ? slash + 1 : (path ? path : "database"));
    va_list args;
    va_start(args, format);
    (void)vsnprintf(vfs->fault + len, sizeof(vfs->fault) - (size_t)len, format, args);
    va_end(args);
}

const uint8_t *vfs_key(const struct sk_vfs *vfs, enum vfs_kind kind)
{
    size_t index = kind == VFS_KIND_PREAMBLE ? 0 : kind == VFS_KIND_PAGE ? 1 : 2;
    return sk_secret_view(vfs->keys) + index * SK_AEAD_KEY_LEN;
}

/* What a block is, in which format, of which store and log, and where it stands. */
static void describe(const struct sk_vfs *vfs, uint8_t ad[static AD_LEN], enum vfs_kind kind,
                     const uint8_t *log_id, uint64_t place)
{
    memset(ad, 0, AD_LEN);
    sk_put_u32(ad, kind);
    sk_put_u32(ad + 4, VFS_FORMAT);
    memcpy(ad + 8, vfs->store_id, VFS_STORE_ID_LEN);
    if (log_id)
        memcpy(ad + 24, log_id, VFS_LOG_ID_LEN);
    sk_put_u64(ad + 40, place);
}

void vfs_seal(const struct sk_vfs *vfs, enum vfs_kind kind, const uint8_t *log_id, uint64_t place,
              uint8_t *sealed, const uint8_t *plain, size_t len)
{
    uint8_t ad[AD_LEN];
    describe(vfs, ad, kind, log_id, place);
    sk_page_seal(sealed, plain, len, ad, AD_LEN, vfs_key(vfs, kind));
}

bool vfs_unseal(const struct sk_vfs *vfs, enum vfs_kind kind, const uint8_t *log_id, uint64_t place,
                uint8_t *plain, const uint8_t *sealed, size_t len)
{
    uint8_t ad[AD_LEN];
    describe(vfs, ad, kind, log_id, place);
    return sk_page_open(plain, sealed, len, ad, AD_LEN, vfs_key(vfs, kind)) == SK_OK;
}

int vfs_base_size(const struct vfs_file *file, uint64_t *size)
{
    sqlite3_int64 bytes = 0;
    int rc = file->base->pMethods->xFileSize(file->base, &bytes);
    *size = bytes > 0 ? (uint64_t)bytes : 0;
    return rc;
}

bool vfs_page_allowed(const struct sk_vfs *vfs, uint64_t page, const uint8_t *bytes)
{
    static const uint8_t zeros[SK_PAGE_OVERHEAD];
    if (memcmp(bytes + vfs->page_size - SK_PAGE_OVERHEAD, zeros, SK_PAGE_OVERHEAD) != 0)
        return false;
    if (page != 1)
        return true;
    /* 65536 is written as 1 there. */
    return bytes[PAGE_ONE_SIZE] == (uint8_t)(vfs->page_size >> 8) &&
           bytes[PAGE_ONE_SIZE + 1] == (uint8_t)(vfs->page_size >> 16) &&
           bytes[PAGE_ONE_RESERVE] == SK_PAGE_OVERHEAD;
}

/* ---- opening ---- */

static void forget_paths(struct sk_vfs *vfs)
{
    free(vfs->main_path);
    free(vfs->wal_path);
    vfs->main_path = NULL;
    vfs->wal_path = NULL;
}

static int remember_paths(struct sk_vfs *vfs, const char *path)
{
    forget_paths(vfs);
    vfs->main_path = strdup(path);
    if (!vfs->main_path || asprintf(&vfs->wal_path, "%s-wal", path) < 0) {
        vfs->wal_path = NULL;
        return SQLITE_NOMEM;
    }
    return SQLITE_OK;
}

/* Begins a new database, or finds out whether this is one of ours. */
static int enter_main(struct sk_vfs *vfs)
{
    uint64_t size;
    int rc = vfs_base_size(vfs->main, &size);
    if (rc == SQLITE_OK && size == 0 && vfs->create && !vfs->read_only)
        rc = vfs_preamble_create(vfs);
    if (rc == SQLITE_OK)
        rc = vfs_main_check_size(vfs);
    if (rc == SQLITE_OK)
        rc = vfs_preamble_load(vfs);
    return rc == SQLITE_OK ? vfs_main_check_end(vfs) : rc;
}

static int base_flags(const struct sk_vfs *vfs, int flags)
{
    if (vfs->read_only)
        return (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    return flags;
}

/* A method table that is set after a failure asks to be closed. */
static int open_base(const struct sk_vfs *vfs, const char *path, sqlite3_file *base, int flags,
                     int *out_flags)
{
    base->pMethods = NULL;
    int rc = vfs->base->xOpen(vfs->base, path, base, flags, out_flags);
    if (rc != SQLITE_OK && base->pMethods)
        base->pMethods->xClose(base);
    return rc;
}

static int open_main(struct sk_vfs *vfs, const char *path, struct vfs_file *file, int flags,
                     int *out_flags)
{
    if (vfs->main)
        return SQLITE_CANTOPEN;
    int rc = remember_paths(vfs, path);
    if (rc != SQLITE_OK)
        return rc;
    if (!vfs->create)
        flags &= ~SQLITE_OPEN_CREATE;
    rc = open_base(vfs, path, file->base, base_flags(vfs, flags), out_flags);
    if (rc != SQLITE_OK)
        return rc;
    vfs->main = file;
    vfs->pages_there = 0;
    vfs->locked = false;
    vfs->header_read = false;
    vfs->broken = false;
    rc = enter_main(vfs);
    if (rc != SQLITE_OK) {
        vfs->main = NULL;
        file->base->pMethods->xClose(file->base);
        return rc;
    }
    file->methods.pMethods = &vfs_note_methods;
    return SQLITE_OK;
}

/* The system's VFS says "no" as well when it could not look. */
static int exists(const struct sk_vfs *vfs, const char *path, int flags, int *out)
{
    errno = 0;
    int rc = vfs->base->xAccess(vfs->base, path, flags, out);
    if (rc == SQLITE_OK && !*out && errno != 0 && errno != ENOENT && errno != ENOTDIR)
        return SQLITE_IOERR_ACCESS;
    return rc;
}

static int open_wal(struct sk_vfs *vfs, const char *path, struct vfs_file *file, int flags,
                    int *out_flags)
{
    int there;

    if (!vfs->main || vfs->wal_file || strcmp(path, vfs->wal_path) != 0)
        return SQLITE_CANTOPEN;
    int rc = exists(vfs, path, SQLITE_ACCESS_EXISTS, &there);
    if (rc != SQLITE_OK)
        return rc;
    if (!there && vfs->preamble.running) {
        vfs_fault(vfs, path, "the write-ahead log is missing");
        return SQLITE_IOERR;
    }
    file->absent = !there && vfs->read_only;
    file->created = !there && !vfs->read_only;
    if (!file->absent) {
        rc = open_base(vfs, path, file->base, base_flags(vfs, flags), out_flags);
        if (rc != SQLITE_OK)
            return rc;
    } else if (out_flags) {
        *out_flags = base_flags(vfs, flags);
    }
    vfs->wal_file = file;
    rc = vfs_log_examine(vfs);
    if (rc != SQLITE_OK) {
        vfs->wal_file = NULL;
        if (!file->absent)
            file->base->pMethods->xClose(file->base);
        return rc;
    }
    file->methods.pMethods = &vfs_note_methods;
    return SQLITE_OK;
}

static int vfs_open(sqlite3_vfs *methods, const char *path, sqlite3_file *opened, int flags,
                    int *out_flags)
{
    struct vfs_file *file = (struct vfs_file *)(void *)opened;

    memset(file, 0, sizeof(*file));
    file->vfs = vfs_of(methods);
    file->base = (sqlite3_file *)(void *)(file + 1);
    if (!path)
        return SQLITE_CANTOPEN;
    errno = 0;
    switch (flags & KINDS) {
    case SQLITE_OPEN_MAIN_DB:
        return vfs_note(file->vfs, open_main(file->vfs, path, file, flags, out_flags));
    case SQLITE_OPEN_WAL:
        return vfs_note(file->vfs, open_wal(file->vfs, path, file, flags, out_flags));
    default:
        return SQLITE_CANTOPEN;
    }
}

/* Journals that somebody planted are not looked at: they do not exist. */
static int vfs_access(sqlite3_vfs *methods, const char *path, int flags, int *out)
{
    struct sk_vfs *vfs = vfs_of(methods);
    bool main = vfs->main_path && strcmp(path, vfs->main_path) == 0;
    bool wal = vfs->wal_path && strcmp(path, vfs->wal_path) == 0;

    *out = 0;
    if (!main && !wal)
        return SQLITE_OK;
    int rc = vfs_note(vfs, exists(vfs, path, flags, out));
    if (rc == SQLITE_OK && wal && flags == SQLITE_ACCESS_EXISTS && !*out && vfs->preamble.running) {
        vfs_fault(vfs, path, "the write-ahead log is missing");
        return SQLITE_IOERR_ACCESS;
    }
    return rc;
}

static int vfs_delete(sqlite3_vfs *methods, const char *path, int sync_folder)
{
    struct sk_vfs *vfs = vfs_of(methods);
    if (!vfs->wal_path || strcmp(path, vfs->wal_path) != 0)
        return SQLITE_IOERR_DELETE_NOENT;
    errno = 0;
    return vfs_note(vfs, vfs_log_remove(vfs, path, sync_folder));
}

/* ---- passed on to the system ---- */

static int vfs_full_path(sqlite3_vfs *methods, const char *path, int room, char *out)
{
    sqlite3_vfs *base = vfs_of(methods)->base;
    return base->xFullPathname(base, path, room, out);
}

static int vfs_randomness(sqlite3_vfs *methods, int len, char *out)
{
    (void)methods;
    sk_random(out, (size_t)len);
    return len;
}

static int vfs_sleep(sqlite3_vfs *methods, int microseconds)
{
    sqlite3_vfs *base = vfs_of(methods)->base;
    return base->xSleep(base, microseconds);
}

static int vfs_time(sqlite3_vfs *methods, double *out)
{
    sqlite3_vfs *base = vfs_of(methods)->base;
    return base->xCurrentTime(base, out);
}

static int vfs_last_error(sqlite3_vfs *methods, int room, char *out)
{
    sqlite3_vfs *base = vfs_of(methods)->base;
    return base->xGetLastError ? base->xGetLastError(base, room, out) : 0;
}

/* Nothing is loaded at run time. */
static void *vfs_dl_open(sqlite3_vfs *methods, const char *path)
{
    (void)methods, (void)path;
    return NULL;
}

static void vfs_dl_error(sqlite3_vfs *methods, int room, char *out)
{
    (void)methods;
    (void)snprintf(out, (size_t)room, "extensions are not loaded");
}

static void (*vfs_dl_sym(sqlite3_vfs *methods, void *handle, const char *symbol))(void)
{
    (void)methods, (void)handle, (void)symbol;
    return NULL;
}

static void vfs_dl_close(sqlite3_vfs *methods, void *handle)
{
    (void)methods, (void)handle;
}

/* ---- registering ---- */

static const sqlite3_vfs method_table = {
    .iVersion = 1,
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_path,
    .xDlOpen = vfs_dl_open,
    .xDlError = vfs_dl_error,
    .xDlSym = vfs_dl_sym,
    .xDlClose = vfs_dl_close,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time,
    .xGetLastError = vfs_last_error,
};

static void vfs_free(struct sk_vfs *vfs)
{
    size_t frame = vfs->page_size + VFS_FRAME_HEAD;
    uint8_t *rooms[] = {vfs->sealed, vfs->wal.held_frame, vfs->wal.frame};
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
        if (rooms[i]) {
            sk_wipe(rooms[i], frame);
            free(rooms[i]);
        }
    sk_buf_clear(&vfs->wal.tags);
    sk_secret_free(vfs->keys);
    forget_paths(vfs);
    free(vfs);
}

static enum sk_status derive_keys(struct sk_vfs *vfs, const struct sk_vfs_options *options)
{
    static const enum sk_label labels[KEY_COUNT] = {SK_LABEL_PREAMBLE, SK_LABEL_PAGE, SK_LABEL_WAL};
    SK_TRY(sk_secret_new(&vfs->keys, (size_t)KEY_COUNT * SK_AEAD_KEY_LEN));
    for (size_t i = 0; i < KEY_COUNT; i++)
        sk_hash_of(sk_secret_bytes(vfs->keys) + i * SK_AEAD_KEY_LEN, options->store_key, labels[i],
                   options->store_id, VFS_STORE_ID_LEN);
    return SK_OK;
}

static enum sk_status allocate(struct sk_vfs *vfs)
{
    size_t frame = vfs->page_size + VFS_FRAME_HEAD;
    vfs->sealed = calloc(1, frame);
    vfs->wal.held_frame = calloc(1, frame);
    vfs->wal.frame = calloc(1, frame);
    return vfs->sealed && vfs->wal.held_frame && vfs->wal.frame ? SK_OK : SK_NOMEM;
}

static void name_it(struct sk_vfs *vfs, const char *name)
{
    static atomic_uint counter;
    if (name)
        (void)snprintf(vfs->name, sizeof(vfs->name), "%s", name);
    else
        (void)snprintf(vfs->name, sizeof(vfs->name), "skrynia-%u", atomic_fetch_add(&counter, 1));
}

static bool page_size_allowed(unsigned size)
{
    return size >= PAGE_SIZE_MIN && size <= PAGE_SIZE_MAX && (size & (size - 1)) == 0;
}

enum sk_status sk_vfs_register(struct sk_vfs **out, const struct sk_vfs_options *options,
                               struct sk_error *err)
{
    unsigned page_size = options->page_size ? options->page_size : SK_VFS_PAGE_SIZE;
    sqlite3_vfs *base = sqlite3_vfs_find(options->base);
    if (!base || !page_size_allowed(page_size))
        return sk_fail(err, SK_INTERNAL, "there is no such VFS or page size");

    struct sk_vfs *vfs = calloc(1, sizeof(*vfs));
    if (!vfs)
        return sk_fail_status(err, SK_NOMEM);
    vfs->base = base;
    vfs->page_size = page_size;
    vfs->create = options->create;
    vfs->read_only = options->read_only;
    memcpy(vfs->store_id, options->store_id, VFS_STORE_ID_LEN);
    name_it(vfs, options->name);
    vfs->methods = method_table;
    vfs->methods.szOsFile = (int)sizeof(struct vfs_file) + base->szOsFile;
    vfs->methods.mxPathname = base->mxPathname;
    vfs->methods.zName = vfs->name;
    if (derive_keys(vfs, options) != SK_OK || allocate(vfs) != SK_OK ||
        sqlite3_vfs_register(&vfs->methods, 0) != SQLITE_OK) {
        vfs_free(vfs);
        return sk_fail_status(err, SK_NOMEM);
    }
    *out = vfs;
    return SK_OK;
}

void sk_vfs_unregister(struct sk_vfs *vfs)
{
    if (!vfs)
        return;
    sqlite3_vfs_unregister(&vfs->methods);
    vfs_free(vfs);
}

const char *sk_vfs_name(const struct sk_vfs *vfs)
{
    return vfs->name;
}

const char *sk_vfs_fault(const struct sk_vfs *vfs)
{
    return vfs->fault[0] != '\0' ? vfs->fault : NULL;
}

enum sk_status sk_vfs_trouble(const struct sk_vfs *vfs)
{
    return vfs->trouble;
}

bool sk_vfs_unsure(const struct sk_vfs *vfs)
{
    return vfs->unsure;
}

bool sk_vfs_recovered(const struct sk_vfs *vfs)
{
    return vfs->recovered;
}

/* ---- checking ---- */

/* Through the VFS below, which knows that closing a second descriptor would drop SQLite's locks. */
static int check_closed(struct sk_vfs *vfs, struct vfs_file *file, const char *path,
                        sk_vfs_bad_page_fn *each, void *context)
{
    const char *name = sqlite3_create_filename(path, "", "", 0, NULL);
    if (!name)
        return SQLITE_NOMEM;
    int rc = open_base(vfs, name, file->base, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB, NULL);
    if (rc == SQLITE_OK) {
        rc = vfs_main_check(vfs, file, each, context);
        file->base->pMethods->xClose(file->base);
    }
    sqlite3_free_filename(name);
    return rc;
}

enum sk_status sk_vfs_check(struct sk_vfs *vfs, const char *path, sk_vfs_bad_page_fn *each,
                            void *context, struct sk_error *err)
{
    int rc = SQLITE_NOMEM;
    if (vfs->main) {
        rc = vfs_main_check(vfs, vfs->main, each, context);
    } else {
        struct vfs_file *file = calloc(1, (size_t)vfs->methods.szOsFile);
        if (!file)
            return sk_fail_status(err, SK_NOMEM);
        file->base = (sqlite3_file *)(void *)(file + 1);
        rc = check_closed(vfs, file, path, each, context);
        free(file);
    }
    if (rc != SQLITE_OK)
        return sk_fail(err, SK_IO, "%s cannot be read", path);
    return SK_OK;
}
