/*
 * Reads the test vectors under tests/vectors: text files of blocks, divided by empty lines, of
 * lines "name = value". Lines that begin with '#' name the source. In a value "\n" is a newline.
 *
 * Anything wrong with a file ends the test program with a message: a vector that is not read must
 * not pass for one that holds.
 */
#ifndef SK_TESTS_VECTORS_H
#define SK_TESTS_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SK_VECTOR_FIELDS_MAX 12
#define SK_VECTOR_NAME_MAX   32
#define SK_VECTOR_VALUE_MAX  8192

struct sk_vector_field {
    char name[SK_VECTOR_NAME_MAX];
    char value[SK_VECTOR_VALUE_MAX];
};

struct sk_vectors {
    const char *path;
    FILE *file;
    size_t count;
    struct sk_vector_field fields[SK_VECTOR_FIELDS_MAX];
};

/* Opens a file of vectors; path is relative to tests/. Closed when the last block was read. */
struct sk_vectors *sk_vectors_open(const char *path);

/* Reads the next block; 0 at the end, and then frees. */
int sk_vectors_next(struct sk_vectors *v);

/* Whether this block has a field, and the field as text, as a number, as bytes given in hex. */
int sk_vectors_has(const struct sk_vectors *v, const char *name);
const char *sk_vectors_text(const struct sk_vectors *v, const char *name);
uint64_t sk_vectors_number(const struct sk_vectors *v, const char *name);
size_t sk_vectors_bytes(const struct sk_vectors *v, const char *name, uint8_t *out, size_t max);

/* The same with base64; and a field of exactly `len` bytes in hex. */
size_t sk_vectors_base64(const struct sk_vectors *v, const char *name, uint8_t *out, size_t max);
void sk_vectors_exactly(const struct sk_vectors *v, const char *name, uint8_t *out, size_t len);

#endif
