#include "crypto/status.h"

#include <ctype.h>
#include <stddef.h>

#define NAME_MAX_LEN 16

struct row {
    int exit_code;
    const char *sentence;
    const char *upper;
};

static const struct row rows[SK_STATUS_COUNT] = {
#define ROW(name, exit_code, sentence) [SK_##name] = {exit_code, sentence, #name},
    SK_STATUS_LIST(ROW)
#undef ROW
};

#define CHECK_NAME(name, exit_code, sentence) \
    _Static_assert(sizeof(#name) <= NAME_MAX_LEN, "the name of a status is too long");
SK_STATUS_LIST(CHECK_NAME)
#undef CHECK_NAME

static char lower_names[SK_STATUS_COUNT][NAME_MAX_LEN];

/*
 * The list holds the names in upper case, and C has no way to fold a literal. Done before main(),
 * so that no thread ever sees a half-written name.
 */
__attribute__((constructor)) static void fill_lower_names(void)
{
    for (size_t s = 0; s < SK_STATUS_COUNT; s++)
        for (size_t i = 0; rows[s].upper[i] != '\0'; i++)
            lower_names[s][i] = (char)tolower((unsigned char)rows[s].upper[i]);
}

/* A number that is no status can only come from a fault of the program itself. */
static size_t row_of(enum sk_status status)
{
    size_t index = (size_t)status;
    return index < SK_STATUS_COUNT ? index : SK_INTERNAL;
}

const char *sk_status_text(enum sk_status status)
{
    return rows[row_of(status)].sentence;
}

const char *sk_status_name(enum sk_status status)
{
    return lower_names[row_of(status)];
}

int sk_status_exit_code(enum sk_status status)
{
    return rows[row_of(status)].exit_code;
}
