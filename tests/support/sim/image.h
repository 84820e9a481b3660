/*
 * A file system in memory as it is at one moment, and the steps that change it. Copies share what
 * they have in common. Node 0 is the folder "/sim".
 *
 * What one call of the system does to a disk is one step or, for a rename, two: a name given and a
 * name taken away. A power cut keeps the steps that were synced and any of the others (power.h).
 */
#ifndef SK_TESTS_SIM_IMAGE_H
#define SK_TESTS_SIM_IMAGE_H

#include "tests/support/sim/content.h"

#include <stdbool.h>

#define SK_SIM_ROOT     "/sim"
#define SK_SIM_NAME_MAX 80
#define SK_SIM_NONE     0 /* no node: names never lead to the root */

struct sk_sim_entry {
    char name[SK_SIM_NAME_MAX];
    unsigned node;
};

struct sk_sim_node {
    unsigned refs;
    bool folder;
    unsigned disk; /* the number of the folder right below the root that it was made in */
    struct sk_sim_content content;
    struct sk_sim_entry *entries;
    size_t entry_count;
};

struct sk_sim_image {
    struct sk_sim_node **nodes;
    unsigned count;
};

enum sk_sim_kind {
    SK_SIM_STEP_NODE,     /* makes node number `node`; nothing names it yet */
    SK_SIM_STEP_WRITE,    /* bytes at an offset of a file */
    SK_SIM_STEP_TRUNCATE, /* a file to `offset` */
    SK_SIM_STEP_ENTRY,    /* a name in a folder leads to `target` (SK_SIM_NONE: to nothing) */
    SK_SIM_STEP_SYNC,     /* what was done to a file or folder is durable */
};

struct sk_sim_step {
    enum sk_sim_kind kind;
    unsigned node;
    unsigned target;
    unsigned disk;
    bool folder;
    bool half; /* the call goes on in the next step */
    uint64_t offset;
    size_t len;
    uint8_t *bytes; /* owned */
    char name[SK_SIM_NAME_MAX];
};

void sk_sim_image_init(struct sk_sim_image *image); /* with the root */
void sk_sim_image_copy(struct sk_sim_image *out, const struct sk_sim_image *from);
void sk_sim_image_clear(struct sk_sim_image *image);

/* A node that may be changed: not shared with other images. */
struct sk_sim_node *sk_sim_image_own(struct sk_sim_image *image, unsigned node);

/* Takes one step. A sync changes nothing here. */
void sk_sim_image_step(struct sk_sim_image *image, const struct sk_sim_step *step);

/* The node that a name in a folder leads to, or SK_SIM_NONE. */
unsigned sk_sim_image_entry(const struct sk_sim_image *image, unsigned folder, const char *name);

/* The node of a path (below the root, or the root itself: *found); of a path's folder, and the name
 * in it (room SK_SIM_NAME_MAX). */
unsigned sk_sim_image_find(const struct sk_sim_image *image, const char *path, bool *found);
unsigned sk_sim_image_parent(const struct sk_sim_image *image, const char *path, char *name,
                             bool *found);

/* Over everything below a path; 0 when there is nothing. */
uint64_t sk_sim_image_hash(const struct sk_sim_image *image, const char *path);

#endif
