/*
 * The stories of what comes after a loss: a store is made from a backup, or of what verifies in a
 * damaged folder, and goes on to be used. What it is made from stays as it is.
 */
#include "core/file.h"
#include "core/record.h"
#include "core/succession.h"
#include "crypto/secret.h"
#include "sync/backup.h"
#include "tests/support/stores.h"
#include "tests/support/story/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define MANY       6
#define ATTACHMENT 40000
#define ATTACHED   SK_STORY_FAR "/photo.jpg"
#define BACKUP     SK_STORY_STICK "/backup"
#define DATA       SK_STORY_FAR_STORE "/data"
#define PAGES_AT   8192
#define PAGE       4096
#define MORE_TITLE "After it"

static enum sk_status add_one(struct sk_store *store, const char *title, struct sk_id *id,
                              struct sk_error *err)
{
    sk_auto_json fields = json_pack("{s:s, s:s}", "title", title, "text", "One two three, чатыры.");
    sk_auto_store_txn txn = NULL;
    if (!fields)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(sk_record_add(store, SK_TYPE_TESTIMONY, fields, id, err));
    return sk_store_commit(&txn, err);
}

/* ---- what was there ---- */

static struct sk_store_options old_options(void)
{
    struct sk_store_options options = sk_test_options(SK_STORY_FAR_STORE, SK_STORE_DEVICE);
    options.unlock = sk_story_unlock(0);
    return options;
}

/* Records, one withdrawn, and an attachment. */
static struct sk_store *make_old(void)
{
    static uint8_t bytes[ATTACHMENT];
    struct sk_store_options options = old_options();
    struct sk_store *store = NULL;
    struct sk_id id, attachment;
    sk_random(bytes, sizeof(bytes));
    sk_sim_make_file(ATTACHED, bytes, sizeof(bytes));
    EXPECT_OK(sk_store_create(&options, &sk_test_err));
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    for (unsigned i = 0; i < MANY; i++)
        EXPECT_OK(add_one(store, "Stork", &id, &sk_test_err));
    assert_int_equal(sk_test_withdraw(store, &id), 1);
    EXPECT_OK(add_one(store, "Heron", &id, &sk_test_err));
    sk_auto_item item = sk_test_item(store, &id);
    EXPECT_OK(sk_attachment_add(store, &item, ATTACHED, NULL, &attachment, &sk_test_err));
    return store;
}

static void prepare_backup(void)
{
    struct sk_store *store = make_old();
    uint64_t bytes = 0;
    EXPECT_OK(sk_backup(store, sk_story_unlock(0), BACKUP, NULL, &bytes, &sk_test_err));
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    sk_story_settle();
}

/* A page in the middle is noise. */
static void prepare_damage(void)
{
    uint8_t noise[PAGE];
    uint64_t len = 0;
    sk_auto_file file = NULL;
    bool regular = false;
    EXPECT_OK(sk_store_close(make_old(), &sk_test_err));
    EXPECT_OK(sk_file_open_over(&file, DATA, &sk_test_err));
    EXPECT_OK(sk_file_size(file, &len, &regular, &sk_test_err));
    sk_random(noise, sizeof(noise));
    EXPECT_OK(sk_file_seek(file, PAGES_AT + (len - PAGES_AT) / PAGE / 2 * PAGE, &sk_test_err));
    EXPECT_OK(sk_file_write(file, noise, sizeof(noise), &sk_test_err));
    sk_story_settle();
}

/* ---- the new store ---- */

static enum sk_status count_loss(void *context, const struct sk_loss *loss, struct sk_error *err)
{
    (void)loss, (void)err;
    ++*(unsigned *)context;
    return SK_OK;
}

static enum sk_status restore(struct sk_story *story, struct sk_error *err)
{
    struct sk_store_options store = sk_story_options(story->plot, 0);
    struct sk_succession_result result;
    unsigned losses = 0;
    const struct sk_succession_options options = {
        .store = &store, .loss = count_loss, .loss_context = &losses};
    SK_TRY(sk_restore(BACKUP, &options, NULL, NULL, NULL, &result, err));
    assert_int_equal(losses, 0);
    story->made = true;
    return SK_OK;
}

static enum sk_status repair(struct sk_story *story, struct sk_error *err)
{
    struct sk_store_options old = old_options();
    struct sk_store_options store = sk_story_options(story->plot, 0);
    struct sk_succession_result result;
    unsigned losses = 0;
    const struct sk_succession_options options = {
        .store = &store, .loss = count_loss, .loss_context = &losses};
    sk_auto_secret key = NULL;
    sk_auto_remains remains = NULL;
    uint8_t id[SK_STORE_ID_LEN];
    bool insecure = false;
    bool by_words = false;
    SK_TRY(sk_store_free_place(store.dir, err));
    SK_TRY(sk_store_key(&old, &key, id, &insecure, &by_words, err));
    SK_TRY(sk_remains_open(&remains, old.dir, sk_secret_view(key), id, NULL, err));
    SK_TRY(sk_succession(remains, &options, &result, err));
    assert_true(result.carried > 0);
    story->made = true;
    return SK_OK;
}

static enum sk_status add(struct sk_story *story, struct sk_error *err)
{
    return add_one(story->store, "Crane", &story->ids[0], err);
}

/* ---- more ---- */

static enum sk_status more(struct sk_store *store, struct sk_error *err)
{
    struct sk_id id;
    return add_one(store, MORE_TITLE, &id, err);
}

static enum sk_status look_for_more(void *context, const struct sk_item *item, struct sk_error *err)
{
    (void)err;
    *(bool *)context |= strcmp(item->title, MORE_TITLE) == 0;
    return SK_OK;
}

static bool has_more(struct sk_store *store)
{
    bool found = false;
    return sk_item_each(store, SK_TYPE_TESTIMONY, look_for_more, &found, NULL) == SK_OK && found;
}

/* ---- the stories ---- */

#define GOES_ON                                                      \
    {"open", sk_story_open, 0, false, 0}, {"add", add, 1, false, 0}, \
    {                                                                \
        "close", sk_story_close, 0, false, 0                         \
    }

/* clang-format off */
static const struct sk_story_action restored[] = {{"restore", restore, 1, false, 0}, GOES_ON};
static const struct sk_story_action repaired[] = {{"repair", repair, 1, false, 0}, GOES_ON};
/* clang-format on */

const struct sk_story_plot sk_story_restore = {
    .name = "restore",
    .kind = SK_STORE_DEVICE,
    .prepare = prepare_backup,
    .kept = BACKUP,
    .actions = restored,
    .count = sizeof(restored) / sizeof(restored[0]),
    .more = more,
    .has_more = has_more,
};

const struct sk_story_plot sk_story_repair = {
    .name = "repair",
    .kind = SK_STORE_DEVICE,
    .named = true,
    .prepare = prepare_damage,
    .kept = SK_STORY_FAR_STORE,
    .actions = repaired,
    .count = sizeof(repaired) / sizeof(repaired[0]),
    .more = more,
    .has_more = has_more,
};
