/*
 * The encrypting VFS for programs that are not ours: SQLite's own test programs, its shell, Python.
 * Built with the tests as libsk_test_vfs.so and never installed. It calls SQLite through the
 * dynamic symbols of whatever program it is loaded into.
 *
 * A program either calls the functions below, or is started with LD_PRELOAD=libsk_test_vfs.so and
 *
 *   SK_TEST_VFS_NAME       name to register; without it nothing is registered
 *   SK_TEST_VFS_KEY        the store key, 64 hex digits
 *   SK_TEST_VFS_BASE       the VFS below, by name; default: SQLite's default one
 *   SK_TEST_VFS_PAGE_SIZE  1024 to 65536, a power of two; default 4096
 *   SK_TEST_VFS_JOURNALS   1: shared memory and journals too; default 0
 *   SK_TEST_VFS_DEFAULT    1: the VFS becomes the default one; default 0
 *
 * The VFS of core serves one database per registration and refuses all but the database and its
 * log. Here every database that is opened under the name gets such a VFS of its own, over the base.
 * Without `journals` everything else is refused, as in the programs: WAL needs
 * locking_mode=EXCLUSIVE, temporary data temp_store=MEMORY. With it, rollback journals, shared
 * memory and temporary files go to the base AS PLAIN TEXT, and a log may be used by several
 * connections and processes; what a crash then leaves is not what the programs promise.
 *
 * An empty database takes page size and reserved bytes by itself. All use one store id of zeros.
 */
#ifndef SK_TESTS_VFS_ENTRY_H
#define SK_TESTS_VFS_ENTRY_H

#include <stdint.h>

#define SK_TEST_VFS_KEY_LEN 32

/*
 * Registers. base: NULL for SQLite's default. page_size: 0 for 4096. journals: see above. Returns a
 * result code of SQLite's; SQLITE_MISUSE for a base, page size or name that cannot be.
 */
int sk_test_vfs_register(const char *name, const char *base,
                         const uint8_t key[static SK_TEST_VFS_KEY_LEN], unsigned page_size,
                         int journals);

/* Every database is closed first. SQLITE_NOTFOUND when there is no such VFS of ours. */
int sk_test_vfs_unregister(const char *name);

/* For sqlite3_load_extension(): keeps the library loaded, with what the environment asked for. */
struct sqlite3;
struct sqlite3_api_routines;
int sqlite3_extension_init(struct sqlite3 *db, char **message,
                           const struct sqlite3_api_routines *api);

#endif
