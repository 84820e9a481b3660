#include "tests/support/vectors.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noreturn)) static void fail(const struct sk_vectors *v, const char *what,
                                           const char *name)
{
    fprintf(stderr, "%s: %s: %s\n", v->path, what, name);
    abort();
}

struct sk_vectors *sk_vectors_open(const char *path)
{
    struct sk_vectors *v = calloc(1, sizeof(*v));
    if (!v)
        abort();
    v->path = path;
    v->file = fopen(path, "r");
    if (!v->file)
        fail(v, "cannot be opened", "run the tests in the folder tests");
    return v;
}

/* Turns the two characters "\n" into a newline, in place. */
static void unescape(char *value)
{
    char *to = value;
    for (const char *from = value; *from != '\0'; from++) {
        if (from[0] == '\\' && from[1] == 'n') {
            *to++ = '\n';
            from++;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

static void add_field(struct sk_vectors *v, const char *line)
{
    const char *equals = strstr(line, " =");
    if (!equals || v->count == SK_VECTOR_FIELDS_MAX)
        fail(v, "a line is not of the form \"name = value\", or a block is too long", line);
    struct sk_vector_field *field = &v->fields[v->count];
    const char *value = equals[2] == ' ' ? equals + 3 : equals + 2;
    size_t name_len = (size_t)(equals - line);
    if (name_len >= sizeof(field->name) || strlen(value) >= sizeof(field->value))
        fail(v, "too long", line);
    memset(field, 0, sizeof(*field));
    memcpy(field->name, line, name_len);
    memcpy(field->value, value, strlen(value));
    unescape(field->value);
    v->count++;
}

int sk_vectors_next(struct sk_vectors *v)
{
    static char line[SK_VECTOR_NAME_MAX + SK_VECTOR_VALUE_MAX];

    v->count = 0;
    while (fgets(line, sizeof(line), v->file)) {
        size_t len = strcspn(line, "\n");
        if (len + 1 == sizeof(line))
            fail(v, "a line is too long", line);
        line[len] = '\0';
        if (line[0] == '#')
            continue;
        if (len > 0)
            add_field(v, line);
        else if (v->count > 0)
            return 1;
    }
    if (v->count > 0)
        return 1;
    (void)fclose(v->file);
    free(v);
    return 0;
}

static const char *find(const struct sk_vectors *v, const char *name)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->fields[i].name, name) == 0)
            return v->fields[i].value;
    return NULL;
}

int sk_vectors_has(const struct sk_vectors *v, const char *name)
{
    return find(v, name) != NULL;
}

const char *sk_vectors_text(const struct sk_vectors *v, const char *name)
{
    const char *value = find(v, name);
    if (!value)
        fail(v, "a field is missing", name);
    return value;
}

uint64_t sk_vectors_number(const struct sk_vectors *v, const char *name)
{
    char *end = NULL;
    const char *value = sk_vectors_text(v, name);
    uint64_t number = strtoull(value, &end, 10);
    if (end == value || *end != '\0')
        fail(v, "not a number", name);
    return number;
}

size_t sk_vectors_bytes(const struct sk_vectors *v, const char *name, uint8_t *out, size_t max)
{
    const char *value = sk_vectors_text(v, name);
    size_t len = 0;
    if (sodium_hex2bin(out, max, value, strlen(value), NULL, &len, NULL) ||
        len * 2 != strlen(value))
        fail(v, "not hexadecimal, or too long", name);
    return len;
}

size_t sk_vectors_base64(const struct sk_vectors *v, const char *name, uint8_t *out, size_t max)
{
    const char *value = sk_vectors_text(v, name);
    size_t len = 0;
    if (sodium_base642bin(out, max, value, strlen(value), NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL))
        fail(v, "not base64, or too long", name);
    return len;
}

void sk_vectors_exactly(const struct sk_vectors *v, const char *name, uint8_t *out, size_t len)
{
    if (sk_vectors_bytes(v, name, out, len) != len)
        fail(v, "too short", name);
}
