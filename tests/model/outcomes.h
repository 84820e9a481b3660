/*
 * What the model foretells, counted: each has to be met by a run.
 */
#ifndef SK_TESTS_MODEL_OUTCOMES_H
#define SK_TESTS_MODEL_OUTCOMES_H

/* X(name, words) */
/* clang-format off */
#define M_OUTCOMES(X)                                                        \
    X(TAKEN, "a bundle was taken")                                           \
    X(GAP, "it left a gap")                                                  \
    X(CLOSED, "it closed a gap")                                             \
    X(AGAIN, "it held entries that were there")                              \
    X(KNOWN, "the same file again")                                          \
    X(DAMAGED, "a damaged copy")                                             \
    X(DAMAGED_SPENT, "a damaged copy of what is there")                      \
    X(DAMAGED_TAG, "a copy whose beginning is damaged")                      \
    X(INTACT, "an intact copy after a damaged one")                          \
    X(NOT_FOR, "not for this archive")                                       \
    X(SKIPPED, "an index that was skipped")                                  \
    X(NEAR, "an index up to 63 ahead")                                       \
    X(FAR, "an index up to 4,095 ahead")                                     \
    X(BEYOND, "an index beyond all windows")                                 \
    X(USED_TWICE, "another bundle under a spent index")                      \
    X(FORK, "a log with two histories")                                      \
    X(FROZEN, "a bundle of a frozen log")                                    \
    X(WAITING, "a bundle of a log that waits")                               \
    X(APPROVED, "a log approved")                                            \
    X(APPROVED_FORK, "a fork among what waited")                             \
    X(NOT_APPROVED, "a log that waits for nothing")                          \
    X(RECEIPT, "a receipt taken")                                            \
    X(RECEIPT_AGAIN, "the same receipt again")                               \
    X(RECEIPT_OLDER, "an older receipt")                                     \
    X(RECEIPT_SPENT, "another receipt under a spent index")                  \
    X(RECEIPT_OTHERS, "a receipt for another store of the same invite")      \
    X(RECEIPT_NOT_FOR, "a receipt not for this store")                       \
    X(RECEIPT_DAMAGED, "a damaged receipt")                                  \
    X(RECEIPT_FAR, "a receipt's index 64 to 4,095 ahead")                    \
    X(RECEIPT_BEYOND, "a receipt's index beyond all windows")                \
    X(ROLLBACK, "a rollback told")                                           \
    X(WANTED, "a range wanted")                                              \
    X(WANTED_SENT, "a wanted range exported again")                          \
    X(NOTHING, "nothing to export")                                          \
    X(EXPORT_FAILED, "an export onto a full medium")                         \
    X(CONTINUES, "a log that continues another")                             \
    X(CONTINUES_NOT, "one that names another history")                       \
    X(REFUTED, "one that was believed, and is not any more")                 \
    X(MALFORMED, "a malformed record listed")                                \
    X(ASTRAY, "a revision that does not follow the one before it")           \
    X(WITHDRAWN, "what was there was withdrawn")                             \
    X(WITHDRAWN_FIRST, "a text came after its withdrawal")                   \
    X(WITHDRAWN_LATER, "withdrawn in a log that continues")                  \
    X(WITHDRAWN_BEFORE, "withdrawn in the log that is continued")            \
    X(HIDDEN, "the same record in two logs, listed once")                    \
    X(APART, "an entry that stands apart")                                   \
    X(ARCHIVE_BACK, "an older copy of an archive put back")                  \
    X(REVOKED, "a log revoked")                                              \
    X(REVOKED_MARKS, "revoked where entries are held")                       \
    X(REVOKED_EARLIER, "revoked from an earlier position on")                \
    X(REVOKED_LATER, "a revocation that would begin later")                  \
    X(STRADDLES, "a bundle around the position of a revocation")             \
    X(BEHIND, "a bundle behind it")                                          \
    X(BEFORE, "a bundle before it")                                          \
    X(WANTED_BEFORE, "a gap before it is asked for")                         \
    X(WANTED_CUT, "a gap behind it is not")                                  \
    X(VOID, "a withdrawal behind it that counts in no other log")            \
    X(VOID_AGAIN, "what such a one had erased came again")                   \
    X(TOLD, "a device learns that it was revoked")                           \
    X(TOLD_ONLY, "and is told by an archive with another history")           \
    X(TOLD_KEPT, "a later receipt that says nothing of it")                  \
    X(TOLD_LATER, "a later receipt that says a later position")              \
    X(LEFT_OUT, "an export that leaves an archive out")                      \
    X(ALL_REVOKED, "an export for which no archive is left")                 \
    X(FORGOTTEN, "an older copy of a device that knows of no revocation")    \
    X(ARCHIVE_FORGOT, "an older copy of an archive from before one")         \
    X(PURGED, "a purge that took something")                                 \
    X(PURGE_HELD, "a purge held back by an archive")                         \
    X(PURGE_SHOWN, "a revision that stays for an older one")                 \
    X(PURGE_REFUSED, "a purge of what was withdrawn")                        \
    X(PURGED_EDIT, "a change of what was purged")                            \
    X(PURGED_SENT, "an export of what was purged")                           \
    X(PURGED_THERE, "it came where its payload is")                          \
    X(PURGED_BARE, "it came where its payload is not")                       \
    X(PURGED_FILLED, "a payload that came after its entry")                  \
    X(PURGED_WITHDRAWN, "what was purged was withdrawn")                     \
    X(PURGED_RESTORED, "a store restored with what was purged")              \
    X(PURGED_ASKED, "an archive asks for what was purged")                   \
    X(PURGED_SAFE, "what was purged is at an archive in the end")            \
    X(BARE, "an archive that has an entry and not what it says")            \
    X(BARE_SENT, "a device that has it sends it by itself")                  \
    X(BARE_HELD, "a purge held back, since an archive has the entry alone")  \
    X(ELSEWHERE, "a device hears what a related log has withdrawn")          \
    X(ELSEWHERE_HELD, "a purge held back by that")                           \
    X(LOST, "an archive lost what it had acknowledged")                      \
    X(SALVAGED, "what was left of a damaged bundle")                         \
    X(SALVAGED_ALL, "a damaged bundle of which nothing was lost")            \
    X(SALVAGED_NOT, "a damaged bundle of which nothing can be kept")         \
    X(SALVAGED_BARRED, "one that would have to wait if it were whole")       \
    X(LACKING, "an entry that is lacking")                                   \
    X(LACKING_ASKED, "it is asked for")                                      \
    X(LACKING_CAME, "it came")                                               \
    X(PURGE_MALFORMED, "a purge held back, since it was put aside")          \
    X(PURGE_LACKING, "a purge held back by what an archive lacks")           \
    X(RENEWED, "keys of an archive renewed")                                 \
    X(RENEW_REFUSED, "not again while there are old ones")                   \
    X(FORGOT_KEYS, "old keys forgotten")                                     \
    X(FORGET_NONE, "there are none to forget")                               \
    X(FORGET_WAITS, "a device is waited for")                                \
    X(LEFT_BEHIND, "a device left behind")                                   \
    X(LEFT_ANSWERED, "one that was, and had the keys after all")             \
    X(NO_RECEIPT, "no receipt for who was left behind")                      \
    X(SEALED_OLD, "a bundle under old keys while there are next ones")       \
    X(SEALED_NEXT, "a bundle that shows that its device has the next keys")  \
    X(SEALED_LATE, "one under older keys than were shown")                   \
    X(SEALED_FORGOTTEN, "a bundle under keys that were forgotten")           \
    X(SEALED_UNKNOWN, "one under keys that an older copy never had")         \
    X(SALVAGED_KEYS, "a damaged bundle that opens under no keys")            \
    X(ANNOUNCED, "a device learns next keys")                                \
    X(IN_FORCE, "they are in force there")                                   \
    X(IN_FORCE_NEXT, "and others are announced with it")                     \
    X(GIVEN_UP, "a receipt under keys that were given up")                   \
    X(NOT_NAMED, "a receipt that does not name what was announced")          \
    X(SIGNED_UNKNOWN, "a receipt under keys that a device does not know")    \
    X(INVITED_NEXT, "an invite with next keys")                              \
    X(INVITED_OLD, "an invite with keys that were forgotten since")          \
    X(ARCHIVE_KEYS, "an older copy of an archive from before a renewal")     \
    X(COMPLETE_KEYS, "all of a log at an archive with other keys")           \
    X(OFFERED, "a form offered")                                             \
    X(OFFERED_NEWER, "in a newer version")                                   \
    X(OFFERED_NOT, "an older version, or another one, which is not")         \
    X(OFFER_STOPPED, "a form offered no more")                               \
    X(OFFER_NONE, "none of that name to stop")                               \
    X(FORM_TAKEN, "a device has a form from a receipt")                      \
    X(FORM_NEWER, "and a newer version")                                     \
    X(FORM_OLDER, "an older version from an archive that was put back")      \
    X(FORM_OTHER, "another one under a version")                             \
    X(FORM_GONE, "a form that a receipt does not name any more")             \
    X(FORM_REVOKED, "none for a device that is revoked")                     \
    X(UNDER, "a record under a form")                                        \
    X(UNDER_FIRST, "with the form before it in the log")                     \
    X(UNDER_NONE, "no form of that name")                                    \
    X(UNDER_SEVERAL, "two archives offer different ones")                    \
    X(UNDER_OWN, "a form of the own log alone")                              \
    X(FORM_LACKS, "a record put aside until its form comes")                 \
    X(FORM_CAME, "it came")                                                  \
    X(FORM_LACKING, "a damaged bundle that lost a form")                     \
    X(FORM_HELD, "a purge held back, since the form is not there")           \
    X(FORM_ERASED, "a form erased")                                          \
    X(FORM_NO_EDIT, "a record that cannot be changed without it")            \
    X(FORM_AGAIN, "a receipt brings it again")                               \
    X(FORM_WITHDRAWN, "withdrawn by an older log, once its form is gone")    \
    X(FORM_PURGED, "a purge of what was made with a form")                   \
    X(COMPLETE, "all of a log at every archive, and acknowledged")
/* clang-format on */
enum m_outcome {
#define M_OUTCOME_ENUM(name, words) M_##name##_MET,
    M_OUTCOMES(M_OUTCOME_ENUM)
#undef M_OUTCOME_ENUM
        M_OUTCOME_COUNT,
};
void m_met(enum m_outcome outcome);

#endif
