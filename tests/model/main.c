/*
 * Goal of this test: whatever documenters, couriers and archives do in whatever order (record,
 * change, withdraw, export, lose, repeat, reorder, damage, put older copies back, restore,
 * approve), each side ends up knowing exactly what a plain model of sync/FORMAT.md says it must
 * know, and shows no word that was withdrawn.
 *
 *     model [FIRST SEED [COUNT]]
 *
 * A sequence of actions follows from its seed. Each runs in a process of its own on a copy of one
 * world in memory. One that fails is made shorter while it still fails, and printed.
 */
#include "tests/model/real.h"
#include "tests/support/effort.h"
#include "tests/support/sim/live.h"
#include "tests/support/sim/power.h"
#include "tests/support/story/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACTIONS_MIN  10
#define ACTIONS_MORE 90
#define JOBS_MAX     16
#define SHRINK_RUNS  600

struct sequence {
    uint64_t seed;
    int count;
    struct r_action actions[R_OPENING_MAX + ACTIONS_MIN + ACTIONS_MORE];
};

/* Counted by all processes. */
struct counts {
    unsigned long met[M_OUTCOME_COUNT];
    unsigned long done[R_KIND_COUNT];
};
static struct counts *counts;

static const struct sequence *current;

void m_met(enum m_outcome outcome)
{
    (void)__atomic_fetch_add(&counts->met[outcome], 1, __ATOMIC_RELAXED);
}

/* ---- one sequence ---- */

/* Each sequence does without some kinds of actions, so that others come to meet more often. */
static unsigned choose_weights(uint64_t *luck, unsigned out[static R_KIND_COUNT])
{
    unsigned total = 0;
    for (int kind = 0; kind < R_KIND_COUNT; kind++) {
        bool wanted = kind == R_ADD || kind == R_EXPORT || kind == R_IMPORT;
        out[kind] = wanted || sk_sim_draw(luck, 4) > 0 ? r_weight((enum r_kind)kind) : 0;
        total += out[kind];
    }
    return total;
}

static void make_sequence(struct sequence *out, uint64_t seed)
{
    uint64_t luck = seed;
    unsigned weights[R_KIND_COUNT];
    unsigned total = choose_weights(&luck, weights);
    *out = (struct sequence){.seed = seed};
    int opening = r_opening(seed, out->actions);
    out->count = opening + ACTIONS_MIN + (int)sk_sim_draw(&luck, ACTIONS_MORE);
    for (int i = opening; i < out->count; i++) {
        struct r_action *action = &out->actions[i];
        unsigned chosen = (unsigned)sk_sim_draw(&luck, total);
        int kind = 0;
        while (chosen >= weights[kind])
            chosen -= weights[kind++];
        action->kind = (enum r_kind)kind;
        for (int j = 0; j < 3; j++)
            action->by[j] = (uint32_t)sk_sim_draw(&luck, INT32_MAX);
    }
}

static void play(void **state)
{
    (void)state;
    sk_story_random(current->seed);
    for (int i = 0; i < current->count; i++) {
        const struct r_action *action = &current->actions[i];
        bool done = r_act(action);
        if (done)
            (void)__atomic_fetch_add(&counts->done[action->kind], 1, __ATOMIC_RELAXED);
        print_message("%3d %s %u %u%s\n", i, r_kind_name(action->kind), action->by[0],
                      action->by[1], done ? "" : " (nothing to do)");
    }
    print_message("the end\n");
    r_end();
}

/* The child's whole life. */
static _Noreturn void play_alone(const struct sequence *sequence, bool loud)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(play)};
    current = sequence;
    if (!loud && (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)))
        _Exit(2);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)fflush(NULL);
    _Exit(failed ? 1 : 0);
}

static pid_t start(const struct sequence *sequence, bool loud)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        play_alone(sequence, loud);
    if (pid < 0)
        abort();
    return pid;
}

static bool fails(const struct sequence *sequence, bool loud)
{
    int how = 0;
    pid_t pid = start(sequence, loud);
    if (waitpid(pid, &how, 0) != pid)
        abort();
    return how != 0;
}

/* ---- one that fails ---- */

static void without(struct sequence *out, const struct sequence *from, int at, int count)
{
    *out = *from;
    memmove(out->actions + at, out->actions + at + count,
            (size_t)(from->count - at - count) * sizeof(out->actions[0]));
    out->count -= count;
}

/* Leaves out what can be left out, in ever smaller pieces. */
static void shrink(struct sequence *sequence)
{
    int runs = 0;
    for (int piece = sequence->count / 2; piece > 0; piece /= 2) {
        int at = 0;
        while (at + piece <= sequence->count && runs++ < SHRINK_RUNS) {
            struct sequence shorter;
            without(&shorter, sequence, at, piece);
            if (fails(&shorter, false))
                *sequence = shorter;
            else
                at += piece;
        }
    }
}

static void tell_failure(const struct sequence *failed)
{
    struct sequence sequence = *failed;
    printf("seed %llu fails; made shorter:\n", (unsigned long long)sequence.seed);
    shrink(&sequence);
    (void)fails(&sequence, true);
}

/* ---- all of them ---- */

struct job {
    pid_t pid;
    struct sequence sequence;
};

static void finish_one(struct job *jobs, int count, int *failures)
{
    int how = 0;
    pid_t pid = wait(&how);
    for (int i = 0; i < count; i++) {
        if (jobs[i].pid != pid)
            continue;
        jobs[i].pid = 0;
        if (how != 0 && ++*failures <= 3)
            tell_failure(&jobs[i].sequence);
        return;
    }
    abort();
}

static int run_all(uint64_t first, unsigned count, int jobs_max)
{
    static struct job jobs[JOBS_MAX];
    int failures = 0;
    int running = 0;
    for (unsigned i = 0; i < count && failures < 3; i++) {
        int free_job = 0;
        if (running == jobs_max) {
            finish_one(jobs, jobs_max, &failures);
            running--;
        }
        while (jobs[free_job].pid != 0)
            free_job++;
        make_sequence(&jobs[free_job].sequence, first + i);
        jobs[free_job].pid = start(&jobs[free_job].sequence, false);
        running++;
    }
    for (; running > 0; running--)
        finish_one(jobs, jobs_max, &failures);
    return failures;
}

static int tell_counts(bool all_wanted)
{
    static const char *const words[] = {
#define M_OUTCOME_WORDS(name, text) text,
        M_OUTCOMES(M_OUTCOME_WORDS)
#undef M_OUTCOME_WORDS
    };
    int missing = 0;
    for (int i = 0; i < R_KIND_COUNT; i++)
        printf("%9lu %s\n", counts->done[i], r_kind_name((enum r_kind)i));
    for (int i = 0; i < M_OUTCOME_COUNT; i++) {
        printf("%9lu %s\n", counts->met[i], words[i]);
        missing += counts->met[i] == 0;
    }
    if (missing > 0 && all_wanted)
        printf("%d outcomes were never met: this says nothing about them\n", missing);
    return all_wanted ? missing : 0;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    unsigned usual = sk_test_effort(40, 200, 10000);
    unsigned count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : usual;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int jobs = processors < 1 ? 1 : processors > JOBS_MAX ? JOBS_MAX : (int)processors;
    counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED || sk_test_begin(NULL) != 0)
        return 2;
    sk_sim_begin();
    sk_story_random(0);
    r_make();
    int failures = run_all(first, count, jobs);
    int missing = tell_counts(argc == 1 && !SANITIZED);
    printf("%u sequences from seed %llu on, %d failed\n", count, (unsigned long long)first,
           failures);
    return failures || missing ? 1 : 0;
}
