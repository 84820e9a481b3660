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
#define TAKEN(n)                  (24u * (n) + OWN) /* the one that came n before it */
/* of IMPORT: the file for that archive that came n before the newest, of `count` (up to 8) */
#define HERE(n, count) (196608u + 3u * (((n) + (count)-65536u % (count)) % (count)) + 1u)
#define LEAVE          0u  /* of FORGET: whoever is left behind; 1: nobody is */
#define NEWER          4u  /* of OFFER: the next version of the first form */
#define OTHER          36u /* the same in other words */
#define OLDER          16u
#define ALL            0u /* of PURGE, EXPORT_SINCE */

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
    /* The same behind a gap, which closes: what it had withdrawn comes again. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(COPY, 0, 0),
     DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), DO(EXPORT_SINCE, 0, ALL),
     DO(PUT_BACK, 0, 0), DO(WITHDRAW, 0, 1), DO(BACKUP, 0, 0), DO(RESTORE, 0, INVITED),
     DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), DO(IMPORT, 0, SENT(3)), DO(IMPORT, 0, SENT(1)), END},
    /* A backup older than a withdrawal. */
    {DO(ADD, 0, 0), DO(ADD, 0, 0), DO(ATTACH, 0, 0), DO(BACKUP, 0, 0), DO(WITHDRAW, 0, 0),
     DO(ROUND, 0, 0), DO(RESTORE, 0, INVITED), DO(ROUND, 0, 0), END},
    /* A withdrawal after the restore. */
    {DO(ADD, 0, 0), DO(ADD, 0, 0), DO(ATTACH, 0, 0), DO(ROUND, 0, 0), DO(BACKUP, 0, 0),
     DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(RESTORE, 0, INVITED), DO(WITHDRAW, 0, 0), DO(ROUND, 0, 0), END},
    /* A fork, and what comes after it. */
    {DO(COPY, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(PUT_BACK, 0, 0), DO(ADD, 0, 0),
     DO(ROUND, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0), END},
    /* Two histories of a record, the second behind a gap: it does not follow what is there. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(COPY, 0, 0), DO(EDIT, 0, 0), DO(ROUND, 0, 0),
     DO(PUT_BACK, 0, 0), DO(EDIT, 0, 0), DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(EDIT, 0, 0),
     DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), END},
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
    /* Receipts under the keys before, and a bundle that was long on its way. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(RENEW, 0, 0),
     DO(RECEIPT, 0, 0), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(TAKE, 0, TAKEN(1)), DO(ADD, 0, 0),
     DO(ROUND, 0, 0), DO(TAKE, 0, TAKEN(3)), DO(IMPORT, 0, HERE(1, 3)), DO(FORGET, 0, LEAVE),
     DO(RENEW, 0, 0), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(TAKE, 0, TAKEN(4)), END},
    /* Every device has them: the old ones are forgotten, and with them a bundle on its way. */
    {DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(RENEW, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0),
     DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), DO(ADD, 1, 0), DO(ROUND, 1, 0),
     DO(ADD, 1, 0), DO(ROUND, 1, 0), DO(ADD, 2, 0), DO(ROUND, 2, 0), DO(ADD, 2, 0),
     DO(ROUND, 2, 0), DO(FORGET, 0, 1), DO(IMPORT, 0, HERE(6, 7)), DO(SALVAGE, 0, SENT(6) + 256),
     DO(RENEW, 0, 0), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), END},
    /* An older copy of an archive, from before a renewal that a device has taken. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(COPY_ARCHIVE, 0, 0), DO(RENEW, 0, 0), DO(ADD, 0, 0),
     DO(ROUND, 0, 0), DO(PUT_BACK_ARCHIVE, 0, 0), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN),
     DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST),
     DO(RENEW, 0, 0), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), END},
    /* An older copy of a device, from before it took them. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(COPY, 0, 0), DO(RENEW, 0, 0), DO(ADD, 0, 0),
     DO(ROUND, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(PUT_BACK, 0, 0), DO(RECEIPT, 0, 0),
     DO(TAKE, 0, OWN), END},
    /* A device that is left behind, and whose invite somebody uses again. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(BACKUP, 0, 0), DO(RENEW, 0, 0), DO(FORGET, 0, 1),
     DO(FORGET, 0, LEAVE), DO(RECEIPT, 0, 0), DO(RESTORE, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0),
     DO(RENEW, 0, 0), DO(RESTORE, 0, INVITED), DO(ROUND, 0, 0), END},
    /* One that has them after all. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(RENEW, 0, 0), DO(ADD, 0, 0), DO(ROUND, 0, 0),
     DO(ADD, 0, 0), DO(EXPORT, 0, 0), DO(FORGET, 0, LEAVE), DO(RECEIPT, 0, 0),
     DO(IMPORT, 0, NEWEST), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), END},
    /* A record comes before its form: it is told, not purged, and shown once the form is there. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ADD_UNDER, 0, 0), DO(EXPORT, 0, 0), DO(ADD_UNDER, 0, 0),
     DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN),
     DO(PURGE, 0, ALL), DO(IMPORT, 0, SENT(2)), END},
    /* A form is erased, and a receipt brings it again. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ADD_UNDER, 0, 0), DO(ROUND, 0, 0), DO(ERASE_FORM, 0, 0),
     DO(EDIT, 0, 1), DO(ROUND, 0, 0), DO(EDIT, 0, 1), DO(ROUND, 0, 0), DO(PURGE, 0, ALL),
     DO(ERASE_FORM, 0, 0), DO(ROUND, 0, 0), END},
    /* A purge while it is away; the older revision of a record has to stay. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ADD_UNDER, 0, 0), DO(ROUND, 0, 0), DO(ADD_UNDER, 0, 0),
     DO(EXPORT, 0, 0), DO(EDIT, 0, 2), DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST),
     DO(IMPORT, 1, NEWEST), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(RECEIPT, 0, OF(1)),
     DO(TAKE, 0, OWN), DO(ERASE_FORM, 0, 0), DO(PURGE, 0, ALL), DO(RECEIPT, 0, 0),
     DO(TAKE, 0, OWN), END},
    /* The restored log changes a record, the old one withdraws it, and then the form goes. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ADD_UNDER, 0, 0), DO(ROUND, 0, 0), DO(COPY, 0, 0),
     DO(BACKUP, 0, 0), DO(RESTORE, 0, INVITED), DO(ROUND, 0, 0), DO(EDIT, 0, 1), DO(ROUND, 0, 0),
     DO(COPY, 0, 0), DO(PUT_BACK, 0, 0), DO(WITHDRAW, 0, 1), DO(ROUND, 0, 0), DO(PUT_BACK, 0, 1),
     DO(ERASE_FORM, 0, 0), DO(ROUND, 0, 0), DO(ROUND, 0, 0), END},
    /* The same, and the form goes before the old log withdraws it. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ADD_UNDER, 0, 0), DO(ROUND, 0, 0), DO(COPY, 0, 0),
     DO(BACKUP, 0, 0), DO(RESTORE, 0, INVITED), DO(ROUND, 0, 0), DO(EDIT, 0, 1), DO(ROUND, 0, 0),
     DO(ERASE_FORM, 0, 0), DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), DO(COPY, 0, 0),
     DO(PUT_BACK, 0, 0), DO(WITHDRAW, 0, 1), DO(ROUND, 0, 0), DO(PUT_BACK, 0, 1),
     DO(RECEIPT, 0, 1), DO(TAKE, 0, OWN), DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), END},
    /* Versions only rise, whatever an archive that was put back offers. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(COPY_ARCHIVE, 0, 0), DO(OFFER, 0, NEWER),
     DO(OFFER, 0, NEWER), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(PUT_BACK_ARCHIVE, 0, 0),
     DO(RECEIPT, 0, 0), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(OFFER, 0, OTHER),
     DO(OFFER, 0, OTHER), DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(STOP, 0, 0), DO(RECEIPT, 0, 0),
     DO(TAKE, 0, OWN), DO(STOP, 0, 0), DO(OFFER, 0, OLDER), END},
    /* Two archives offer different forms of a name; a restored store has what stands in its log. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ADD_UNDER, 0, 0), DO(BACKUP, 0, 0), DO(OFFER, 1, OTHER),
     DO(ROUND, 0, 0), DO(ADD_UNDER, 0, 0), DO(RESTORE, 0, INVITED), DO(ADD_UNDER, 0, 0),
     DO(ROUND, 0, 0), DO(ADD_UNDER, 0, 0), END},
    /* A damaged bundle loses a form, which is asked for, and comes. */
    {DO(ADD, 0, 0), DO(ROUND, 0, 0), DO(ATTACH, 0, 0), DO(ADD_UNDER, 0, 0), DO(EXPORT, 0, 0),
     DO(SALVAGE, 0, NEWEST + 256), DO(ADD_UNDER, 0, 0), DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST),
     DO(RECEIPT, 0, 0), DO(TAKE, 0, OWN), DO(EXPORT, 0, 0), DO(IMPORT, 0, NEWEST), END},
};
/* clang-format on */
#define OPENINGS ((int)(sizeof(openings) / sizeof(openings[0])))

int r_opening(uint64_t seed, struct r_action *out)
{
    int opening = (int)(seed % 40);
    int count = 0;
    if (opening >= OPENINGS)
        return 0;
    while (count < R_OPENING_MAX && openings[opening][count].kind != R_KIND_COUNT) {
        out[count] = openings[opening][count];
        count++;
    }
    return count;
}
