/*
 * What the files of the live file system share: live.c keeps it, posix.c is the calls on it,
 * install.c puts them below the file layer and SQLite.
 */
#ifndef SK_TESTS_SIM_LIVE_INTERNAL_H
#define SK_TESTS_SIM_LIVE_INTERNAL_H

#include "core/file_calls.h"
#include "tests/support/sim/live.h"

#define SK_SIM_FD      (1 << 20) /* above every number the system gives */
#define SK_SIM_HANDLES 64

struct sk_sim_handle {
    bool used;
    bool locked;
    unsigned node;
    int flags;
    uint64_t offset;
};

struct sk_sim_live {
    struct sk_sim_image image;
    struct sk_sim_record *record;
    struct sk_sim_handle handles[SK_SIM_HANDLES];
    unsigned open_folders; /* by opendir() */
    unsigned disks;
    struct sk_sim_fault fault;
    unsigned counted;
    bool struck;
    enum sk_sim_lie lie;
    bool nameless;
};
extern struct sk_sim_live sk_sim;

/* Takes a step and notes it. */
void sk_sim_take(const struct sk_sim_step *step);
void sk_sim_take_entry(unsigned folder, const char *name, unsigned target, bool half);
unsigned sk_sim_take_nameless(unsigned parent);
unsigned sk_sim_take_node(unsigned parent, const char *name, bool folder);

/* NULL when it is not open. */
struct sk_sim_handle *sk_sim_handle(int fd);
int sk_sim_handle_new(unsigned node, int flags);

/* Counts a call on a node; 0, or the fault it meets: errno, which is set, or SK_SIM_SHORT. */
int sk_sim_strike(unsigned call, unsigned node);

/* posix.c: the calls, on paths and descriptors of the simulation. */
extern const struct sk_file_calls sk_sim_calls;
ssize_t sk_sim_pwrite(int fd, const void *bytes, size_t len, off_t offset);
int sk_sim_ftruncate(int fd, off_t len);
int sk_sim_access(const char *path, int mode);

/* install.c: puts the calls in place, and takes them away. */
void sk_sim_install(void);
void sk_sim_uninstall(void);

#endif
