/*
 * Whether a passphrase is among those that are tried first. It warns; it never decides. Measured is
 * how few pieces the passphrase is made of: words that many people choose (cli/common.txt), typed
 * on either keyboard layout and with digits for letters; runs of one key, of the alphabet, of a row
 * of keys; years and dates; repetitions.
 */
#ifndef SK_CLI_STRENGTH_H
#define SK_CLI_STRENGTH_H

#include <stddef.h>
#include <stdint.h>

/* What is wrong with it, to be said after "this passphrase "; NULL for nothing. text: UTF-8. */
const char *sk_passphrase_weakness(const char *text, size_t len);

/* The same for a key file's bytes, to be said after "this key file ". */
const char *sk_key_file_weakness(const uint8_t *bytes, size_t len);

#endif
