#include "tests/support/story/judge.h"

#include "core/folder.h"
#include "core/verify.h"
#include "crypto/secret.h"
#include "tests/support/sim/power.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PRINTED_MAX    10
#define DIGESTS_MAX    64
#define PASSPHRASES    2
#define SEED           77
#define CUTS_AGAIN     4
#define SLOTS_AT_FIRST 65536

/* What a disk turned out to hold. */
enum finding {
    FOUND_STATE,      /* with its digest and passphrase */
    FOUND_NO_STORE,   /* none, and a new one could be made */
    FOUND_UNOPENABLE, /* it is there and does not open */
    FOUND_CORRUPT,    /* it opens, and something in it is wrong */
};

struct verdict {
    uint64_t key; /* hash of the disk; 0: free */
    enum finding finding;
    unsigned digest; /* number in the judge's list */
    unsigned passphrase;
};

/* Verdicts by the hash of a disk. */
struct table {
    struct verdict *slots;
    size_t room, count;
};

struct sk_judge {
    const struct sk_story_tale *tale;
    struct table disks; /* as they were found */
    struct table after; /* after the store was opened */
    uint8_t digests[DIGESTS_MAX][SK_STORY_DIGEST];
    uint8_t meanings[DIGESTS_MAX][SK_STORY_DIGEST]; /* of those that were found on a disk */
    unsigned digest_count;
    unsigned between[DIGESTS_MAX]; /* the action that shows a digest on its way; 0: none */
    unsigned printed;
    unsigned again_one_of;
    uint64_t kept; /* hash of what the story only reads */
    struct sk_judge_counts counts;
};

/* ---- tables ---- */

static struct verdict *find_slot(const struct table *table, uint64_t key)
{
    size_t at = (size_t)key & (table->room - 1);
    while (table->slots[at].key != 0 && table->slots[at].key != key)
        at = (at + 1) & (table->room - 1);
    return &table->slots[at];
}

static void table_init(struct table *table, size_t room)
{
    *table = (struct table){.room = room, .slots = sk_sim_alloc(room * sizeof(struct verdict))};
}

static void table_put(struct table *table, const struct verdict *verdict)
{
    if (2 * table->count > table->room) {
        struct table larger;
        table_init(&larger, 2 * table->room);
        for (size_t i = 0; i < table->room; i++)
            if (table->slots[i].key != 0)
                *find_slot(&larger, table->slots[i].key) = table->slots[i];
        larger.count = table->count;
        sk_sim_free(table->slots);
        *table = larger;
    }
    *find_slot(table, verdict->key) = *verdict;
    table->count++;
}

/* ---- words ---- */

SK_PRINTF(2, 3)
static void complain(struct sk_judge *judge, const char *format, ...)
{
    char text[400];
    va_list args;
    if (judge->printed++ >= PRINTED_MAX)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    print_error("%s: %s\n", judge->tale->plot->name, text);
}

static unsigned number_of(struct sk_judge *judge, const uint8_t digest[static SK_STORY_DIGEST])
{
    for (unsigned i = 0; i < judge->digest_count; i++)
        if (memcmp(judge->digests[i], digest, SK_STORY_DIGEST) == 0)
            return i;
    if (judge->digest_count == DIGESTS_MAX)
        return DIGESTS_MAX; /* no state of the story, whichever it is */
    memcpy(judge->digests[judge->digest_count], digest, SK_STORY_DIGEST);
    return judge->digest_count++;
}

struct sk_judge *sk_judge_new(const struct sk_story_tale *tale)
{
    struct sk_judge *judge = sk_sim_alloc(sizeof(*judge));
    judge->tale = tale;
    if (tale->plot->kept) {
        judge->kept = sk_sim_image_hash(&tale->marks[0].image, tale->plot->kept);
        assert_true(judge->kept != 0);
    }
    table_init(&judge->disks, SLOTS_AT_FIRST);
    table_init(&judge->after, SLOTS_AT_FIRST);
    for (size_t i = 1; i <= tale->plot->count; i++)
        (void)number_of(judge, tale->marks[i].digest);
    return judge;
}

void sk_judge_free(struct sk_judge *judge)
{
    sk_sim_free(judge->disks.slots);
    sk_sim_free(judge->after.slots);
    sk_sim_free(judge);
}

void sk_judge_again(struct sk_judge *judge, unsigned one_of)
{
    judge->again_one_of = one_of;
}

void sk_judge_quiet(struct sk_judge *judge)
{
    judge->printed = PRINTED_MAX;
}

const struct sk_judge_counts *sk_judge_counts(const struct sk_judge *judge)
{
    return &judge->counts;
}

/* ---- one disk ---- */

static void note_problem(void *context, const char *sentence)
{
    complain(context, "verify: %s", sentence);
}

static enum sk_status note_stray(void *context, const char *name, bool unknown,
                                 struct sk_error *err)
{
    (void)unknown, (void)err;
    complain(context, "a stray file: %s", name);
    return SK_OK;
}

/* Everything an open store can be asked. */
static bool check_whole(struct sk_judge *judge, struct sk_store *store)
{
    unsigned before = judge->printed;
    struct sk_error err = SK_ERROR_INIT;
    if (sk_verify(store, note_problem, judge, NULL, &err) != SK_OK ||
        sk_folder_strays(store, note_stray, judge, &err) != SK_OK)
        complain(judge, "it opens, but %s", err.text);
    return judge->printed == before;
}

/* One more thing is added, and found when the store is opened again. */
static bool check_more(struct sk_judge *judge, struct sk_store **store, unsigned passphrase)
{
    const struct sk_story_plot *plot = judge->tale->plot;
    struct sk_store_options options = sk_story_options(plot, passphrase);
    struct sk_error err = SK_ERROR_INIT;
    enum sk_status status = plot->more(*store, &err);
    enum sk_status closed = sk_store_close(*store, &err);
    *store = NULL;
    if (status == SK_OK && closed == SK_OK)
        status = sk_store_open(store, &options, &err);
    if (status != SK_OK || closed != SK_OK) {
        complain(judge, "nothing can be added: %s", err.text);
        return false;
    }
    if (plot->has_more(*store))
        return true;
    complain(judge, "what was added is not there");
    return false;
}

/* Tries the passphrases; the first is the one in force when the last action ended. */
static enum sk_status open_store(struct sk_judge *judge, size_t done, struct sk_store **store,
                                 unsigned *passphrase, struct sk_error *err)
{
    unsigned first = judge->tale->marks[done].story.passphrase;
    enum sk_status status = SK_WRONG_KEY;
    for (unsigned i = 0; i < PASSPHRASES && status == SK_WRONG_KEY; i++) {
        *passphrase = (first + i) % PASSPHRASES;
        struct sk_store_options options = sk_story_options(judge->tale->plot, *passphrase);
        sk_error_clear(err);
        status = sk_store_open(store, &options, err);
    }
    return status;
}

/* Whether nothing that was needed only to make the store stands beside it. Where the halves of a
 * rename parted, its first name still leads to it. */
static bool check_beside(struct sk_judge *judge)
{
    static const char begin[] = "store.";
    bool found;
    const struct sk_sim_image *now = sk_sim_now();
    unsigned store = sk_sim_image_find(now, SK_STORY_STORE, &found);
    unsigned number = sk_sim_image_find(now, SK_STORY_DISK, &found);
    const struct sk_sim_node *folder = now->nodes[number];
    for (size_t i = 0; i < folder->entry_count; i++) {
        const struct sk_sim_entry *entry = &folder->entries[i];
        if (entry->node != store && strncmp(entry->name, begin, strlen(begin)) == 0) {
            complain(judge, "an attempt before left %s", entry->name);
            return false;
        }
    }
    return true;
}

/* There is no store. What was to make it makes it when it is done again, and takes away what the
 * attempt before left. */
static enum finding without_store(struct sk_judge *judge, struct sk_error *why)
{
    const struct sk_story_plot *plot = judge->tale->plot;
    struct sk_story story = {.plot = plot};
    struct sk_error err = SK_ERROR_INIT;
    enum sk_status status = plot->actions[0].run(&story, &err);
    if (status == SK_OK)
        status = sk_story_open(&story, &err);
    (void)sk_story_close(&story, NULL);
    if (status == SK_OK && check_beside(judge))
        return FOUND_NO_STORE;
    complain(judge, "no store (%s), and none can be made: %s", why->text, err.text);
    return FOUND_UNOPENABLE;
}

/* What the disk in place holds. */
static void look(struct sk_judge *judge, size_t done, struct verdict *out)
{
    struct sk_error err = SK_ERROR_INIT;
    struct sk_store *store = NULL;
    uint8_t digest[SK_STORY_DIGEST];
    enum sk_status status = open_store(judge, done, &store, &out->passphrase, &err);
    if (status == SK_MISSING && !sk_store_there(SK_STORY_STORE)) {
        out->finding = without_store(judge, &err);
        return;
    }
    if (status != SK_OK) {
        complain(judge, "it does not open: %s: %s", sk_status_name(status), err.text);
        out->finding = FOUND_UNOPENABLE;
        return;
    }
    uint64_t key = sk_sim_mix(sk_sim_image_hash(sk_sim_now(), SK_STORY_DISK), out->passphrase);
    const struct verdict *known = find_slot(&judge->after, key);
    if (known->key != 0) {
        uint64_t own = out->key;
        *out = *known;
        out->key = own;
    } else {
        judge->counts.whole++;
        sk_story_digest(store, digest);
        out->digest = number_of(judge, digest);
        if (out->digest < DIGESTS_MAX)
            sk_story_meaning(store, judge->meanings[out->digest]);
        bool good = check_whole(judge, store) && check_beside(judge);
        good = good && check_more(judge, &store, out->passphrase);
        out->finding = good ? FOUND_STATE : FOUND_CORRUPT;
        struct verdict after = *out;
        after.key = key;
        table_put(&judge->after, &after);
    }
    if (sk_store_close(store, &err) != SK_OK && out->finding == FOUND_STATE) {
        complain(judge, "it does not close: %s", err.text);
        out->finding = FOUND_CORRUPT;
    }
    assert_int_equal(sk_secret_live_count(), 0);
}

/* ---- what may be there ---- */

/* What means the same before and after an action means it at each step between. */
static bool means_the_same(struct sk_judge *judge, size_t done, unsigned digest)
{
    const struct sk_story_mark *before = &judge->tale->marks[done];
    if (done == 0 || memcmp(before->meaning, before[1].meaning, SK_STORY_DIGEST) != 0 ||
        memcmp(before->meaning, judge->meanings[digest], SK_STORY_DIGEST) == 0)
        return true;
    complain(judge, "on the way it holds something else than before and after");
    return false;
}

/* The digests that an action may show: what was before and after it, and up to `most` more that are
 * found here. */
static bool may_show(struct sk_judge *judge, size_t done, unsigned digest, unsigned most)
{
    const struct sk_story_tale *tale = judge->tale;
    unsigned action = (unsigned)done + 1; /* the one under way */
    if (digest == DIGESTS_MAX)
        return false;
    if (done > 0 && digest == number_of(judge, tale->marks[done].digest))
        return true;
    if (done == tale->plot->count)
        return false;
    if (digest == number_of(judge, tale->marks[done + 1].digest) ||
        judge->between[digest] == action)
        return true;
    unsigned shown = 0;
    for (unsigned i = 0; i < judge->digest_count; i++)
        shown += judge->between[i] == action;
    if (judge->between[digest] != 0 || shown >= most || !means_the_same(judge, done, digest))
        return false;
    judge->between[digest] = action;
    return true;
}

/* How many states an action that was stopped may show between the one before and the one after. */
static unsigned states_between(const struct sk_judge *judge, size_t done)
{
    const struct sk_story_plot *plot = judge->tale->plot;
    return done < plot->count && plot->actions[done].commits > 1 ? plot->actions[done].commits - 1
                                                                 : 0;
}

/* And how many more where calls fail and it goes on. */
static unsigned states_past(const struct sk_judge *judge, size_t done)
{
    const struct sk_story_plot *plot = judge->tale->plot;
    return done < plot->count ? plot->actions[done].past : 0;
}

static bool may_open_with(const struct sk_judge *judge, size_t done, unsigned passphrase)
{
    const struct sk_story_tale *tale = judge->tale;
    size_t next = done < tale->plot->count ? done + 1 : done;
    return passphrase == tale->marks[done].story.passphrase ||
           passphrase == tale->marks[next].story.passphrase;
}

static const struct sk_story_file *file_of(const struct sk_story_mark *mark, const char *name)
{
    for (size_t i = 0; i < mark->file_count; i++)
        if (strcmp(mark->files[i].name, name) == 0)
            return &mark->files[i];
    return NULL;
}

/* What was acknowledged when `before` actions were done is on the stick as it was, and nothing has
 * a name and is not whole. `same`: the action is the one told in the tale, not told anew with other
 * random numbers. */
static bool stick_holds(struct sk_judge *judge, const struct sk_sim_image *image, size_t before,
                        size_t after, bool same)
{
    const struct sk_story_mark *now = &judge->tale->marks[before];
    const struct sk_story_mark *next = &judge->tale->marks[after];
    struct sk_story_mark found = {.steps = 0};
    found.file_count = sk_story_stick(image, found.files);
    for (size_t i = 0; i < now->file_count; i++) {
        const struct sk_story_file *file = file_of(&found, now->files[i].name);
        if (!file || file->hash != now->files[i].hash) {
            complain(judge, "%s is %s", now->files[i].name, file ? "not what it was" : "gone");
            return false;
        }
    }
    for (size_t i = 0; i < found.file_count; i++) {
        const struct sk_story_file *file = file_of(next, found.files[i].name);
        if (!file || file->len != found.files[i].len ||
            (same && file->hash != found.files[i].hash)) {
            complain(judge, "%s has its name and is not whole", found.files[i].name);
            return false;
        }
    }
    return true;
}

/* What the story only reads is as it was. */
static bool keeps_source(struct sk_judge *judge, const struct sk_sim_image *image)
{
    const char *kept = judge->tale->plot->kept;
    if (!kept || sk_sim_image_hash(image, kept) == judge->kept)
        return true;
    complain(judge, "%s was changed", kept);
    return false;
}

static void count_verdict(struct sk_judge *judge, const struct verdict *verdict, size_t done,
                          unsigned most)
{
    bool made = judge->tale->marks[done].story.made;
    switch (verdict->finding) {
    case FOUND_UNOPENABLE:
        judge->counts.unopenable++;
        return;
    case FOUND_CORRUPT:
        judge->counts.corrupt++;
        return;
    case FOUND_NO_STORE:
        judge->counts.lost += made;
        if (made)
            complain(judge, "the store is gone");
        return;
    case FOUND_STATE:
        break;
    }
    if (!may_show(judge, done, verdict->digest, most)) {
        complain(judge, "it shows state %u, which is not one of this action", verdict->digest);
        judge->counts.lost++;
    } else if (!may_open_with(judge, done, verdict->passphrase)) {
        complain(judge, "it opens with passphrase %u", verdict->passphrase);
        judge->counts.lost++;
    }
}

/* ---- a second power cut ---- */

static void judge_disk(struct sk_judge *judge, const struct sk_sim_image *image, size_t done,
                       struct verdict *out)
{
    uint64_t key = sk_sim_image_hash(image, SK_STORY_DISK);
    const struct verdict *known = find_slot(&judge->disks, key);
    if (known->key != 0) {
        *out = *known;
        return;
    }
    *out = (struct verdict){.key = key};
    judge->counts.distinct++;
    sk_sim_load(image);
    sk_story_random(SEED);
    look(judge, done, out);
    table_put(&judge->disks, out);
}

/* Opens and closes the disk once more under record, and cuts the power in that. What was found the
 * first time is found whatever comes between. */
static void judge_recovery(struct sk_judge *judge, const struct sk_sim_image *image, size_t done,
                           const struct verdict *first)
{
    struct sk_store_options options = sk_story_options(judge->tale->plot, first->passphrase);
    struct sk_sim_record record;
    struct sk_sim_power power;
    struct sk_store *store = NULL;
    sk_sim_load(image);
    sk_story_random(SEED);
    sk_sim_record(&record);
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    sk_sim_record_stop();
    sk_sim_power_begin(&power, &record);
    while (sk_sim_power_next(&power))
        for (uint64_t i = 0; i < CUTS_AGAIN; i++) {
            struct sk_sim_image again;
            struct verdict verdict;
            enum sk_sim_cut cut = i == 0   ? SK_SIM_CUT_NOTHING
                                  : i == 1 ? SK_SIM_CUT_ALL
                                           : SK_SIM_CUT_RANDOM;
            sk_sim_power_state(&power, cut, power.at * CUTS_AGAIN + i, &again);
            judge_disk(judge, &again, done, &verdict);
            sk_sim_image_clear(&again);
            judge->counts.recovering++;
            count_verdict(judge, &verdict, done, 0);
            if (verdict.finding == FOUND_STATE && verdict.digest != first->digest) {
                complain(judge, "a second power cut shows state %u after state %u", verdict.digest,
                         first->digest);
                judge->counts.lost++;
            }
        }
    sk_sim_power_end(&power);
    sk_sim_record_clear(&record);
}

void sk_judge_state(struct sk_judge *judge, const struct sk_sim_image *image, size_t done,
                    bool killed, const char *what)
{
    struct verdict verdict;
    struct sk_judge_counts before = judge->counts;
    judge->counts.states++;
    judge_disk(judge, image, done, &verdict);
    count_verdict(judge, &verdict, done, killed ? states_between(judge, done) : 0);
    uint64_t distinct = judge->counts.distinct;
    if (distinct != before.distinct && verdict.finding == FOUND_STATE && judge->again_one_of > 0 &&
        distinct % judge->again_one_of == 0)
        judge_recovery(judge, image, done, &verdict);
    size_t next = done < judge->tale->plot->count ? done + 1 : done;
    if (!stick_holds(judge, image, done, next, true) || !keeps_source(judge, image))
        judge->counts.lost++;
    const struct sk_judge_counts *now = &judge->counts;
    if (now->corrupt + now->unopenable + now->lost >
        before.corrupt + before.unopenable + before.lost)
        complain(judge, "    that was %s, in \"%s\"", what,
                 done < judge->tale->plot->count ? judge->tale->plot->actions[done].name
                                                 : "the end");
}

/* Whether every file of a mark has its name on the stick. */
static bool stick_has_all(const struct sk_sim_image *image, const struct sk_story_mark *mark)
{
    struct sk_story_mark found = {.steps = 0};
    found.file_count = sk_story_stick(image, found.files);
    for (size_t i = 0; i < mark->file_count; i++)
        if (!file_of(&found, mark->files[i].name))
            return false;
    return true;
}

bool sk_judge_attempt(struct sk_judge *judge, size_t action, enum sk_status status,
                      const char *what, bool *acted, unsigned *passphrase)
{
    const struct sk_story_tale *tale = judge->tale;
    struct sk_sim_image image;
    struct verdict verdict;
    struct sk_judge_counts before = judge->counts;
    size_t done = status == SK_OK ? action + 1 : action;
    judge->counts.states++;
    sk_sim_image_copy(&image, sk_sim_now());
    judge_disk(judge, &image, action, &verdict);
    count_verdict(judge, &verdict, done,
                  status == SK_OK ? 0 : states_between(judge, done) + states_past(judge, done));
    judge->counts.lost += !keeps_source(judge, &image);
    if (!stick_holds(judge, &image, action, action + 1, false) ||
        (status == SK_OK && !stick_has_all(&image, &tale->marks[action + 1]))) {
        complain(judge, "the stick lacks what was to be written");
        judge->counts.lost++;
    }
    sk_sim_load(&image);
    sk_sim_image_clear(&image);
    *acted = verdict.finding == FOUND_STATE &&
             (verdict.digest == number_of(judge, tale->marks[action + 1].digest) ||
              !tale->marks[action].story.made) &&
             verdict.passphrase == tale->marks[action + 1].story.passphrase &&
             tale->plot->actions[action].commits > 0 &&
             stick_has_all(sk_sim_now(), &tale->marks[action + 1]);
    *passphrase = verdict.passphrase;
    const struct sk_judge_counts *now = &judge->counts;
    bool good = now->corrupt + now->unopenable + now->lost ==
                before.corrupt + before.unopenable + before.lost;
    if (!good)
        complain(judge, "    that was %s", what);
    return good;
}

bool sk_judge_sound(struct sk_judge *judge, unsigned passphrase, const char *what)
{
    struct sk_store_options options = sk_story_options(judge->tale->plot, passphrase);
    struct sk_error err = SK_ERROR_INIT;
    struct sk_store *store = NULL;
    enum sk_status status = sk_store_open(&store, &options, &err);
    bool good =
        status == SK_OK && check_whole(judge, store) && check_more(judge, &store, passphrase);
    (void)sk_store_close(store, NULL);
    if (good)
        return true;
    judge->counts.corrupt++;
    complain(judge, "    that was the second try after %s%s", what, err.text);
    return false;
}
