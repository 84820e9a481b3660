/*
 * The only place that includes sqlite3.h. Private to core: for the files of the database (db*.c)
 * and of the VFS (vfs*.c); everybody else speaks to the database through core/db.h.
 */
#ifndef SK_CORE_SQLITE_H
#define SK_CORE_SQLITE_H

#include <sqlite3.h>

#endif
