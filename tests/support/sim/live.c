#include "tests/support/sim/live_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sk_sim_live sk_sim;

/* ---- steps ---- */

static void note(const struct sk_sim_step *step)
{
    struct sk_sim_record *record = sk_sim.record;
    if (!record)
        return;
    if (record->count == record->room) {
        record->room = record->room ? 2 * record->room : 256;
        record->steps = sk_sim_grow(record->steps, record->room * sizeof(struct sk_sim_step));
    }
    struct sk_sim_step *kept = &record->steps[record->count++];
    *kept = *step;
    if (step->bytes) {
        kept->bytes = sk_sim_grow(NULL, step->len);
        memcpy(kept->bytes, step->bytes, step->len);
    }
}

void sk_sim_take(const struct sk_sim_step *step)
{
    sk_sim_image_step(&sk_sim.image, step);
    note(step);
}

void sk_sim_take_entry(unsigned folder, const char *name, unsigned target, bool half)
{
    struct sk_sim_step step = {
        .kind = SK_SIM_STEP_ENTRY, .node = folder, .target = target, .half = half};
    memcpy(step.name, name, strnlen(name, SK_SIM_NAME_MAX - 1));
    sk_sim_take(&step);
}

unsigned sk_sim_take_nameless(unsigned parent)
{
    struct sk_sim_step step = {.kind = SK_SIM_STEP_NODE,
                               .node = sk_sim.image.count,
                               .disk = sk_sim.image.nodes[parent]->disk};
    sk_sim_take(&step);
    return step.node;
}

unsigned sk_sim_take_node(unsigned parent, const char *name, bool folder)
{
    unsigned node = sk_sim.image.count;
    unsigned disk = sk_sim.image.nodes[parent]->disk;
    if (parent == 0)
        disk = ++sk_sim.disks;
    struct sk_sim_step step = {
        .kind = SK_SIM_STEP_NODE, .node = node, .folder = folder, .disk = disk, .half = true};
    sk_sim_take(&step);
    sk_sim_take_entry(parent, name, node, false);
    return node;
}

/* ---- open files ---- */

struct sk_sim_handle *sk_sim_handle(int fd)
{
    if (fd < SK_SIM_FD || fd >= SK_SIM_FD + SK_SIM_HANDLES || !sk_sim.handles[fd - SK_SIM_FD].used)
        return NULL;
    return &sk_sim.handles[fd - SK_SIM_FD];
}

int sk_sim_handle_new(unsigned node, int flags)
{
    for (int i = 0; i < SK_SIM_HANDLES; i++)
        if (!sk_sim.handles[i].used) {
            sk_sim.handles[i] = (struct sk_sim_handle){.used = true, .node = node, .flags = flags};
            return SK_SIM_FD + i;
        }
    abort();
}

bool sk_sim_owns_path(const char *path)
{
    size_t len = sizeof(SK_SIM_ROOT) - 1;
    return strncmp(path, SK_SIM_ROOT, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

bool sk_sim_owns_fd(int fd)
{
    return fd >= SK_SIM_FD;
}

unsigned sk_sim_open_count(void)
{
    unsigned count = sk_sim.open_folders;
    for (int i = 0; i < SK_SIM_HANDLES; i++)
        count += sk_sim.handles[i].used;
    return count;
}

/* ---- faults ---- */

void sk_sim_arm(const struct sk_sim_fault *fault)
{
    sk_sim.fault = *fault;
    sk_sim.counted = 0;
    sk_sim.struck = false;
}

void sk_sim_disarm(void)
{
    sk_sim.fault = (struct sk_sim_fault){0};
}

unsigned sk_sim_counted(void)
{
    return sk_sim.counted;
}

bool sk_sim_struck(void)
{
    return sk_sim.struck;
}

int sk_sim_strike(unsigned call, unsigned node)
{
    const struct sk_sim_fault *fault = &sk_sim.fault;
    if (!(fault->calls & call))
        return 0;
    if (fault->disk != 0 && sk_sim.image.nodes[node]->disk != fault->disk)
        return 0;
    sk_sim.counted++;
    if (sk_sim.counted < fault->number || (sk_sim.counted > fault->number && !fault->lasting))
        return 0;
    sk_sim.struck = true;
    if (fault->error != SK_SIM_SHORT)
        errno = fault->error;
    return fault->error;
}

void sk_sim_nameless(bool nameless)
{
    sk_sim.nameless = nameless;
}

void sk_sim_lie(enum sk_sim_lie lie)
{
    sk_sim.lie = lie;
}

/* ---- the disk ---- */

const struct sk_sim_image *sk_sim_now(void)
{
    return &sk_sim.image;
}

void sk_sim_load(const struct sk_sim_image *image)
{
    struct sk_sim_image copy;
    if (sk_sim_open_count() > 0)
        abort();
    sk_sim_image_copy(&copy, image);
    sk_sim_image_clear(&sk_sim.image);
    sk_sim.image = copy;
}

void sk_sim_record(struct sk_sim_record *record)
{
    *record = (struct sk_sim_record){.steps = NULL};
    sk_sim_image_copy(&record->start, &sk_sim.image);
    sk_sim.record = record;
}

void sk_sim_record_stop(void)
{
    sk_sim.record = NULL;
}

void sk_sim_record_clear(struct sk_sim_record *record)
{
    for (size_t i = 0; i < record->count; i++)
        sk_sim_free(record->steps[i].bytes);
    sk_sim_free(record->steps);
    if (record->start.count > 0)
        sk_sim_image_clear(&record->start);
    *record = (struct sk_sim_record){.steps = NULL};
}

/* ---- for the test itself ---- */

static unsigned make(const char *path, bool folder)
{
    char name[SK_SIM_NAME_MAX];
    bool found;
    struct sk_sim_record *record = sk_sim.record;
    unsigned parent = sk_sim_image_parent(&sk_sim.image, path, name, &found);
    if (!found)
        abort();
    sk_sim.record = NULL;
    unsigned node = sk_sim_image_entry(&sk_sim.image, parent, name);
    if (node == SK_SIM_NONE)
        node = sk_sim_take_node(parent, name, folder);
    sk_sim.record = record;
    return node;
}

void sk_sim_make_folder(const char *path)
{
    (void)make(path, true);
}

void sk_sim_make_file(const char *path, const void *bytes, size_t len)
{
    unsigned number = make(path, false);
    struct sk_sim_node *node = sk_sim_image_own(&sk_sim.image, number);
    sk_sim_content_truncate(&node->content, 0);
    sk_sim_content_write(&node->content, 0, bytes, len);
}

uint8_t *sk_sim_file_bytes(const char *path, size_t *len)
{
    bool found;
    unsigned number = sk_sim_image_find(&sk_sim.image, path, &found);
    *len = 0;
    if (!found || sk_sim.image.nodes[number]->folder)
        return NULL;
    const struct sk_sim_content *content = &sk_sim.image.nodes[number]->content;
    *len = (size_t)content->len;
    uint8_t *bytes = sk_sim_alloc(*len);
    (void)sk_sim_content_read(content, 0, bytes, *len);
    return bytes;
}

unsigned sk_sim_disk(const char *path)
{
    bool found;
    unsigned number = sk_sim_image_find(&sk_sim.image, path, &found);
    return found ? sk_sim.image.nodes[number]->disk : 0;
}
