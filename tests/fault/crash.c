/*
 * Goal of this test: wherever the power fails or the process is killed in the story of a store, and
 * again while it is opened after that, the store opens, shows the last acknowledged state or the
 * one under way and nothing in between, verifies, and goes on to be used; what was acknowledged on
 * the stick is there.
 *
 *     crash STORY [STATES]
 */
#include "tests/support/effort.h"
#include "tests/support/sim/power.h"
#include "tests/support/stores.h"
#include "tests/support/story/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATES_SAMPLE 500u
#define STATES        15000u /* of the story of a device, and of that of an archive */
#define STATES_LONG   500000u
#define RESCUE        2000u /* of the short ones */
#define RESCUE_LONG   50000u
#define ONE_PLACE_OF  (SANITIZED ? 12u : 1u) /* at the others a killed program alone is judged */
#define ONE_KILL_OF   (SANITIZED ? 3u : 1u)
#define WITHOUT_MAX   6u
#define AGAIN         400u /* one disk of so many loses power a second time */

static const struct sk_story_plot *plot;
static uint64_t wanted;

static const enum sk_sim_cut systematic[] = {SK_SIM_CUT_NOTHING, SK_SIM_CUT_NEWEST, SK_SIM_CUT_TORN,
                                             SK_SIM_CUT_TAIL, SK_SIM_CUT_WITHOUT};
#define SYSTEMATIC (sizeof(systematic) / sizeof(systematic[0]))

static size_t cuts_of(const struct sk_sim_power *power, enum sk_sim_cut cut)
{
    size_t count = sk_sim_power_cuts(power, cut);
    return cut == SK_SIM_CUT_WITHOUT && count > WITHOUT_MAX ? WITHOUT_MAX : count;
}

/* Where the power is cut in the tale: after a step, when `done` actions were acknowledged. */
struct place {
    struct sk_sim_power power;
    size_t done;
};

static void place_begin(struct place *place, const struct sk_story_tale *tale)
{
    place->done = 0;
    sk_sim_power_begin(&place->power, &tale->record);
}

/* The next place; what the other end does, somewhere else, has none. */
static bool place_next(struct place *place, const struct sk_story_tale *tale)
{
    while (sk_sim_power_next(&place->power)) {
        while (place->done < plot->count && tale->marks[place->done + 1].steps <= place->power.at)
            place->done++;
        if (place->done == plot->count || !plot->actions[place->done].far)
            return true;
    }
    sk_sim_power_end(&place->power);
    return false;
}

/* How many random states each place needs beside the systematic ones. */
static uint64_t randoms_for(const struct sk_story_tale *tale)
{
    struct place place;
    uint64_t states = 0;
    uint64_t places = 1;
    for (place_begin(&place, tale); place_next(&place, tale);) {
        for (size_t i = 0; i < SYSTEMATIC; i++)
            states += cuts_of(&place.power, systematic[i]);
        states += sk_sim_power_whole(&place.power);
        places += sk_sim_power_cuts(&place.power, SK_SIM_CUT_RANDOM);
    }
    uint64_t asked = wanted + wanted / 50; /* some that are drawn turn out to be no states */
    return states < asked ? (asked - states) / places + 1 : 1;
}

static void judge_cut(struct sk_judge *judge, const struct sk_sim_power *power, enum sk_sim_cut cut,
                      uint64_t number, size_t done)
{
    static const char *const names[] = {"nothing", "all",     "newest", "torn",
                                        "tail",    "without", "random"};
    char what[100];
    struct sk_sim_image image;
    (void)snprintf(what, sizeof(what), "step %zu, %s %" PRIu64, power->at, names[cut], number);
    sk_sim_power_state(power, cut, number, &image);
    sk_judge_state(judge, &image, done, cut == SK_SIM_CUT_ALL, what);
    sk_sim_image_clear(&image);
}

static void judge_place(struct sk_judge *judge, const struct place *place, uint64_t randoms)
{
    const struct sk_sim_power *power = &place->power;
    if (sk_sim_power_whole(power) && power->at % ONE_KILL_OF == 0)
        judge_cut(judge, power, SK_SIM_CUT_ALL, 0, place->done);
    if (power->at % ONE_PLACE_OF != 0)
        return;
    for (size_t i = 0; i < SYSTEMATIC; i++) {
        size_t cuts = cuts_of(power, systematic[i]);
        for (size_t n = 0; n < cuts; n++) {
            /* Those that leave out one step are spread over all that are pending. */
            uint64_t number =
                systematic[i] == SK_SIM_CUT_WITHOUT ? n * (power->count - 1) / cuts : n;
            judge_cut(judge, power, systematic[i], number, place->done);
        }
    }
    for (uint64_t n = 0; n < randoms && sk_sim_power_cuts(power, SK_SIM_CUT_RANDOM) > 0; n++)
        judge_cut(judge, power, SK_SIM_CUT_RANDOM, power->at * 1000003 + n, place->done);
}

static uint64_t bad_of(const struct sk_judge_counts *counts)
{
    return counts->corrupt + counts->unopenable + counts->lost;
}

static void power_fails_everywhere(void **state)
{
    struct sk_story_tale tale;
    struct place place;
    (void)state;
    sk_sim_begin();
    sk_story_tell(&tale, plot);
    struct sk_judge *judge = sk_judge_new(&tale);
    sk_judge_again(judge, AGAIN);
    uint64_t randoms = randoms_for(&tale);
    for (place_begin(&place, &tale); place_next(&place, &tale);)
        judge_place(judge, &place, randoms);
    const struct sk_judge_counts *counts = sk_judge_counts(judge);
    print_message(
        "%s: %zu steps; %" PRIu64 " states and %" PRIu64 " of a second power cut, on %" PRIu64
        " different disks, %" PRIu64 " different after opening: corrupt %" PRIu64
        ", unopenable %" PRIu64 ", lost %" PRIu64 "\n",
        plot->name, tale.record.count, counts->states, counts->recovering, counts->distinct,
        counts->whole, counts->corrupt, counts->unopenable, counts->lost);
    uint64_t bad = bad_of(counts);
    uint64_t states = counts->states;
    sk_judge_free(judge);
    sk_story_forget(&tale);
    sk_sim_end();
    assert_int_equal(bad, 0);
    assert_true(SANITIZED || states >= wanted); /* a sample leaves out places as well */
}

/* The judge must notice: a disk that only says that it synced loses what was acknowledged. */
static void lies_about_syncs_are_found_out(enum sk_sim_lie lie)
{
    struct sk_story_tale tale;
    struct place place;
    sk_sim_begin();
    sk_sim_lie(lie);
    sk_story_tell(&tale, plot);
    sk_sim_lie(SK_SIM_HONEST);
    struct sk_judge *judge = sk_judge_new(&tale);
    sk_judge_quiet(judge);
    for (place_begin(&place, &tale); place_next(&place, &tale);)
        if (place.power.at % ONE_KILL_OF == 0)
            judge_cut(judge, &place.power, SK_SIM_CUT_NOTHING, 0, place.done);
    uint64_t bad = bad_of(sk_judge_counts(judge));
    sk_judge_free(judge);
    sk_story_forget(&tale);
    sk_sim_end();
    assert_true(bad > 0);
}

static void lies_about_files_are_found_out(void **state)
{
    (void)state;
    lies_about_syncs_are_found_out(SK_SIM_LIES_OF_FILES);
}

static void lies_about_folders_are_found_out(void **state)
{
    (void)state;
    lies_about_syncs_are_found_out(SK_SIM_LIES_OF_FOLDERS);
}

static uint64_t number_wanted(void)
{
    if (plot->kept)
        return sk_test_effort(STATES_SAMPLE, RESCUE, RESCUE_LONG);
    return sk_test_effort(STATES_SAMPLE, STATES, STATES_LONG);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_fails_everywhere),
        cmocka_unit_test(lies_about_files_are_found_out),
        cmocka_unit_test(lies_about_folders_are_found_out),
    };
    plot = argc > 1 ? sk_story_find(argv[1]) : NULL;
    if (!plot)
        return 64;
    wanted = argc > 2 ? strtoull(argv[2], NULL, 10) : number_wanted();
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
