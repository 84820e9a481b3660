#include "tests/support/hostile_worker.h"

#include "crypto/bytes.h"
#include "crypto/secret.h"
#include "sync/frames.h"
#include "sync/worker.h"
#include "sync/worker_sandbox.h"
#include "sync/worker_wire.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- calls ---- */

static const struct {
    const char *name;
    long number;
    long a, b, c, d, e, f;
} calls[] = {
#if defined(SYS_open) /* newer architectures have openat() alone, and so on */
    {"open", SYS_open, (long)"/etc/passwd", O_RDONLY, 0, 0, 0, 0},
    {"creat", SYS_creat, (long)"planted", 0600, 0, 0, 0, 0},
    {"unlink", SYS_unlink, (long)"planted", 0, 0, 0, 0, 0},
    {"rename", SYS_rename, (long)"planted", (long)"other", 0, 0, 0, 0},
    {"mkdir", SYS_mkdir, (long)"planted", 0700, 0, 0, 0, 0},
    {"fork", SYS_fork, 0, 0, 0, 0, 0, 0},
    {"vfork", SYS_vfork, 0, 0, 0, 0, 0, 0},
#endif
    {"openat", SYS_openat, AT_FDCWD, (long)"/etc/passwd", O_RDONLY, 0, 0, 0},
    {"read_file", SYS_read, SK_WORKER_FILE, 0, 0, 0, 0, 0},
    {"write_file", SYS_write, SK_WORKER_FILE, (long)"x", 1, 0, 0, 0},
    {"pwrite64", SYS_pwrite64, SK_WORKER_FILE, (long)"x", 1, 0, 0, 0},
    {"stat", SYS_newfstatat, AT_FDCWD, (long)"/", 0, 0, 0, 0},
    {"getdents64", SYS_getdents64, SK_WORKER_FILE, 0, 0, 0, 0, 0},
    {"renameat2", SYS_renameat2, AT_FDCWD, (long)"planted", AT_FDCWD, (long)"other", 0, 0},
    {"mkdirat", SYS_mkdirat, AT_FDCWD, (long)"planted", 0700, 0, 0, 0},
    {"unlinkat", SYS_unlinkat, AT_FDCWD, (long)"planted", 0, 0, 0, 0},
    {"socket", SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0, 0},
    {"socketpair", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 0, 0, 0},
    {"connect", SYS_connect, SK_WORKER_SOCKET, 0, 0, 0, 0, 0},
    {"sendmsg", SYS_sendmsg, SK_WORKER_SOCKET, 0, 0, 0, 0, 0},
    {"recvmsg", SYS_recvmsg, SK_WORKER_SOCKET, 0, 0, 0, 0, 0},
    {"execve", SYS_execve, (long)"/bin/true", 0, 0, 0, 0, 0},
    {"execveat", SYS_execveat, AT_FDCWD, (long)"/bin/true", 0, 0, 0, 0},
    {"clone", SYS_clone, SIGCHLD, 0, 0, 0, 0, 0},
    {"clone3", SYS_clone3, 0, 0, 0, 0, 0, 0},
    {"ptrace", SYS_ptrace, 16, 1, 0, 0, 0, 0},
    {"process_vm_readv", SYS_process_vm_readv, 1, 0, 0, 0, 0, 0},
    {"kill", SYS_kill, 1, 0, 0, 0, 0, 0},
    {"tgkill", SYS_tgkill, 1, 1, 0, 0, 0, 0},
    {"mmap_exec", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0},
    {"mmap_file", SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, SK_WORKER_FILE, 0},
    {"mprotect_exec", SYS_mprotect, 0, 0, PROT_READ | PROT_EXEC, 0, 0, 0},
    {"prctl", SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0, 0},
    {"seccomp", SYS_seccomp, 0, 0, 0, 0, 0, 0},
    {"prlimit64", SYS_prlimit64, 0, RLIMIT_FSIZE, 0, 0, 0, 0},
    {"io_uring_setup", SYS_io_uring_setup, 1, 0, 0, 0, 0, 0},
    {"bpf", SYS_bpf, 0, 0, 0, 0, 0, 0},
    {"keyctl", SYS_keyctl, 0, 0, 0, 0, 0, 0},
    {"perf_event_open", SYS_perf_event_open, 0, 0, 0, 0, 0, 0},
    {"userfaultfd", SYS_userfaultfd, 0, 0, 0, 0, 0, 0},
    {"memfd_create", SYS_memfd_create, (long)"x", 0, 0, 0, 0, 0},
    {"shmget", SYS_shmget, 0, 4096, 01600, 0, 0, 0},
    {"dup", SYS_dup, SK_WORKER_SOCKET, 0, 0, 0, 0, 0},
    {"fcntl", SYS_fcntl, SK_WORKER_FILE, F_GETFL, 0, 0, 0, 0},
    {"ioctl", SYS_ioctl, SK_WORKER_SOCKET, 0x5412, 0, 0, 0, 0}, /* TIOCSTI: types into a terminal */
    {"mount", SYS_mount, 0, 0, 0, 0, 0, 0},
    {"unshare", SYS_unshare, 0, 0, 0, 0, 0, 0},
    {"chroot", SYS_chroot, (long)"/", 0, 0, 0, 0, 0},
    {"setuid", SYS_setuid, 0, 0, 0, 0, 0, 0},
    {"nanosleep", SYS_nanosleep, 0, 0, 0, 0, 0, 0},
};

size_t sk_hostile_call_count(void)
{
    return sizeof(calls) / sizeof(calls[0]);
}

const char *sk_hostile_call_name(size_t n)
{
    return calls[n].name;
}

/* ---- saying ---- */

static void put(const void *bytes, size_t len)
{
    if (write(SK_WORKER_SOCKET, bytes, len) != (ssize_t)len)
        _exit(3);
}

static void record(unsigned kind, uint32_t len)
{
    uint8_t head[SK_WIRE_HEAD_LEN] = {(uint8_t)kind};
    sk_put_u32(head + 4, len);
    put(head, sizeof(head));
}

static void say_ready(void)
{
    record(SK_WIRE_READY, 4);
    put("\0\0\0\0", 4);
}

static void say_failed(enum sk_status status)
{
    uint8_t bytes[SK_WIRE_FAILED_LEN] = {0};
    sk_put_u32(bytes, (uint32_t)status);
    record(SK_WIRE_FAILED, sizeof(bytes));
    put(bytes, sizeof(bytes));
    _exit(0);
}

static void read_job(void)
{
    uint8_t job[SK_JOB_LEN];
    size_t len = 0;
    while (len < sizeof(job)) {
        ssize_t n = read(SK_WORKER_SOCKET, job + len, sizeof(job) - len);
        if (n <= 0)
            _exit(4);
        len += (size_t)n;
    }
}

static void enter(void)
{
    uint8_t landlock = 0;
    const char *step = "";
    if (sk_crypto_init() != SK_OK || sk_sandbox_enter(&landlock, &step) != 0)
        _exit(5);
}

/* ---- the workers ---- */

static void make_call(const char *name)
{
    for (size_t i = 0; i < sk_hostile_call_count(); i++) {
        if (strcmp(calls[i].name, name) != 0)
            continue;
        enter();
        say_ready();
        read_job();
        (void)syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, calls[i].d, calls[i].e,
                      calls[i].f);
        say_failed(SK_LIMIT); /* it got away with it */
    }
    _exit(6);
}

static void eat(void)
{
    static void *kept[4096];
    size_t mib = 0;
    enter();
    say_ready();
    read_job();
    while (mib < 4096 && (kept[mib] = malloc(1024 * 1024)))
        mib++;
    say_failed(mib < SK_WORKER_MEMORY_MAX / 1024 / 1024 ? SK_NOMEM : SK_LIMIT);
}

/* A mistake such as a sanitizer is there to find, and has to find behind the sandbox too. */
static void overflow(void)
{
    enter();
    say_ready();
    read_job();
    volatile uint8_t *block = malloc(16);
    volatile size_t past = 16;
    if (block)
        block[past] = 1;
    say_failed(SK_LIMIT);
}

static int more_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;
    unsigned strange = 0;
    struct dirent *entry;
    if (!dir)
        return 1;
    while ((entry = readdir(dir))) {
        long fd = strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] == '.' || fd == dirfd(dir))
            continue;
        count++;
        strange += fd != SK_WORKER_SOCKET && fd != SK_WORKER_FILE;
    }
    (void)closedir(dir);
    return count != 2 || strange != 0;
}

static int limited(__rlimit_resource_t what, rlim_t most)
{
    struct rlimit value;
    return getrlimit(what, &value) == 0 && value.rlim_cur == most && value.rlim_max == most;
}

static void look(void)
{
    const char *step = "";
    char folder[8] = "";
    int number = 0;
    int wrong = more_descriptors() || environ[0] != NULL;
    wrong |= (fcntl(SK_WORKER_FILE, F_GETFL) & O_ACCMODE) != O_RDONLY;
    wrong |= sk_sandbox_limits(&step) != 0;
    wrong |= prctl(PR_GET_DUMPABLE) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
    wrong |= prctl(PR_GET_PDEATHSIG, &number) != 0 || number != SIGKILL;
    wrong |= !getcwd(folder, sizeof(folder)) || strcmp(folder, "/") != 0;
    wrong |= !limited(RLIMIT_CORE, 0) || !limited(RLIMIT_FSIZE, 0) || !limited(RLIMIT_NPROC, 0);
#if !defined(__SANITIZE_ADDRESS__)
    wrong |= !limited(RLIMIT_AS, SK_WORKER_MEMORY_MAX);
#endif
    say_ready();
    read_job();
    say_failed(wrong ? SK_IO : SK_LIMIT);
}

int sk_hostile_finds(const uint8_t *turned, size_t len)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY);
    char line[512];
    int found = 0;
    if (!maps || memory < 0)
        return -1;
    while (fgets(line, sizeof(line), maps)) {
        char *end = NULL;
        unsigned long from = strtoul(line, &end, 16);
        unsigned long to = strtoul(end + 1, NULL, 16);
        size_t size = to - from;
        /* Shadow memory of a sanitizer is terabytes, and no place for a key. */
        uint8_t *copy = end[0] == '-' && size <= (size_t)1 << 30 ? malloc(size) : NULL;
        ssize_t got = copy ? pread(memory, copy, size, (off_t)from) : -1;
        for (size_t i = 0; got > 0 && i + len <= (size_t)got; i++) {
            size_t same = 0;
            while (same < len && (copy[i + same] ^ SK_HOSTILE_TURN) == turned[same])
                same++;
            found |= same == len;
        }
        free(copy);
    }
    (void)fclose(maps);
    (void)close(memory);
    return found;
}

/* After the job, when all that it will ever be given is there. */
static void find(const char *hex)
{
    uint8_t turned[32];
    size_t len = strlen(hex) / 2;
    say_ready();
    read_job();
    for (size_t i = 0; i < len && i < sizeof(turned); i++) {
        const char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        turned[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    say_failed(sk_hostile_finds(turned, len) == 0 ? SK_LIMIT : SK_IO);
}

static void say_nonsense(unsigned n)
{
    uint8_t bytes[256] = {0};
    const struct sk_payload_head huge = {.text_len = 8, .body_len = 1ull << 40};
    say_ready();
    read_job();
    switch (n) {
    case 0: /* a kind that is none */
        record(200, 0);
        break;
    case 1: /* too long */
        record(SK_WIRE_BYTES, SK_WIRE_MAX + 1);
        break;
    case 2: /* the longest length */
        record(SK_WIRE_BYTES, UINT32_MAX);
        break;
    case 3: /* nothing, which could be said for ever */
        record(SK_WIRE_BYTES, 0);
        break;
    case 4: /* ready twice */
        say_ready();
        break;
    case 5: /* something else than a manifest */
        record(SK_WIRE_DATA, 4);
        break;
    case 6: /* an end without a beginning */
        record(SK_WIRE_END, 32);
        put(bytes, 32);
        break;
    case 7: /* asks for bytes, with a file */
        record(SK_WIRE_NEED, 4);
        put("\1\0\0\0", 4);
        break;
    case 8: /* raw bytes that nobody wants */
        record(SK_WIRE_RAW, 16);
        put(bytes, 16);
        break;
    case 9: /* bytes that are not zero in a head */
        memset(bytes, 3, SK_WIRE_HEAD_LEN);
        put(bytes, SK_WIRE_HEAD_LEN);
        break;
    case 10: /* a payload before its manifest */
        sk_payload_head_encode(bytes, &huge);
        record(SK_WIRE_PAYLOAD, SK_PAYLOAD_HEAD_LEN);
        put(bytes, SK_PAYLOAD_HEAD_LEN);
        break;
    case 11: /* a failure that is none */
        say_failed(SK_OK);
        break;
    case 12: /* one that no reading gives */
        say_failed(SK_WRONG_KEY);
        break;
    case 13: /* something is lost, where that is an error */
        record(SK_WIRE_LOST, 0);
        break;
    default: /* one that is no status */
        say_failed((enum sk_status)77777);
    }
    for (;;)
        (void)pause();
}

static void flood(void)
{
    static uint8_t bytes[65536];
    say_ready();
    read_job();
    for (;;) {
        record(SK_WIRE_RAW, sizeof(bytes));
        put(bytes, sizeof(bytes));
    }
}

/* A real worker behind this process; the bytes it says from here on go through `one`. */
static int start_real(void)
{
    int pair[2];
    char name[] = SK_WORKER_NAME;
    char *const argv[] = {name, NULL};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        _exit(7);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(pair[1], SK_WORKER_SOCKET);
        (void)close_range(2, ~0u, 0);
        (void)execve("/proc/self/exe", argv, environ);
        _exit(8);
    }
    (void)close(pair[1]);
    return pid > 0 ? pair[0] : -1;
}

static void repeat(unsigned long at, int cut)
{
    static uint8_t bytes[65536];
    uint8_t job[SK_JOB_LEN];
    unsigned long done = 0;
    int real = start_real();
    size_t len = SK_WIRE_HEAD_LEN + 4;
    if (real < 0 || recv(real, bytes, len, MSG_WAITALL) != (ssize_t)len)
        _exit(9);
    put(bytes, len);
    if (recv(SK_WORKER_SOCKET, job, sizeof(job), MSG_WAITALL) != sizeof(job) ||
        write(real, job, sizeof(job)) != sizeof(job))
        _exit(10);
    for (;;) {
        ssize_t n = read(real, bytes, sizeof(bytes));
        if (n <= 0)
            _exit(0);
        if (at >= done && at < done + (unsigned long)n) {
            if (cut) {
                put(bytes, at - done);
                _exit(0);
            }
            bytes[at - done] ^= 0x10;
        }
        done += (unsigned long)n;
        put(bytes, (size_t)n);
    }
}

static void be_silent(void)
{
    const char *step = "";
    (void)sk_sandbox_limits(&step);
    say_ready();
    for (;;)
        (void)pause();
}

static void end_with(int number)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    say_ready();
    read_job();
    (void)signal(number, SIG_DFL);
    if (number)
        (void)raise(number);
    _exit(0);
}

static const char *after(const char *text, const char *start)
{
    size_t len = strlen(start);
    return strncmp(text, start, len) == 0 ? text + len : NULL;
}

void sk_hostile_main(int argc, char **argv)
{
    const char *rest;
    if (sk_worker_called(argc, argv))
        _exit(sk_worker_main());
    if (argc != 1)
        return;
    if ((rest = after(argv[0], "call-")))
        make_call(rest);
    if ((rest = after(argv[0], "say-")))
        say_nonsense((unsigned)strtoul(rest, NULL, 10));
    if ((rest = after(argv[0], "liar-")))
        repeat(strtoul(rest, NULL, 10), 0);
    if ((rest = after(argv[0], "cut-")))
        repeat(strtoul(rest, NULL, 10), 1);
    if ((rest = after(argv[0], "find-")))
        find(rest);
    if (strcmp(argv[0], "crash") == 0)
        end_with(SIGSEGV);
    if (strcmp(argv[0], "killed") == 0)
        end_with(SIGKILL);
    if (strcmp(argv[0], "leaves") == 0)
        end_with(0);
    if (strcmp(argv[0], "early") == 0)
        _exit(12);
    if (strcmp(argv[0], "other") == 0)
        put("Usage: other [OPTION]...", 24);
    if (strcmp(argv[0], "silent") == 0)
        be_silent();
    if (strcmp(argv[0], "hungry") == 0)
        eat();
    if (strcmp(argv[0], "overflow") == 0)
        overflow();
    if (strcmp(argv[0], "look") == 0)
        look();
    if (strcmp(argv[0], "flood") == 0)
        flood();
    /* Not the test itself, which would start workers in its turn. */
    if (!strchr(argv[0], '/'))
        _exit(11);
}
