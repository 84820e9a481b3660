/*
 * Devices as the archive knows them: found by what a person types, invited and silent, with gaps.
 */
#include "sync/import.h"

#include "core/text.h"

#include <ctype.h>
#include <string.h>

#define LOG_ID_DIGITS_MIN 8
#define SAFETY_GROUPS     12
#define SAFETY_DIGITS     60

enum sk_status sk_log_gaps(struct sk_store *store, int64_t log, struct sk_ranges *out,
                           struct sk_error *err)
{
    sk_auto_ranges held = SK_RANGES_INIT;
    SK_TRY(sk_log_ranges(store, log, &held, err));
    uint64_t end = held.count > 0 ? held.items[held.count - 1].to : 0;
    return sk_ranges_missing(out, &held, end, err);
}

enum sk_status sk_invited_each(struct sk_store *store, sk_invited_each_fn *each, void *context,
                               struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT alias FROM peer WHERE log IS NULL ORDER BY id", err));
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(each(context, sk_column_text(stmt, 0), err));
    }
}

/* ---- finding ---- */

struct search {
    const char *text;
    char digits[SAFETY_DIGITS + 1]; /* "" when the text is no safety number */
    bool waiting;
    struct sk_log log;
    unsigned count;
};

/* Sixty digits, with spaces or hyphens anywhere. */
static void read_digits(struct search *search)
{
    char digits[SAFETY_DIGITS + 1] = "";
    size_t count = 0;
    for (const char *at = search->text; *at; at++) {
        if (*at == ' ' || *at == '-')
            continue;
        if (!isdigit((unsigned char)*at) || count == SAFETY_DIGITS)
            return;
        digits[count++] = *at;
    }
    if (count == SAFETY_DIGITS)
        memcpy(search->digits, digits, sizeof(digits));
}

static bool fits_log_id(const char *text, const uint8_t log_id[static SK_HASH_LEN])
{
    char hex[2 * SK_HASH_LEN + 1];
    size_t len = strlen(text);
    sk_hex(hex, log_id, SK_HASH_LEN);
    return len >= LOG_ID_DIGITS_MIN && len < sizeof(hex) && strncasecmp(hex, text, len) == 0;
}

static bool fits_safety(const char *digits, const uint8_t log_id[static SK_HASH_LEN])
{
    char number[SAFETY_GROUPS * 6];
    size_t at = 0;
    if (!digits[0])
        return false;
    sk_digits(number, SAFETY_GROUPS, SK_LABEL_SAFETY, log_id);
    for (const char *from = number; *from; from++)
        if (*from != ' ' && *from != digits[at++])
            return false;
    return true;
}

static enum sk_status look(void *context, const struct sk_log *log, struct sk_error *err)
{
    struct search *search = context;
    (void)err;
    if (search->waiting && log->state != SK_LOG_STATE_WAITING)
        return SK_OK;
    if (strcmp(log->alias, search->text) != 0 && !fits_log_id(search->text, log->log_id) &&
        !fits_safety(search->digits, log->log_id))
        return SK_OK;
    if (search->count++ == 0)
        search->log = *log;
    return SK_OK;
}

enum sk_status sk_device_find(struct sk_store *store, const char *text, bool waiting,
                              struct sk_log *out, struct sk_error *err)
{
    struct search search = {.text = text, .waiting = waiting};
    read_digits(&search);
    SK_TRY(sk_log_each(store, look, &search, err));
    if (search.count == 0)
        return sk_fail(err, SK_MISSING,
                       waiting ? "no device of this name waits for approval"
                               : "nothing has come from a device of this name");
    if (search.count > 1)
        return sk_fail(
            err, SK_USAGE,
            "several devices fit: name one by its log's id (its first 8 digits or more), "
            "which 'devices' shows, or by its safety number in quotes");
    *out = search.log;
    return SK_OK;
}
