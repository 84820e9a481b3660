/*
 * Runs a program as on a kernel without filters of system calls: a filter of its own, set before,
 * gives for every way to set one the errno of a kernel that has none.
 *
 *     no_seccomp PROGRAM [ARGUMENT ...]
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int failed = argc < 2 || !filter;

    if (!failed)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0);
    if (!failed)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
                                  SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP));
    if (!failed)
        failed = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    if (failed) {
        (void)fprintf(stderr, "no_seccomp: it cannot be taken away\n");
        return 125;
    }
    (void)execvp(argv[1], argv + 1);
    perror("no_seccomp");
    return 126;
}
