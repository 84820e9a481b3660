/*
 * A VFS that passes everything on to another one and can fail an operation, to be put above or
 * below the encrypting VFS. At most four exist at a time.
 */
#ifndef SK_TESTS_FAULT_VFS_H
#define SK_TESTS_FAULT_VFS_H

#include <stdbool.h>

/* Registers over `base` (NULL: SQLite's default). A result code of SQLite's. */
int sk_fault_vfs_register(const char *name, const char *base);
void sk_fault_vfs_unregister(const char *name); /* none of that name: nothing happens */

/* The `number`-th operation from now on fails, and all later ones until armed anew; 0: none. */
void sk_fault_vfs_arm(const char *name, unsigned number);
bool sk_fault_vfs_failed(const char *name);

#endif
