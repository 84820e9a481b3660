#include "tests/support/wreck.h"

#include "core/file.h"
#include "core/verify.h"
#include "crypto/hash.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FOLDERS 8
#define LINES_MAX    256
#define NOTHING      "(gone)"

static struct sk_buf said = SK_BUF_INIT;

/* ---- files ---- */

void sk_wreck_set(struct sk_wreck *wreck, const char *name, const uint8_t *bytes, size_t len)
{
    struct sk_wreck_file *file = sk_wreck_find(wreck, name);
    if (!file) {
        if (!bytes)
            return;
        assert_true(wreck->count < SK_WRECK_FILES);
        file = &wreck->files[wreck->count++];
        (void)snprintf(file->name, sizeof(file->name), "%s", name);
    }
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    if (bytes && len > 0)
        memcpy(copy, bytes, len);
    free(file->bytes);
    file->bytes = copy;
    file->len = len;
    if (!bytes) {
        free(file->bytes);
        *file = wreck->files[--wreck->count];
    }
}

static void take_file(struct sk_wreck *wreck, const char *path, const char *name)
{
    char *full = sk_temp_path(path, name);
    size_t len;
    uint8_t *bytes = sk_temp_read(full, &len);
    if (bytes)
        sk_wreck_set(wreck, name, bytes, len);
    free(bytes);
    free(full);
}

struct taking {
    struct sk_wreck *wreck;
    const char *path;
};

static enum sk_status take_media(void *context, const char *name, struct sk_error *err)
{
    struct taking *taking = context;
    char within[64];
    (void)err;
    (void)snprintf(within, sizeof(within), "media/%s", name);
    take_file(taking->wreck, taking->path, within);
    return SK_OK;
}

struct sk_wreck sk_wreck_take(const char *path)
{
    struct sk_wreck wreck = {.count = 0};
    struct taking taking = {&wreck, path};
    take_file(&wreck, path, "keys");
    take_file(&wreck, path, "data");
    take_file(&wreck, path, "data-wal");
    char *media = sk_temp_path(path, "media");
    EXPECT_OK(sk_dir_each(media, take_media, &taking, &sk_test_err));
    free(media);
    return wreck;
}

struct sk_wreck sk_wreck_copy(const struct sk_wreck *wreck)
{
    struct sk_wreck copy = {.count = 0};
    for (unsigned i = 0; i < wreck->count; i++)
        sk_wreck_set(&copy, wreck->files[i].name, wreck->files[i].bytes, wreck->files[i].len);
    return copy;
}

void sk_wreck_clear(struct sk_wreck *wreck)
{
    for (unsigned i = 0; i < wreck->count; i++)
        free(wreck->files[i].bytes);
    wreck->count = 0;
}

struct sk_wreck_file *sk_wreck_find(struct sk_wreck *wreck, const char *name)
{
    for (unsigned i = 0; i < wreck->count; i++)
        if (strcmp(wreck->files[i].name, name) == 0 ||
            (strcmp(name, "media") == 0 && strncmp(wreck->files[i].name, "media/", 6) == 0))
            return &wreck->files[i];
    return NULL;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)st, (void)kind, (void)place;
    return remove(path);
}

void sk_wreck_put(const struct sk_wreck *wreck, const char *path)
{
    char *media = sk_temp_path(path, "media");
    (void)nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(mkdir(media, 0700), 0);
    free(media);
    for (unsigned i = 0; i < wreck->count; i++) {
        char *full = sk_temp_path(path, wreck->files[i].name);
        sk_temp_write(full, wreck->files[i].bytes, wreck->files[i].len);
        free(full);
    }
}

void sk_wreck_in_memory(void)
{
    struct stat st;
    if (stat("/dev/shm", &st) == 0 && access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0);
}

/* ---- what a store shows ---- */

struct telling {
    struct sk_store *store;
    const struct sk_item *item;
    const char *scratch; /* a path for what is extracted */
    struct sk_wreck_story *story;
    bool failed; /* something could not be read */
};

static void tell(struct telling *telling, const char *format, ...) SK_PRINTF(2, 3);
static void tell(struct telling *telling, const char *format, ...)
{
    struct sk_wreck_story *story = telling->story;
    va_list args;
    if (!story->lines)
        story->lines = calloc(LINES_MAX, sizeof(*story->lines));
    assert_non_null(story->lines);
    assert_true(story->count < LINES_MAX);
    va_start(args, format);
    assert_true(vasprintf(&story->lines[story->count++], format, args) > 0);
    va_end(args);
}

/* What cannot be read is no part of the story; it has to be damage, and say so. */
static void missed(struct telling *telling, enum sk_status status, const struct sk_error *err)
{
    if (status == SK_OK)
        return;
    if (status != SK_DAMAGED && status != SK_MISSING)
        fail_msg("reading gave %s: %s", sk_status_name(status), err->text);
    assert_string_not_equal(err->text, "");
    telling->failed = true;
}

static const char *hex_id(const struct sk_id *id)
{
    static char texts[4][SK_ID_TEXT_LEN];
    static unsigned next;
    char *text = texts[next++ % 4];
    sk_id_format(text, id);
    return text;
}

static enum sk_status tell_revision(void *context, uint64_t position, const struct sk_entry *entry,
                                    struct sk_error *ignored)
{
    struct telling *telling = context;
    struct sk_error err = SK_ERROR_INIT;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool found = false;
    (void)ignored;
    enum sk_status status =
        sk_payload_load(telling->store, SK_LOG_OWN, position, &payload, &found, &err);
    missed(telling, status, &err);
    if (status == SK_OK)
        tell(telling, "revision %s %llu %u %s", hex_id(&telling->item->id),
             (unsigned long long)position, entry->revision,
             found ? sk_buf_text(&payload.text) : NOTHING);
    return SK_OK;
}

static enum sk_status tell_link(void *context, const struct sk_id *link, const char *role,
                                const struct sk_id *other, struct sk_error *err)
{
    struct telling *telling = context;
    (void)err;
    tell(telling, "link %s %s %s", hex_id(link), role, hex_id(other));
    return SK_OK;
}

static enum sk_status tell_attachment(void *context, const struct sk_attachment *attachment,
                                      struct sk_error *ignored)
{
    struct telling *telling = context;
    struct sk_error err = SK_ERROR_INIT;
    sk_auto_item item = {.title = NULL};
    uint8_t hash[SK_HASH_LEN];
    (void)ignored;
    tell(telling, "attachment %s %s %llu", hex_id(&attachment->id), attachment->name,
         (unsigned long long)attachment->size);
    enum sk_status status = sk_item_get(telling->store, SK_LOG_OWN, &attachment->id, &item, &err);
    if (status == SK_OK)
        status = sk_attachment_extract(telling->store, &item, telling->scratch, NULL, &err);
    missed(telling, status, &err);
    if (status != SK_OK)
        return SK_OK;
    size_t len;
    uint8_t *bytes = sk_temp_read(telling->scratch, &len);
    sk_hash_of(hash, NULL, SK_LABEL_KEY_FILE, bytes, len);
    tell(telling, "body %s %02x%02x%02x%02x", hex_id(&attachment->id), hash[0], hash[1], hash[2],
         hash[3]);
    free(bytes);
    assert_int_equal(unlink(telling->scratch), 0);
    return SK_OK;
}

static enum sk_status tell_item(void *context, const struct sk_item *item, struct sk_error *ignored)
{
    struct telling *telling = context;
    struct sk_error errs[3] = {SK_ERROR_INIT, SK_ERROR_INIT, SK_ERROR_INIT};
    (void)ignored;
    telling->item = item;
    tell(telling, "item %s %u %u %s", hex_id(&item->id), item->type, item->revision, item->title);
    missed(telling, sk_item_history(telling->store, item, tell_revision, telling, &errs[0]),
           &errs[0]);
    missed(telling, sk_link_each(telling->store, item, false, tell_link, telling, &errs[1]),
           &errs[1]);
    missed(telling, sk_attachment_each(telling->store, item, tell_attachment, telling, &errs[2]),
           &errs[2]);
    return SK_OK;
}

struct query {
    struct telling *telling;
    const char *word;
};

static enum sk_status tell_hit(void *context, const struct sk_item *item, struct sk_error *err)
{
    const struct query *query = context;
    (void)err;
    tell(query->telling, "hit %s %s", query->word, hex_id(&item->id));
    return SK_OK;
}

/* What searching finds. */
static void tell_hits(struct telling *telling)
{
    static const char *const asked[] = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta"};
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        struct sk_error err = SK_ERROR_INIT;
        struct query query = {telling, asked[i]};
        missed(telling, sk_item_search(telling->store, asked[i], tell_hit, &query, &err), &err);
    }
}

/* False when something could not be read. */
static bool tell_store(struct sk_store *store, const char *path, struct sk_wreck_story *story)
{
    char scratch[600];
    struct sk_error err = SK_ERROR_INIT;
    (void)snprintf(scratch, sizeof(scratch), "%s.out", path);
    struct telling telling = {.store = store, .scratch = scratch, .story = story};
    missed(&telling, sk_item_each(store, 0, tell_item, &telling, &err), &err);
    tell_hits(&telling);
    return !telling.failed;
}

static void clear_story(struct sk_wreck_story *story)
{
    for (size_t i = 0; i < story->count; i++)
        free(story->lines[i]);
    free(story->lines);
    *story = (struct sk_wreck_story){NULL, 0};
}

static bool holds(const struct sk_wreck_story *story, const char *line)
{
    for (size_t i = 0; i < story->count; i++)
        if (strcmp(story->lines[i], line) == 0)
            return true;
    return false;
}

static bool same(const struct sk_wreck_story *a, const struct sk_wreck_story *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = strcmp(a->lines[i], b->lines[i]) == 0;
    return equal;
}

void sk_wreck_learn(struct sk_wreck_trial *trial)
{
    struct sk_store_options options = sk_test_options(trial->path, SK_STORE_DEVICE);
    struct sk_store *store = NULL;
    assert_true(trial->state_count < SK_WRECK_STATES);
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    assert_true(tell_store(store, trial->path, &trial->states[trial->state_count++]));
    EXPECT_OK(sk_store_close(store, &sk_test_err));
}

void sk_wreck_trial_clear(struct sk_wreck_trial *trial)
{
    for (unsigned i = 0; i < trial->state_count; i++)
        clear_story(&trial->states[i]);
    sk_buf_clear(&said);
}

/* ---- trying ---- */

static void say(const char *words)
{
    assert_int_equal(sk_buf_add_text(&said, words, NULL), SK_OK);
    assert_int_equal(sk_buf_add_byte(&said, '\n', NULL), SK_OK);
}

const char *sk_wreck_said(void)
{
    return sk_buf_text(&said);
}

static void note_problem(void *context, const char *sentence)
{
    ++*(unsigned *)context;
    say(sentence);
}

/* `names` holds words divided by '|'; true when one of them was said. */
static bool was_said(const char *names)
{
    while (*names) {
        size_t len = strcspn(names, "|");
        if (memmem(sk_wreck_said(), strlen(sk_wreck_said()), names, len))
            return true;
        names += len + (names[len] != '\0');
    }
    return false;
}

static enum sk_wreck_outcome refused(struct sk_wreck_trial *trial, enum sk_status status,
                                     const char *what, const char *names)
{
    say(sk_test_err.text);
    if (status != SK_DAMAGED && status != SK_MISSING && status != SK_CONFIG &&
        status != SK_WRONG_KEY)
        fail_msg("%s: %s, %s", what, sk_status_name(status), sk_test_err.text);
    if (!was_said(names))
        fail_msg("%s: \"%s\" names none of %s", what, sk_test_err.text, names);
    trial->refused++;
    return SK_WRECK_REFUSED;
}

/* Verifying named something, or not all can be read: what is shown is genuine piece by piece. */
static enum sk_wreck_outcome check_pieces(struct sk_wreck_trial *trial,
                                          const struct sk_wreck_story *story, const char *what,
                                          const char *names)
{
    for (size_t i = 0; i < story->count; i++) {
        bool genuine = strncmp(story->lines[i], "revision ", 9) == 0 &&
                       strstr(story->lines[i], NOTHING); /* missing is not wrong */
        for (unsigned j = 0; j < trial->state_count; j++)
            genuine |= holds(&trial->states[j], story->lines[i]);
        if (!genuine)
            fail_msg("%s: never recorded: %s", what, story->lines[i]);
    }
    if (!was_said(names))
        fail_msg("%s: what is told names none of %s:\n%s", what, names, sk_wreck_said());
    trial->told++;
    return SK_WRECK_TOLD;
}

static enum sk_wreck_outcome check_whole(struct sk_wreck_trial *trial,
                                         const struct sk_wreck_story *story, const char *what)
{
    unsigned at = trial->state_count;
    while (at > 0 && !same(story, &trial->states[at - 1]))
        at--;
    if (at == 0) {
        for (size_t i = 0; i < story->count; i++)
            print_error("    %s\n", story->lines[i]);
        fail_msg("%s: it verifies, and is no state that was committed", what);
    }
    if (at == trial->state_count)
        trial->same++;
    else
        trial->older++;
    return at == trial->state_count ? SK_WRECK_SAME : SK_WRECK_OLDER;
}

enum sk_wreck_outcome sk_wreck_look(struct sk_wreck_trial *trial, const char *what,
                                    const char *names)
{
    struct sk_store_options options = sk_test_options(trial->path, SK_STORE_DEVICE);
    struct sk_store *store = NULL;
    struct sk_wreck_story story = {NULL, 0};
    unsigned problems = 0;

    trial->tried++;
    sk_buf_reset(&said);
    sk_error_clear(&sk_test_err);
    enum sk_status status = sk_store_open(&store, &options, &sk_test_err);
    if (status != SK_OK)
        return refused(trial, status, what, names);
    status = sk_verify(store, note_problem, &problems, NULL, &sk_test_err);
    if (status != SK_OK)
        fail_msg("%s: verifying gave %s, %s", what, sk_status_name(status), sk_test_err.text);
    bool whole = tell_store(store, trial->path, &story);
    (void)sk_store_close(store, NULL);
    if (!whole && problems == 0)
        fail_msg("%s: it verifies, and cannot be read", what);
    enum sk_wreck_outcome outcome =
        problems > 0 ? check_pieces(trial, &story, what, names) : check_whole(trial, &story, what);
    clear_story(&story);
    return outcome;
}

enum sk_wreck_outcome sk_wreck_try(struct sk_wreck_trial *trial, const struct sk_wreck *wreck,
                                   const char *what, const char *names)
{
    sk_wreck_put(wreck, trial->path);
    return sk_wreck_look(trial, what, names);
}

void sk_wreck_print(const struct sk_wreck_trial *trial, const char *what)
{
    print_message("%s: %u tried: %u refused, %u told by verify, %u harmless, %u an earlier "
                  "committed state\n",
                  what, trial->tried, trial->refused, trial->told, trial->same, trial->older);
}
