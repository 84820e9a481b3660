#include "tests/support/sim/power.h"

#include <string.h>

uint64_t sk_sim_draw(uint64_t *state, uint64_t below)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

void sk_sim_power_begin(struct sk_sim_power *power, const struct sk_sim_record *record)
{
    *power = (struct sk_sim_power){.record = record};
    sk_sim_image_copy(&power->durable, &record->start);
}

void sk_sim_power_end(struct sk_sim_power *power)
{
    sk_sim_image_clear(&power->durable);
    sk_sim_free(power->pending);
}

static const struct sk_sim_step *pending_step(const struct sk_sim_power *power, size_t i)
{
    return &power->record->steps[power->pending[i]];
}

/* Takes what was pending on a node into what is durable, in order. */
static void make_durable(struct sk_sim_power *power, unsigned node)
{
    size_t kept = 0;
    for (size_t i = 0; i < power->count; i++) {
        const struct sk_sim_step *step = pending_step(power, i);
        if (step->node == node)
            sk_sim_image_step(&power->durable, step);
        else
            power->pending[kept++] = power->pending[i];
    }
    power->count = kept;
}

bool sk_sim_power_next(struct sk_sim_power *power)
{
    if (power->at == power->record->count)
        return false;
    const struct sk_sim_step *step = &power->record->steps[power->at];
    if (step->kind == SK_SIM_STEP_NODE) {
        sk_sim_image_step(&power->durable, step);
    } else if (step->kind == SK_SIM_STEP_SYNC) {
        make_durable(power, step->node);
    } else {
        if (power->count == power->room) {
            power->room = power->room ? 2 * power->room : 64;
            power->pending = sk_sim_grow(power->pending, power->room * sizeof(size_t));
        }
        power->pending[power->count++] = power->at;
    }
    power->at++;
    return true;
}

bool sk_sim_power_whole(const struct sk_sim_power *power)
{
    return power->at == 0 || !power->record->steps[power->at - 1].half;
}

/* ---- cuts ---- */

/* The newest step, when it is pending. */
static const struct sk_sim_step *newest(const struct sk_sim_power *power)
{
    if (power->count == 0 || power->pending[power->count - 1] + 1 != power->at)
        return NULL;
    return pending_step(power, power->count - 1);
}

/* The sectors that a write touches. */
static size_t sectors_of(const struct sk_sim_step *step)
{
    return (size_t)((step->offset + step->len - 1) / SK_SIM_SECTOR - step->offset / SK_SIM_SECTOR +
                    1);
}

size_t sk_sim_power_cuts(const struct sk_sim_power *power, enum sk_sim_cut cut)
{
    const struct sk_sim_step *step = newest(power);
    switch (cut) {
    case SK_SIM_CUT_NOTHING:
    case SK_SIM_CUT_ALL:
        return 1;
    case SK_SIM_CUT_NEWEST:
        return step && power->count > 1;
    case SK_SIM_CUT_TORN:
    case SK_SIM_CUT_TAIL:
        return step && step->kind == SK_SIM_STEP_WRITE ? sectors_of(step) - 1 : 0;
    case SK_SIM_CUT_WITHOUT:
        return step && power->count > 1 ? power->count - 1 : 0;
    case SK_SIM_CUT_RANDOM:
        return power->count > 0;
    }
    return 0;
}

/* The part of a write that falls into its n-th sector. */
static size_t sector_part(const struct sk_sim_step *step, size_t n, size_t *from)
{
    uint64_t start = (step->offset / SK_SIM_SECTOR + n) * SK_SIM_SECTOR;
    uint64_t end = start + SK_SIM_SECTOR;
    uint64_t last = step->offset + step->len;
    start = start > step->offset ? start : step->offset;
    end = end < last ? end : last;
    *from = (size_t)(start - step->offset);
    return (size_t)(end - start);
}

static void write_part(struct sk_sim_image *image, const struct sk_sim_step *step, size_t from,
                       size_t len, const uint8_t *bytes)
{
    sk_sim_content_write(&sk_sim_image_own(image, step->node)->content, step->offset + from, bytes,
                         len);
}

static void write_sectors(struct sk_sim_image *image, const struct sk_sim_step *step, size_t first,
                          size_t end)
{
    for (size_t n = first; n < end; n++) {
        size_t from;
        size_t len = sector_part(step, n, &from);
        write_part(image, step, from, len, step->bytes + from);
    }
}

/* What one sector of a write becomes: as it was, as written, and now and then zeros or garbage. */
static void write_by_luck(struct sk_sim_image *image, const struct sk_sim_step *step, size_t n,
                          uint64_t *luck)
{
    uint8_t spoiled[SK_SIM_SECTOR] = {0};
    size_t from;
    size_t len = sector_part(step, n, &from);
    uint64_t what = sk_sim_draw(luck, 32);
    if (what < 15)
        return;
    if (what < 30) {
        write_part(image, step, from, len, step->bytes + from);
        return;
    }
    for (size_t i = 0; what == 31 && i < len; i++)
        spoiled[i] = (uint8_t)sk_sim_draw(luck, 256);
    write_part(image, step, from, len, spoiled);
}

/* Torn at sectors, or at the blocks of a file system. */
static void tear(struct sk_sim_image *image, const struct sk_sim_step *step, uint64_t *luck)
{
    size_t sectors = sectors_of(step);
    bool blocks = sk_sim_draw(luck, 3) == 0;
    bool there = false;
    for (size_t n = 0; n < sectors; n++) {
        uint64_t sector = step->offset / SK_SIM_SECTOR + n;
        if (!blocks) {
            write_by_luck(image, step, n, luck);
            continue;
        }
        if (n == 0 || sector % (SK_SIM_BLOCK / SK_SIM_SECTOR) == 0)
            there = sk_sim_draw(luck, 2) == 0;
        if (there)
            write_sectors(image, step, n, n + 1);
    }
}

static void cut_by_luck(const struct sk_sim_power *power, uint64_t seed, struct sk_sim_image *out)
{
    uint64_t luck = seed;
    uint64_t there = 1 + sk_sim_draw(&luck, 19); /* of 20 */
    uint64_t torn = sk_sim_draw(&luck, 6);       /* of 10 */
    for (size_t i = 0; i < power->count; i++) {
        const struct sk_sim_step *step = pending_step(power, i);
        if (step->kind == SK_SIM_STEP_WRITE && sk_sim_draw(&luck, 10) < torn) {
            tear(out, step, &luck);
            continue;
        }
        if (sk_sim_draw(&luck, 20) < there)
            sk_sim_image_step(out, step);
    }
}

void sk_sim_power_state(const struct sk_sim_power *power, enum sk_sim_cut cut, uint64_t number,
                        struct sk_sim_image *out)
{
    sk_sim_image_copy(out, &power->durable);
    if (cut == SK_SIM_CUT_NOTHING)
        return;
    if (cut == SK_SIM_CUT_RANDOM) {
        cut_by_luck(power, number, out);
        return;
    }
    bool torn = cut == SK_SIM_CUT_TORN || cut == SK_SIM_CUT_TAIL;
    size_t first = cut == SK_SIM_CUT_NEWEST ? power->count - 1 : 0;
    for (size_t i = first; i < power->count - torn; i++) {
        if (cut != SK_SIM_CUT_WITHOUT || i != number)
            sk_sim_image_step(out, pending_step(power, i));
    }
    if (torn) {
        const struct sk_sim_step *step = newest(power);
        size_t border = (size_t)number + 1;
        if (cut == SK_SIM_CUT_TORN)
            write_sectors(out, step, 0, border);
        else
            write_sectors(out, step, border, sectors_of(step));
    }
}
