/*
 * Folders for one test, and whole files in them. Anything that fails ends the test program with a
 * message: a test must not go on with a file that is not what it thinks.
 */
#ifndef SK_TESTS_TEMP_DIR_H
#define SK_TESTS_TEMP_DIR_H

#include <stddef.h>
#include <stdint.h>

/* A new empty folder (0700) under $TMPDIR or /tmp; removed and freed by sk_temp_dir_remove(). */
char *sk_temp_dir_make(void);
void sk_temp_dir_remove(char *dir); /* NULL is allowed */

/* "<dir>/<name>" in a new string. */
char *sk_temp_path(const char *dir, const char *name);

/* A whole file: its bytes in new memory; NULL with *len 0 when there is none. */
uint8_t *sk_temp_read(const char *path, size_t *len);
void sk_temp_write(const char *path, const void *bytes, size_t len);
void sk_temp_copy(const char *from, const char *to); /* removes `to` when there is no `from` */

/* Whether the bytes of `needle` stand somewhere in the file. */
int sk_temp_contains(const char *path, const void *needle, size_t len);

#endif
