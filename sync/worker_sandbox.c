#include "sync/worker_sandbox.h"

#include "sync/worker_wire.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- limits ---- */

static int limit(__rlimit_resource_t what, rlim_t most)
{
    const struct rlimit value = {most, most};
    return setrlimit(what, &value) == 0 ? 0 : errno;
}

int sk_sandbox_limits(const char **step)
{
    *step = "cores and traces cannot be forbidden";
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || limit(RLIMIT_CORE, 0) != 0)
        return errno;
    *step = "it cannot be bound to the life of the receiver";
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return errno;
    *step = "the current folder cannot be left";
    if (chdir("/") != 0)
        return errno;
    *step = "its limits cannot be set";
    if (limit(RLIMIT_FSIZE, 0) != 0 || limit(RLIMIT_NPROC, 0) != 0)
        return errno;
#if !defined(__SANITIZE_ADDRESS__) /* which reserves terabytes of addresses */
    if (limit(RLIMIT_AS, SK_WORKER_MEMORY_MAX) != 0)
        return errno;
#endif
    *step = "new privileges cannot be forbidden";
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

/* ---- Landlock ---- */

/* From linux/landlock.h of Linux 6.12, since the headers here may be older than the kernel. */
struct landlock_rules {
    uint64_t files;
    uint64_t net;
    uint64_t scoped;
};
#define ASK_VERSION 1u
#define NET_ALL     3u /* bind and connect of TCP */
#define SCOPED_ALL  3u /* abstract sockets, signals */

static uint64_t all_file_rights(long version)
{
    unsigned count = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;
    return (1ull << count) - 1;
}

int sk_sandbox_landlock(uint8_t *version, const char **step)
{
    *version = 0;
    *step = "Landlock fails";
    long known = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, ASK_VERSION);
    if (known < 1)
        return 0;
    const struct landlock_rules rules = {all_file_rights(known), NET_ALL, SCOPED_ALL};
    size_t len = known >= 6   ? sizeof(rules)
                 : known >= 4 ? offsetof(struct landlock_rules, scoped)
                              : offsetof(struct landlock_rules, net);
    long fd = syscall(SYS_landlock_create_ruleset, &rules, len, 0u);
    if (fd < 0)
        return errno;
    int number = syscall(SYS_landlock_restrict_self, (int)fd, 0u) == 0 ? 0 : errno;
    (void)close((int)fd);
    *version = (uint8_t)(known < UINT8_MAX ? known : UINT8_MAX);
    return number;
}

/* ---- the filter ---- */

#define LOW_32 0xffffffffu

/* Where there are two, the older one has its arguments in memory, where no filter sees them. */
#if defined(SYS_mmap2)
#define MAP_CALL SCMP_SYS(mmap2)
#else
#define MAP_CALL SCMP_SYS(mmap)
#endif

static int allow(scmp_filter_ctx filter, int call)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
}

/* A call whose first argument is one descriptor. */
static int allow_on(scmp_filter_ctx filter, int call, int fd)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, LOW_32, (scmp_datum_t)fd));
}

/* Memory of its own, never executed, never a file's. */
static int allow_memory(scmp_filter_ctx filter)
{
    static const int plain[] = {SCMP_SYS(brk),    SCMP_SYS(munmap), SCMP_SYS(madvise),
                                SCMP_SYS(mremap), SCMP_SYS(mlock),  SCMP_SYS(munlock)};
    int failed = 0;
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]) && !failed; i++)
        failed = allow(filter, plain[i]);
    if (!failed)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (!failed)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, MAP_CALL, 3,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                                  SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS),
                                  SCMP_A4(SCMP_CMP_MASKED_EQ, LOW_32, LOW_32));
    return failed;
}

/*
 * AddressSanitizer: its own stacks for signals, who it is, a lock. A report would read files: the
 * worker is killed at the first call for that, so that a mistake makes the import fail;
 * --without-sandbox then shows the report.
 */
static int allow_sanitizer(scmp_filter_ctx filter)
{
    int failed = 0;
#if defined(__SANITIZE_ADDRESS__)
    static const int calls[] = {SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigprocmask),
                                SCMP_SYS(gettid),      SCMP_SYS(getpid),
                                SCMP_SYS(futex),       SCMP_SYS(sched_yield)};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && !failed; i++)
        failed = allow(filter, calls[i]);
#else
    (void)filter;
#endif
    return failed;
}

static int fill(scmp_filter_ctx filter)
{
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!failed)
        failed = allow_on(filter, SCMP_SYS(read), SK_WORKER_SOCKET);
    if (!failed)
        failed = allow_on(filter, SCMP_SYS(write), SK_WORKER_SOCKET);
    if (!failed)
        failed = allow_on(filter, SCMP_SYS(pread64), SK_WORKER_FILE);
    if (!failed)
        failed = allow_memory(filter);
    if (!failed)
        failed = allow(filter, SCMP_SYS(exit_group));
    return failed ? failed : allow_sanitizer(filter);
}

/* libseccomp gives negative errnos. A kernel that cannot kill a whole process is as one without. */
int sk_sandbox_filter(const char **step)
{
    *step = "this kernel has no system call filter (seccomp) that kills";
    if (seccomp_api_get() < 3)
        return ENOSYS;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter)
        return ENOMEM;
    int failed = fill(filter);
    if (!failed)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    return -failed;
}

int sk_sandbox_enter(uint8_t *landlock, const char **step)
{
    int failed = sk_sandbox_limits(step);
    if (!failed)
        failed = sk_sandbox_landlock(landlock, step);
    return failed ? failed : sk_sandbox_filter(step);
}
