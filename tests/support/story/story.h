/*
 * A story: what a documenter or an archive does from making a store on, action by action, on the
 * disk in memory (tests/support/sim). Tests tell it once, remember what holds after each action,
 * and then let the power fail or calls go wrong at every place in it.
 *
 * To add an action: a function, and a row in the list of its story (device.c, archive.c, rescue.c).
 */
#ifndef SK_TESTS_STORY_H
#define SK_TESTS_STORY_H

#include "core/store.h"
#include "core/types.h"
#include "sync/invite.h"
#include "tests/support/sim/live.h"

#define SK_STORY_IDS       4
#define SK_STORY_DIGEST    32
#define SK_STORY_FILES     8
#define SK_STORY_DISK      SK_SIM_ROOT "/disk" /* the store's, and what it attaches */
#define SK_STORY_STORE     SK_STORY_DISK "/store"
#define SK_STORY_STICK     SK_SIM_ROOT "/stick" /* bundles, receipts, what is extracted */
#define SK_STORY_FAR       SK_SIM_ROOT "/far"   /* the other end's stores */
#define SK_STORY_FAR_STORE SK_STORY_FAR "/store"

/* Plain values only: a copy of it is where the story was at that moment. */
struct sk_story {
    const struct sk_story_plot *plot;
    struct sk_store *store; /* the store it is about, or NULL */
    bool open;              /* whether it was, where the story goes on from a copy */
    bool made;
    unsigned passphrase; /* the number of the one that opens it */
    struct sk_id ids[SK_STORY_IDS];
    unsigned number; /* another for each try of each action: names of files follow it */
    unsigned bundle; /* the number of the newest bundle */
    unsigned slot;   /* the number of the one that was added */
};

struct sk_story_action {
    const char *name;
    enum sk_status (*run)(struct sk_story *story, struct sk_error *err);
    unsigned commits; /* most states that it shows one after the other, the last included */
    bool far;         /* done by the other end, somewhere else: no power cut here */
    unsigned past;    /* most states more that it shows where a call fails and it goes on: rekey
                         renews the files after one that it cannot read, under names that follow
                         from how many were drawn before it failed */
};

struct sk_story_plot {
    const char *name;
    enum sk_store_kind kind;
    bool named;            /* its disks are as FAT: no file is without a name */
    void (*prepare)(void); /* what is there before it begins */
    const char *kept;      /* a file or folder of that, which nothing changes; NULL: none */
    const struct sk_story_action *actions; /* the first makes the store */
    size_t count;
    /* Adds something to an open store, and finds it there again. */
    enum sk_status (*more)(struct sk_store *store, struct sk_error *err);
    bool (*has_more)(struct sk_store *store);
};
extern const struct sk_story_plot sk_story_device, sk_story_archive, sk_story_restore,
    sk_story_repair, sk_story_device_named;

/* The story of that name; NULL if there is none. */
const struct sk_story_plot *sk_story_find(const char *name);

/* ---- telling it ---- */

struct sk_story_file {
    char name[SK_SIM_NAME_MAX];
    uint64_t len;
    uint64_t hash;
};

/* What holds when an action is acknowledged. */
struct sk_story_mark {
    size_t steps; /* of the record */
    struct sk_story story;
    uint8_t digest[SK_STORY_DIGEST];
    uint8_t meaning[SK_STORY_DIGEST];
    struct sk_story_file files[SK_STORY_FILES]; /* on the stick, under names of their own */
    size_t file_count;
    struct sk_sim_image image; /* what a program sees, all of it as if durable */
};

struct sk_story_tale {
    const struct sk_story_plot *plot;
    struct sk_sim_record record;
    struct sk_story_mark *marks; /* marks[0]: before the first action */
};

/* Tells the whole story on an empty disk (sk_sim_begin() comes before). Ends the test when an
 * action fails. */
void sk_story_tell(struct sk_story_tale *tale, const struct sk_story_plot *plot);
void sk_story_forget(struct sk_story_tale *tale);

/* ---- parts of it ---- */

/* The options of its store; unlocked by passphrase number `passphrase`. */
struct sk_store_options sk_story_options(const struct sk_story_plot *plot, unsigned passphrase);
const struct sk_unlock *sk_story_unlock(unsigned passphrase);

enum sk_status sk_story_open(struct sk_story *story, struct sk_error *err);
enum sk_status sk_story_close(struct sk_story *story, struct sk_error *err);
enum sk_status sk_story_rekey(struct sk_story *story, struct sk_error *err);

/* Everything in the database, as a hash; what it means to who uses it, whatever names and keys its
 * files have, as another. */
void sk_story_digest(struct sk_store *store, uint8_t out[static SK_STORY_DIGEST]);
void sk_story_meaning(struct sk_store *store, uint8_t out[static SK_STORY_DIGEST]);

/* The files on the stick that have a name of their own (not a temporary one). */
size_t sk_story_stick(const struct sk_sim_image *image, struct sk_story_file *out);

/* "/sim/stick/<word><number>", for a file that the action in hand makes. */
#define SK_STORY_PATH_LEN 64
void sk_story_path(char out[static SK_STORY_PATH_LEN], const char *word, unsigned number);

/* From now on everything random is the same as after the last call with this seed. The story calls
 * it with the number of each action before that. */
void sk_story_random(uint64_t seed);

/* Makes everything on the disk durable, as time does. */
void sk_story_settle(void);

#endif
