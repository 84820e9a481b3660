/*
 * Beginnings of sequences that lead where chance seldom does; what follows is chance again.
 */
#include "tests/model/real.h"

#define NEWEST  1u /* of IMPORT: the newest file */
#define INVITED 1u /* of RESTORE: with a new invite; 0: with the last one once more */

#define OF(archive) ((archive) << 16) /* of RECEIPT and TAKE */
/* by of REVOKE: the log with that number at the archive, of `logs`, from that position on. */
#define AT(position)              (512u * (position) + 128u)
#define FROM(log, logs, position) (AT(position) + ((log) + (logs)-AT(position) % (logs)) % (logs))
#define SENT(n)                   (3u * (n) + 1u) /* of IMPORT: the file that came n before the newest */
#define OWN                       2u              /* of TAKE: the newest receipt for the device */
#define ALL                       0u              /* of PURGE, EXPORT_SINCE */

#define END           \
    {                 \
        R_KIND_COUNT, \
        {             \
            0, 0, 0   \
        }             \
    }
#define DO(kind, who, by) \
    {                     \
        R_##kind,         \
        {                 \
            who, by, 0    \
        }                 \
    }

/* clang-format off */
static const struct r_action openings[][R_OPENING_MAX] = {
    /* Two histories in what waits; and a receipt for the other store of an invite. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(BACKUP, 0, 0), DO(RESTORE, 0, 0), DO(ADD, 0, 0),
     DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), DO(ADD, 0, 0), DO(EXPORT, 0, 0),
     DO(IMPORT, 0, NEWEST), DO(COPY, 0, 0), DO(ADD, 0, 0), DO(EXPORT, 0, 0),
     DO(IMPORT, 0, NEWEST), DO(PUT_BACK, 0, 0), DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(ADD, 0, 0),
     DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), DO(RECEIPT, 0, 0), DO(TAKE, 0, 1),
     DO(APPROVE, 0, 1), END},
    /* A restored log that names another history than the archive holds. */
    {DO(COPY, 0, 0), DO(ADD, 0, 0), DO(BACKUP, 0, 0), DO(PUT_BACK, 0, 0), DO(ADD, 0, 0),
     DO(ROUND, 0, 0), DO(RESTORE, 0, INVITED), DO(ROUND, 0, 0), END},
    /* A backup older than a withdrawal. */
    {DO(ADD, 0, 0), DO(ADD, 0, 0), DO(ATTACH, 0, 0), DO(BACKUP, 0, 0), DO(WITHDRAW, 0, 0),
     DO(ROUND, 0, 0), DO(RESTORE, 0, INVITED), DO(ROUND, 0, 0), END},
    /* A withdrawal after the restore. */
    {DO(ADD, 0, 0), DO(ADD, 0, 0), DO(ATTACH, 0, 0), DO(ROUND, 0, 0), DO(BACKUP, 0, 0),
     DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(RESTORE, 0, INVITED), DO(WITHDRAW, 0, 0), DO(ROUND, 0, 0), END},
    /* A fork, and what comes after it. */
    {DO(COPY, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(PUT_BACK, 0, 0), DO(ADD, 0, 0),
     DO(ROUND, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0), END},
    /* Receipts in another order than that in which they were written. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(RECEIPT, 0, 0), DO(RECEIPT, 0, 0), DO(TAKE, 0, 2),
     DO(TAKE, 0, 26), END},
    /* An archive that was put back, and its receipts. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(COPY_ARCHIVE, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0),
     DO(PUT_BACK_ARCHIVE, 0, 0), DO(RECEIPT, 0, 0), DO(TAKE, 0, 0), DO(RECEIPT, 0, 0),
     DO(TAKE, 0, 0), DO(RECEIPT, 0, 0), DO(TAKE, 0, 0), END},
    /* The old log is revoked from before a withdrawal in it, and the restored store sends again. */
    {DO(ADD, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(BACKUP, 0, 0), DO(WITHDRAW, 0, 0),
     DO(EXPORT, 0, 0), DO(RESTORE, 0, INVITED), DO(ROUND, 0, 0), DO(IMPORT, 0, SENT(3)),
     DO(REVOKE, 0, FROM(0, 2, 2)), DO(EXPORT_SINCE, 0, ALL), DO(IMPORT, 0, NEWEST), END},
    /* The same, and the restored store learns from a receipt what the archive has not. */
    {DO(ADD, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(BACKUP, 0, 0), DO(WITHDRAW, 0, 0),
     DO(EXPORT, 0, 0), DO(RESTORE, 0, INVITED), DO(ROUND, 0, 0), DO(IMPORT, 0, SENT(3)),
     DO(REVOKE, 0, FROM(0, 2, 2)), DO(RECEIPT, 0, 1), DO(TAKE, 0, OWN), DO(PURGE, 0, ALL),
     DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), END},
    /* The log of the restored store is, and the old store sends again. */
    {DO(ADD, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(COPY, 0, 0), DO(BACKUP, 0, 0),
     DO(RESTORE, 0, INVITED), DO(ROUND, 0, 0), DO(WITHDRAW, 0, 0), DO(ROUND, 0, 0),
     DO(REVOKE, 0, FROM(1, 2, 3)), DO(PUT_BACK, 0, 0), DO(EXPORT_SINCE, 0, ALL),
     DO(IMPORT, 0, NEWEST), END},
    /* Around the position; then both archives revoke, and nothing can be sent any more. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ADD, 0, 0), DO(ADD, 0, 0), DO(EXPORT, 0, 0),
     DO(REVOKE, 0, FROM(0, 1, 2)), DO(SALVAGE, 0, NEWEST + 256), DO(IMPORT, 0, NEWEST),
     DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN),
     DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(REVOKE, 1, FROM(0, 1, 1)), DO(RECEIPT, 0, OF(1)),
     DO(TAKE, 0, OWN), DO(ADD, 0, 0), DO(EXPORT, 0, 0), END},
    /* Gaps before and behind the position. */
    {DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(ADD, 0, 0),
     DO(EXPORT, 0, 0), DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(IMPORT, 0, SENT(3)),
     DO(IMPORT, 0, SENT(0)), DO(REVOKE, 0, FROM(0, 1, 2)), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN),
     DO(IMPORT, 0, SENT(3)), DO(REVOKE, 0, FROM(0, 1, 3)), DO(REVOKE, 0, FROM(0, 1, 0)),
     DO(IMPORT, 0, SENT(2)), END},
    /* A device that forgets that it was revoked. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(COPY, 0, 0), DO(REVOKE, 0, 0), DO(RECEIPT, 0, 0),
     DO(TAKE, 0, OWN), DO(PUT_BACK, 0, 0), DO(ADD, 0, 0), DO(EXPORT, 0, 0),
     DO(IMPORT, 0, NEWEST), END},
    /* An archive that does, and then revokes from a later position on. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(COPY_ARCHIVE, 0, 0), DO(REVOKE, 0, FROM(0, 1, 0)),
     DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(PUT_BACK_ARCHIVE, 0, 0), DO(RECEIPT, 0, 0),
     DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(REVOKE, 0, FROM(0, 1, 1)), DO(RECEIPT, 0, 0),
     DO(TAKE, 0, OWN), END},
    /* An older copy of a device, and the archive revokes its log. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(COPY, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0),
     DO(REVOKE, 0, 0), DO(PUT_BACK, 0, 0), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), END},
    /* What archives have put aside. */
    {DO(ADD, 0, 0), DO(SPOIL, 0, 0), DO(ROUND, 0, 0), DO(PURGE, 0, ALL), END},
    /* What was purged: changed, sent again, withdrawn, purged again. */
    {DO(ADD, 0, 0), DO(ATTACH, 0, 0), DO(ROUND, 0, 0), DO(PURGE, 0, ALL), DO(EDIT, 0, 0),
     DO(EXPORT_SINCE, 0, ALL), DO(IMPORT, 0, NEWEST), DO(WITHDRAW, 0, 0), DO(ROUND, 0, 0),
     DO(PURGE, 0, 1), END},
    /* An archive that was put back asks for it; an older copy of the device has it. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(COPY_ARCHIVE, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0),
     DO(COPY, 0, 0), DO(PURGE, 0, ALL), DO(PUT_BACK_ARCHIVE, 0, 0), DO(ADD, 0, 0),
     DO(ROUND, 0, 0), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(EXPORT, 0, 0),
     DO(IMPORT, 0, NEWEST), DO(PUT_BACK, 0, 0), DO(BURN, 0, 5), DO(EXPORT_SINCE, 0, ALL),
     DO(IMPORT, 0, NEWEST), END},
    /* A store restored with what was purged. */
    {DO(ADD, 0, 0), DO(ATTACH, 0, 0), DO(ROUND, 0, 0), DO(PURGE, 0, ALL), DO(BACKUP, 0, 0),
     DO(RESTORE, 0, INVITED), DO(ROUND, 0, 0), DO(PURGE, 0, ALL), DO(WITHDRAW, 0, 0),
     DO(ROUND, 0, 0), END},
    /* An archive lacks an attachment, which the device keeps until it came. */
    {DO(ADD, 0, 0), DO(ATTACH, 0, 0), DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(IMPORT, 1, NEWEST),
     DO(RECEIPT, 0, OF(1)), DO(TAKE, 0, OWN), DO(SALVAGE, 0, NEWEST + 256), DO(RECEIPT, 0, 0),
     DO(TAKE, 0, OWN), DO(PURGE, 0, ALL), DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), END},
    /* A revision that archives have, of which they lack the one before. */
    {DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(EDIT, 0, 0), DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST),
     DO(IMPORT, 1, NEWEST), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(PURGE, 0, ALL),
     DO(RECEIPT, 0, OF(1)), DO(TAKE, 0, OWN), DO(PURGE, 0, ALL), END},
};
/* clang-format on */
#define OPENINGS ((int)(sizeof(openings) / sizeof(openings[0])))

int r_opening(uint64_t seed, struct r_action *out)
{
    int opening = (int)(seed % 32);
    int count = 0;
    if (opening >= OPENINGS)
        return 0;
    while (count < R_OPENING_MAX && openings[opening][count].kind != R_KIND_COUNT) {
        out[count] = openings[opening][count];
        count++;
    }
    return count;
}
