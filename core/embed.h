/* Data files that are compiled in (schema steps, forms, words): see embed.cmake. */
#ifndef SK_CORE_EMBED_H
#define SK_CORE_EMBED_H

#include <stddef.h>

struct sk_embedded_file {
    const char *name; /* without the folder; NULL closes the array */
    const char *text; /* ends in NUL */
    size_t len;       /* without the NUL */
};

extern const struct sk_embedded_file sk_embedded_migrations[];
extern const struct sk_embedded_file sk_embedded_forms[];

#endif
