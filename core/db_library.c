/*
 * SQLite's settings for the whole process: memory that is wiped when freed, no URIs, no mapping.
 */
#include "core/db_internal.h"
#include "crypto/secret.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local bool starved;

static void *mem_malloc(int len)
{
    void *p = malloc((size_t)len);
    starved |= !p;
    return p;
}

static void mem_free(void *p)
{
    if (!p)
        return;
    sk_wipe(p, malloc_usable_size(p));
    free(p);
}

static void *mem_realloc(void *p, int len)
{
    size_t old_len = p ? malloc_usable_size(p) : 0;
    if ((size_t)len <= old_len && (size_t)len > old_len / 2) {
        sk_wipe((uint8_t *)p + len, old_len - (size_t)len);
        return p;
    }
    void *moved = mem_malloc(len);
    if (!moved)
        return NULL;
    if (p)
        memcpy(moved, p, old_len < (size_t)len ? old_len : (size_t)len);
    mem_free(p);
    return moved;
}

static int mem_size(void *p)
{
    return p ? (int)malloc_usable_size(p) : 0;
}

static int mem_roundup(int len)
{
    return (len + 7) & ~7;
}

static int mem_init(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void mem_shutdown(void *context)
{
    (void)context;
}

static pthread_once_t started = PTHREAD_ONCE_INIT;
static bool start_failed;

/* These settings hold for the whole process and only before SQLite's first use. */
static void start(void)
{
    static const sqlite3_mem_methods wiping = {mem_malloc,  mem_free, mem_realloc,  mem_size,
                                               mem_roundup, mem_init, mem_shutdown, NULL};

    start_failed =
        sqlite3_config(SQLITE_CONFIG_MALLOC, &wiping) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_URI, 0) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_MMAP_SIZE, (sqlite3_int64)0, (sqlite3_int64)0) != SQLITE_OK ||
        sqlite3_initialize() != SQLITE_OK;
}

enum sk_status sk_db_start_library(struct sk_error *err)
{
    (void)pthread_once(&started, start);
    if (start_failed)
        return sk_fail(err, SK_CONFIG, "the SQLite library does not take the settings needed");
    return SK_OK;
}

bool sk_db_starved(void)
{
    bool was = starved;
    starved = false;
    return was;
}
