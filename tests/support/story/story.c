#include "tests/support/story/story.h"

#include "core/file.h"
#include "core/rekey.h"
#include "core/sqlite.h"
#include "core/vfs_internal.h"
#include "crypto/aead.h"
#include "tests/support/exchange.h"
#include "tests/support/sim/live_internal.h"
#include "tests/support/sim/power.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NOW_S 1800000000

/* ---- chance ---- */

/*
 * What pages and logs draw is drawn apart. Nonces come by the dozen, and a log may begin early:
 * SQLite that gets no memory for a page writes others out first. What is recorded stays the same.
 */
static uint64_t luck;
static uint64_t apart;
static bool for_log;

static const char *random_name(void)
{
    return "story";
}

static uint32_t random_word(void)
{
    return (uint32_t)sk_sim_draw(&luck, UINT32_MAX);
}

static void random_bytes(void *const out, const size_t len)
{
    uint8_t *to = out;
    bool paging = for_log || len % SK_AEAD_NONCE_LEN == 0;
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = sk_sim_draw(paging ? &apart : &luck, UINT64_MAX);
        memcpy(to + i, &word, len - i < 8 ? len - i : 8);
    }
}

int __real_vfs_log_before_head(struct sk_vfs *vfs, uint8_t id[static VFS_LOG_ID_LEN]);
int __wrap_vfs_log_before_head(struct sk_vfs *vfs, uint8_t id[static VFS_LOG_ID_LEN]);
int __wrap_vfs_log_before_head(struct sk_vfs *vfs, uint8_t id[static VFS_LOG_ID_LEN])
{
    for_log = true;
    int rc = __real_vfs_log_before_head(vfs, id);
    for_log = false;
    return rc;
}

static struct randombytes_implementation implementation = {
    .implementation_name = random_name, .random = random_word, .buf = random_bytes};

void sk_story_random(uint64_t seed)
{
    luck = seed;
    apart = ~seed;
    if (randombytes_set_implementation(&implementation) != 0)
        abort();
    sqlite3_randomness(0, NULL); /* it takes a new seed from its VFS */
}

/* The clock stands, so that an action told again does exactly the same. */
int clock_gettime(clockid_t clock, struct timespec *out)
{
    if (clock != CLOCK_REALTIME)
        return (int)syscall(SYS_clock_gettime, clock, out);
    *out = (struct timespec){.tv_sec = NOW_S};
    return 0;
}

time_t time(time_t *out)
{
    if (out)
        *out = NOW_S;
    return NOW_S;
}

/* ---- parts ---- */

static const struct sk_unlock unlocks[] = {
    {(const uint8_t *)"correct horse", 13, NULL},
    {(const uint8_t *)"another horse", 13, NULL},
    {(const uint8_t *)"the third one", 13, NULL},
};

const struct sk_unlock *sk_story_unlock(unsigned passphrase)
{
    return &unlocks[passphrase];
}

struct sk_store_options sk_story_options(const struct sk_story_plot *plot, unsigned passphrase)
{
    struct sk_store_options options = sk_test_options(SK_STORY_STORE, plot->kind);
    options.unlock = sk_story_unlock(passphrase);
    return options;
}

enum sk_status sk_story_open(struct sk_story *story, struct sk_error *err)
{
    struct sk_store_options options = sk_story_options(story->plot, story->passphrase);
    return sk_store_open(&story->store, &options, err);
}

enum sk_status sk_story_close(struct sk_story *story, struct sk_error *err)
{
    struct sk_store *store = story->store;
    story->store = NULL;
    return sk_store_close(store, err);
}

enum sk_status sk_story_rekey(struct sk_story *story, struct sk_error *err)
{
    struct sk_rekey result;
    SK_TRY(sk_rekey(story->store, sk_story_unlock(story->passphrase), NULL, NULL, &result, err));
    /* Nothing here is damaged, whatever call failed. */
    return result.damaged == 0 ? SK_OK : sk_fail(err, SK_INTERNAL, "a whole file was left behind");
}

void sk_story_digest(struct sk_store *store, uint8_t out[static SK_STORY_DIGEST])
{
    sk_world_dump(store, out);
}

void sk_story_meaning(struct sk_store *store, uint8_t out[static SK_STORY_DIGEST])
{
    sk_world_meaning(store, out);
}

void sk_story_path(char out[static SK_STORY_PATH_LEN], const char *word, unsigned number)
{
    (void)snprintf(out, SK_STORY_PATH_LEN, "%s/%s%u", SK_STORY_STICK, word, number);
}

size_t sk_story_stick(const struct sk_sim_image *image, struct sk_story_file *out)
{
    bool found;
    size_t count = 0;
    unsigned stick = sk_sim_image_find(image, SK_STORY_STICK, &found);
    assert_true(found);
    const struct sk_sim_node *folder = image->nodes[stick];
    for (size_t i = 0; i < folder->entry_count; i++) {
        const struct sk_sim_entry *entry = &folder->entries[i];
        if (sk_file_is_temporary(entry->name))
            continue;
        assert_true(count < SK_STORY_FILES);
        memcpy(out[count].name, entry->name, SK_SIM_NAME_MAX);
        out[count].len = image->nodes[entry->node]->content.len;
        out[count++].hash = sk_sim_content_hash(&image->nodes[entry->node]->content);
    }
    return count;
}

void sk_story_settle(void)
{
    for (unsigned node = 0; node < sk_sim.image.count; node++) {
        const struct sk_sim_step step = {.kind = SK_SIM_STEP_SYNC, .node = node, .half = true};
        sk_sim_take(&step);
    }
}

/* ---- telling ---- */

static void take_mark(struct sk_story_mark *mark, const struct sk_story_tale *tale,
                      const struct sk_story *story)
{
    mark->steps = tale->record.count;
    mark->story = *story;
    mark->story.open = story->store != NULL;
    mark->story.store = NULL;
    mark->file_count = sk_story_stick(sk_sim_now(), mark->files);
    sk_sim_image_copy(&mark->image, sk_sim_now());
}

/* What is in a store that is closed is what was in it before. */
static void take_digest(struct sk_story_mark *mark, const struct sk_story_mark *before,
                        const struct sk_story *story)
{
    if (story->store) {
        sk_story_digest(story->store, mark->digest);
        sk_story_meaning(story->store, mark->meaning);
    } else if (before) {
        memcpy(mark->digest, before->digest, SK_STORY_DIGEST);
        memcpy(mark->meaning, before->meaning, SK_STORY_DIGEST);
    }
}

/* The first action makes the store; what it holds then is seen when it is opened. */
static void take_digest_of_new(struct sk_story_tale *tale)
{
    struct sk_sim_image now;
    struct sk_story story = tale->marks[1].story;
    sk_sim_record_stop();
    sk_sim_image_copy(&now, sk_sim_now());
    EXPECT_OK(sk_story_open(&story, &sk_test_err));
    sk_story_digest(story.store, tale->marks[1].digest);
    sk_story_meaning(story.store, tale->marks[1].meaning);
    EXPECT_OK(sk_story_close(&story, &sk_test_err));
    sk_sim_load(&now);
    sk_sim_image_clear(&now);
    sk_sim.record = &tale->record;
}

void sk_story_tell(struct sk_story_tale *tale, const struct sk_story_plot *plot)
{
    struct sk_story story = {.plot = plot};
    *tale = (struct sk_story_tale){.plot = plot};
    tale->marks = sk_sim_alloc((plot->count + 1) * sizeof(struct sk_story_mark));
    sk_story_random(1);
    sk_sim_nameless(!plot->named);
    sk_sim_make_folder(SK_STORY_DISK);
    sk_sim_make_folder(SK_STORY_STICK);
    sk_sim_make_folder(SK_STORY_FAR);
    plot->prepare();
    sk_sim_record(&tale->record);
    take_mark(&tale->marks[0], tale, &story);
    for (size_t i = 0; i < plot->count; i++) {
        const struct sk_story_action *action = &plot->actions[i];
        story.number = (unsigned)i;
        sk_story_random(i);
        EXPECT_OK(action->run(&story, &sk_test_err));
        if (action->far)
            sk_story_settle();
        take_mark(&tale->marks[i + 1], tale, &story);
        if (i == 0)
            take_digest_of_new(tale);
        else
            take_digest(&tale->marks[i + 1], &tale->marks[i], &story);
    }
    EXPECT_OK(sk_story_close(&story, &sk_test_err));
    sk_sim_record_stop();
}

void sk_story_forget(struct sk_story_tale *tale)
{
    for (size_t i = 0; i <= tale->plot->count; i++)
        sk_sim_image_clear(&tale->marks[i].image);
    sk_sim_free(tale->marks);
    sk_sim_record_clear(&tale->record);
}

const struct sk_story_plot *sk_story_find(const char *name)
{
    static const struct sk_story_plot *const plots[] = {&sk_story_device, &sk_story_archive,
                                                        &sk_story_restore, &sk_story_repair,
                                                        &sk_story_device_named};
    for (size_t i = 0; i < sizeof(plots) / sizeof(plots[0]); i++)
        if (strcmp(name, plots[i]->name) == 0)
            return plots[i];
    return NULL;
}
