#include "tests/support/sim/image.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

static struct sk_sim_node *node_new(bool folder, unsigned disk)
{
    struct sk_sim_node *node = sk_sim_alloc(sizeof(*node));
    node->refs = 1;
    node->folder = folder;
    node->disk = disk;
    return node;
}

static void node_release(struct sk_sim_node *node)
{
    if (--node->refs > 0)
        return;
    sk_sim_content_clear(&node->content);
    sk_sim_free(node->entries);
    sk_sim_free(node);
}

static void add_node(struct sk_sim_image *image, struct sk_sim_node *node)
{
    image->nodes = sk_sim_grow(image->nodes, (image->count + 1) * sizeof(struct sk_sim_node *));
    image->nodes[image->count++] = node;
}

void sk_sim_image_init(struct sk_sim_image *image)
{
    *image = (struct sk_sim_image){NULL, 0};
    add_node(image, node_new(true, 0));
}

void sk_sim_image_copy(struct sk_sim_image *out, const struct sk_sim_image *from)
{
    out->count = from->count;
    out->nodes = sk_sim_grow(NULL, from->count * sizeof(struct sk_sim_node *));
    for (unsigned i = 0; i < from->count; i++) {
        out->nodes[i] = from->nodes[i];
        out->nodes[i]->refs++;
    }
}

void sk_sim_image_clear(struct sk_sim_image *image)
{
    for (unsigned i = 0; i < image->count; i++)
        node_release(image->nodes[i]);
    sk_sim_free(image->nodes);
    *image = (struct sk_sim_image){NULL, 0};
}

struct sk_sim_node *sk_sim_image_own(struct sk_sim_image *image, unsigned number)
{
    struct sk_sim_node *node = image->nodes[number];
    if (node->refs == 1)
        return node;
    struct sk_sim_node *copy = node_new(node->folder, node->disk);
    sk_sim_content_copy(&copy->content, &node->content);
    copy->entry_count = node->entry_count;
    copy->entries = sk_sim_grow(NULL, node->entry_count * sizeof(struct sk_sim_entry));
    if (node->entry_count > 0)
        memcpy(copy->entries, node->entries, node->entry_count * sizeof(struct sk_sim_entry));
    node->refs--;
    image->nodes[number] = copy;
    return copy;
}

static struct sk_sim_entry *find_entry(const struct sk_sim_node *folder, const char *name)
{
    for (size_t i = 0; i < folder->entry_count; i++)
        if (strcmp(folder->entries[i].name, name) == 0)
            return &folder->entries[i];
    return NULL;
}

static void set_entry(struct sk_sim_node *folder, const char *name, unsigned target)
{
    struct sk_sim_entry *entry = find_entry(folder, name);
    if (entry && target == SK_SIM_NONE) {
        *entry = folder->entries[--folder->entry_count];
        return;
    }
    if (!entry && target != SK_SIM_NONE) {
        folder->entries =
            sk_sim_grow(folder->entries, (folder->entry_count + 1) * sizeof(struct sk_sim_entry));
        entry = &folder->entries[folder->entry_count++];
        memset(entry, 0, sizeof(*entry));
        memcpy(entry->name, name, strnlen(name, SK_SIM_NAME_MAX - 1));
    }
    if (entry)
        entry->node = target;
}

void sk_sim_image_step(struct sk_sim_image *image, const struct sk_sim_step *step)
{
    switch (step->kind) {
    case SK_SIM_STEP_NODE:
        if (step->node == image->count)
            add_node(image, node_new(step->folder, step->disk));
        break;
    case SK_SIM_STEP_WRITE:
        sk_sim_content_write(&sk_sim_image_own(image, step->node)->content, step->offset,
                             step->bytes, step->len);
        break;
    case SK_SIM_STEP_TRUNCATE:
        sk_sim_content_truncate(&sk_sim_image_own(image, step->node)->content, step->offset);
        break;
    case SK_SIM_STEP_ENTRY:
        set_entry(sk_sim_image_own(image, step->node), step->name, step->target);
        break;
    case SK_SIM_STEP_SYNC:
        break;
    }
}

unsigned sk_sim_image_entry(const struct sk_sim_image *image, unsigned folder, const char *name)
{
    const struct sk_sim_entry *entry = find_entry(image->nodes[folder], name);
    return entry ? entry->node : SK_SIM_NONE;
}

/* Copies the first name of a path and returns what follows it. */
static const char *next_name(const char *path, char *name)
{
    path += strspn(path, "/");
    size_t len = strcspn(path, "/");
    size_t copied = len < SK_SIM_NAME_MAX ? len : SK_SIM_NAME_MAX - 1;
    memcpy(name, path, copied);
    name[copied] = '\0';
    return path + len;
}

unsigned sk_sim_image_parent(const struct sk_sim_image *image, const char *path, char *name,
                             bool *found)
{
    unsigned node = 0;
    *found = false;
    if (strncmp(path, SK_SIM_ROOT, sizeof(SK_SIM_ROOT) - 1) != 0)
        return SK_SIM_NONE;
    path = next_name(path + sizeof(SK_SIM_ROOT) - 1, name);
    while (path[strspn(path, "/")] != '\0') {
        if (!image->nodes[node]->folder)
            return SK_SIM_NONE;
        node = sk_sim_image_entry(image, node, name);
        if (node == SK_SIM_NONE)
            return SK_SIM_NONE;
        path = next_name(path, name);
    }
    *found = image->nodes[node]->folder;
    return node;
}

unsigned sk_sim_image_find(const struct sk_sim_image *image, const char *path, bool *found)
{
    char name[SK_SIM_NAME_MAX];
    unsigned folder = sk_sim_image_parent(image, path, name, found);
    if (!*found || name[0] == '\0')
        return folder;
    unsigned node = sk_sim_image_entry(image, folder, name);
    *found = node != SK_SIM_NONE;
    return node;
}

/* The order of a folder's entries does not count. */
static uint64_t hash_tree(const struct sk_sim_image *image, unsigned number, unsigned depth)
{
    const struct sk_sim_node *node = image->nodes[number];
    if (!node->folder)
        return sk_sim_content_hash(&node->content);
    uint64_t sum = 3;
    for (size_t i = 0; i < node->entry_count && depth < DEPTH_MAX; i++) {
        const struct sk_sim_entry *entry = &node->entries[i];
        uint64_t hash = sk_sim_hash_bytes(5, entry->name, strlen(entry->name));
        sum += sk_sim_mix(hash, hash_tree(image, entry->node, depth + 1));
    }
    return sk_sim_mix(11, sum);
}

uint64_t sk_sim_image_hash(const struct sk_sim_image *image, const char *path)
{
    bool found;
    unsigned node = sk_sim_image_find(image, path, &found);
    return found ? hash_tree(image, node, 0) : 0;
}
