/*
 * Beginnings of sequences that lead where chance seldom does; what follows is chance again.
 */
#include "tests/model/real.h"

#define NEWEST  1u /* of IMPORT: the newest file */
#define INVITED 1u /* of RESTORE: with a new invite; 0: with the last one once more */

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
};
/* clang-format on */
#define OPENINGS ((int)(sizeof(openings) / sizeof(openings[0])))

int r_opening(uint64_t seed, struct r_action *out)
{
    int opening = (int)(seed % 16);
    int count = 0;
    if (opening >= OPENINGS)
        return 0;
    while (count < R_OPENING_MAX && openings[opening][count].kind != R_KIND_COUNT) {
        out[count] = openings[opening][count];
        count++;
    }
    return count;
}
