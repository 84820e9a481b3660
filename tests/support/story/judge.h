/*
 * Whether a disk after a power cut, or after anything else, holds what it must: the store opens,
 * shows exactly a state that the story went through, between what was acknowledged and what was
 * under way, verifies, and goes on to be used.
 */
#ifndef SK_TESTS_STORY_JUDGE_H
#define SK_TESTS_STORY_JUDGE_H

#include "tests/support/story/story.h"

struct sk_judge_counts {
    uint64_t states;     /* judged */
    uint64_t distinct;   /* of them, different disks that were opened */
    uint64_t whole;      /* of them, different after opening, and looked at in every way */
    uint64_t recovering; /* states of a second power cut, while the store was opened after one */
    uint64_t corrupt, unopenable, lost;
};

struct sk_judge;
struct sk_judge *sk_judge_new(const struct sk_story_tale *tale);
void sk_judge_free(struct sk_judge *judge);

/*
 * Judges a disk of which `done` actions were acknowledged and the next was under way. `killed`:
 * what a killed program leaves; what such a disk shows is a state that the action may go through,
 * up to its number of commits. What is wrong is printed and counted.
 */
void sk_judge_state(struct sk_judge *judge, const struct sk_sim_image *image, size_t done,
                    bool killed, const char *what);

/*
 * The same for the disk in place, when the action under way gave `status`. Acknowledged, it must
 * hold what the story holds after it; else what it held before, or a state on the way. *acted: it
 * holds what it does after the action. *passphrase: of the number that opens it.
 */
bool sk_judge_attempt(struct sk_judge *judge, size_t action, enum sk_status status,
                      const char *what, bool *acted, unsigned *passphrase);

/* Whether the store on the disk in place opens, verifies and can be added to. */
bool sk_judge_sound(struct sk_judge *judge, unsigned passphrase, const char *what);

/* One of how many distinct disks loses power again while it is opened (0: none). */
void sk_judge_again(struct sk_judge *judge, unsigned one_of);

/* Counts from now on, and says nothing. */
void sk_judge_quiet(struct sk_judge *judge);

const struct sk_judge_counts *sk_judge_counts(const struct sk_judge *judge);

#endif
