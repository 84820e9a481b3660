/*
 * What tools such as file(1) take the beginning of a file for. A bundle, receipt or invite that
 * begins at random is called a key, a program or a sound by one such tool in thirty cases, and a
 * stick with an "OpenPGP Secret Key" on it is asked about where one with "data" is not.
 */
#ifndef SK_SYNC_LOOKS_H
#define SK_SYNC_LOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether common tools know a format of files whose first two bytes are these. */
bool sk_looks_known(const uint8_t first[static 2]);

/* Fills out with random bytes that do not begin like a known format. At least 2 bytes. */
void sk_looks_random(uint8_t *out, size_t len);

#endif
