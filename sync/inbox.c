#include "sync/inbox.h"

#include "core/file_watch.h"
#include "sync/volume.h"

#include <stdlib.h>
#include <string.h>

struct sk_inbox_file {
    char *path;
    struct sk_file_look look;
    uint64_t due_ms;     /* when it is to be tried; not of what is settled for good */
    unsigned delay_ms;   /* of the last try that failed for another reason; 0: none did */
    enum sk_status told; /* SK_OK: nothing was told yet */
    bool settled;        /* for good, while it is in this state */
    bool there;          /* seen by the look that is going on */
};

struct sk_inbox {
    char *dir;
    struct sk_inbox_file *items; /* SK_INBOX_FILES_MAX places */
    size_t count;
    size_t sorted; /* the first so many stand by their names; behind them, what is new */
    bool overflows;
};

enum sk_status sk_inbox_new(struct sk_inbox **out, const char *dir, struct sk_error *err)
{
    struct sk_inbox *inbox = calloc(1, sizeof(*inbox));
    if (!inbox)
        return sk_fail_status(err, SK_NOMEM);
    inbox->dir = strdup(dir);
    inbox->items = calloc(SK_INBOX_FILES_MAX, sizeof(*inbox->items));
    if (!inbox->dir || !inbox->items) {
        sk_inbox_free(inbox);
        return sk_fail_status(err, SK_NOMEM);
    }
    *out = inbox;
    return SK_OK;
}

void sk_inbox_free(struct sk_inbox *inbox)
{
    if (!inbox)
        return;
    for (size_t i = 0; i < inbox->count; i++)
        free(inbox->items[i].path);
    free(inbox->items);
    free(inbox->dir);
    free(inbox);
}

/* ---- looking ---- */

static int by_path(const void *one, const void *other)
{
    const struct sk_inbox_file *a = one;
    const struct sk_inbox_file *b = other;
    return strcmp(a->path, b->path);
}

/* A state that was not seen before has to last. */
static void begin(struct sk_inbox_file *file, const struct sk_file_look *look, uint64_t now_ms)
{
    unsigned still =
        sk_volume_length_valid(look->bytes) ? SK_INBOX_STILL_MS : SK_INBOX_STILL_ODD_MS;
    file->look = *look;
    file->due_ms = now_ms + still;
    file->delay_ms = 0;
    file->told = SK_OK;
    file->settled = false;
}

struct looking {
    struct sk_inbox *inbox;
    uint64_t now_ms;
};

static enum sk_status look_at_name(void *context, const char *name, struct sk_error *err)
{
    const struct looking *looking = context;
    struct sk_inbox *inbox = looking->inbox;
    sk_auto_free char *path = NULL;
    struct sk_file_look look;
    bool regular = false;
    if (name[0] == '.')
        return SK_OK;
    SK_TRY(sk_path_join(&path, inbox->dir, name, err));
    /* Gone meanwhile, or nothing that could be a bundle, or not to be looked at: another time. */
    if (sk_file_look(&look, path, &regular, NULL) != SK_OK || !regular)
        return SK_OK;
    const struct sk_inbox_file key = {.path = path};
    struct sk_inbox_file *file = bsearch(&key, inbox->items, inbox->sorted, sizeof(key), by_path);
    if (!file && inbox->count == SK_INBOX_FILES_MAX) {
        inbox->overflows = true;
        return SK_OK;
    }
    if (!file) {
        file = &inbox->items[inbox->count++];
        begin(file, &look, looking->now_ms);
        file->path = SK_TAKE(path);
    } else if (!sk_file_look_same(&file->look, &look)) {
        begin(file, &look, looking->now_ms);
    }
    file->there = true;
    return SK_OK;
}

/* Also after a look that was broken off, so that what is new is found the next time. */
static void sort(struct sk_inbox *inbox)
{
    qsort(inbox->items, inbox->count, sizeof(*inbox->items), by_path);
    inbox->sorted = inbox->count;
}

enum sk_status sk_inbox_look(struct sk_inbox *inbox, uint64_t now_ms, struct sk_error *err)
{
    struct looking looking = {inbox, now_ms};
    size_t kept = 0;
    for (size_t i = 0; i < inbox->count; i++)
        inbox->items[i].there = false;
    inbox->overflows = false;
    enum sk_status status = sk_dir_each(inbox->dir, look_at_name, &looking, err);
    for (size_t i = 0; status == SK_OK && i < inbox->count; i++) {
        if (inbox->items[i].there)
            inbox->items[kept++] = inbox->items[i];
        else
            free(inbox->items[i].path);
    }
    if (status == SK_OK)
        inbox->count = kept;
    sort(inbox);
    return status;
}

bool sk_inbox_overflows(const struct sk_inbox *inbox)
{
    return inbox->overflows;
}

/* ---- one file ---- */

struct sk_inbox_file *sk_inbox_next(struct sk_inbox *inbox, uint64_t now_ms)
{
    for (size_t i = 0; i < inbox->count; i++) {
        struct sk_inbox_file *file = &inbox->items[i];
        if (!file->settled && file->due_ms <= now_ms)
            return file;
    }
    return NULL;
}

const char *sk_inbox_path(const struct sk_inbox_file *file)
{
    return file->path;
}

unsigned sk_inbox_pause_ms(const struct sk_inbox *inbox, uint64_t now_ms, unsigned most)
{
    uint64_t least = most;
    for (size_t i = 0; i < inbox->count; i++) {
        const struct sk_inbox_file *file = &inbox->items[i];
        uint64_t left = file->due_ms > now_ms ? file->due_ms - now_ms : 0;
        if (!file->settled && left < least)
            least = left;
    }
    return (unsigned)least;
}

enum sk_status sk_inbox_open(const struct sk_inbox_file *file, struct sk_file **out,
                             struct sk_error *err)
{
    sk_auto_file opened = NULL;
    struct sk_file_look now;
    bool regular = false;
    /* Looked at before it is opened: opening a pipe or a device does something to it. */
    SK_TRY(sk_file_look(&now, file->path, &regular, err));
    if (!regular || !sk_file_look_same(&now, &file->look))
        return sk_fail(err, SK_MISSING, "%s has changed", file->path);
    SK_TRY(sk_file_open_unlinked(&opened, file->path, err));
    SK_TRY(sk_file_look_open(&now, opened, err));
    if (!sk_file_look_same(&now, &file->look))
        return sk_fail(err, SK_MISSING, "%s has changed", file->path);
    *out = SK_TAKE(opened);
    return SK_OK;
}

static bool stands(const struct sk_inbox_file *file)
{
    struct sk_file_look now;
    bool regular = false;
    return sk_file_look(&now, file->path, &regular, NULL) == SK_OK && regular &&
           sk_file_look_same(&now, &file->look);
}

static void put_off(struct sk_inbox_file *file, uint64_t now_ms)
{
    unsigned delay = file->delay_ms > 0 ? 2 * file->delay_ms : SK_INBOX_RETRY_MS;
    file->delay_ms = delay < SK_INBOX_RETRY_MAX_MS ? delay : SK_INBOX_RETRY_MAX_MS;
    file->due_ms = now_ms + file->delay_ms;
}

bool sk_inbox_settle(struct sk_inbox_file *file, enum sk_inbox_outcome outcome,
                     enum sk_status status, uint64_t now_ms)
{
    if (outcome == SK_INBOX_GONE || (outcome != SK_INBOX_TAKEN && !stands(file))) {
        /* The next look finds it in its new state, or not any more. */
        put_off(file, now_ms);
        return false;
    }
    bool tell = outcome == SK_INBOX_TAKEN || file->told != status;
    file->told = status;
    file->settled = outcome != SK_INBOX_LATER;
    if (!file->settled)
        put_off(file, now_ms);
    return tell;
}
