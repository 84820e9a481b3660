/*
 * The only place that includes sqlite3.h. Private to core: for db.c and the files of the VFS
 * (vfs*.c); everybody else speaks to the database through core/db.h.
 */
#ifndef SK_CORE_SQLITE_H
#define SK_CORE_SQLITE_H

#include <sqlite3.h>

#endif
