/*
 * What a power cut leaves of a record. What was synced before it is there. Of the rest every step
 * may have reached the disk or not, alone and in any order, as weak as POSIX allows:
 *
 * - a file is durable up to its last fsync; of each later write any sectors of 512 bytes, each as
 *   it was, as written, as zeros or as garbage; a truncation or not;
 * - a name in a folder is durable up to the folder's last fsync; each later one that was given or
 *   taken away may be there or not. A rename is two such steps, and its halves may part: FAT does
 *   that. Syncing a file does not make its name durable, although ext4 and XFS do that.
 *
 * One thing is taken for granted, which all of them give: one name leads to the old or to the new
 * file, never to a part of both.
 */
#ifndef SK_TESTS_SIM_POWER_H
#define SK_TESTS_SIM_POWER_H

#include "tests/support/sim/live.h"

#define SK_SIM_SECTOR 512

struct sk_sim_power {
    const struct sk_sim_record *record;
    struct sk_sim_image durable;
    size_t at;       /* steps taken */
    size_t *pending; /* those of them that are not durable, by number */
    size_t count, room;
};

void sk_sim_power_begin(struct sk_sim_power *power, const struct sk_sim_record *record);
void sk_sim_power_end(struct sk_sim_power *power);

/* Takes the next step; false at the end. */
bool sk_sim_power_next(struct sk_sim_power *power);

/* Whether the process could be killed here: not in the middle of a call. */
bool sk_sim_power_whole(const struct sk_sim_power *power);

enum sk_sim_cut {
    SK_SIM_CUT_NOTHING, /* nothing that is not durable got there */
    SK_SIM_CUT_ALL,     /* all of it: as if the process were killed */
    SK_SIM_CUT_NEWEST,  /* only the newest step */
    SK_SIM_CUT_TORN,    /* all, but of the newest write only the first `number` sectors */
    SK_SIM_CUT_TAIL,    /* all, but of the newest write only what follows them */
    SK_SIM_CUT_WITHOUT, /* all, but for pending step `number` */
    SK_SIM_CUT_RANDOM,  /* any, by the seed `number` */
};

/* How many cuts of a kind differ here (0: none); for RANDOM, as many as one likes. */
size_t sk_sim_power_cuts(const struct sk_sim_power *power, enum sk_sim_cut cut);

/* The state after such a cut; to be cleared. */
void sk_sim_power_state(const struct sk_sim_power *power, enum sk_sim_cut cut, uint64_t number,
                        struct sk_sim_image *out);

/* Splitmix64: the same numbers in every run. */
uint64_t sk_sim_draw(uint64_t *state, uint64_t below);

#endif
