/*
 * Revocation, at an archive: of a log, from a position on. By sync/FORMAT.md, "Revocation". What a
 * device makes of it is in receipts.c and devices.c.
 */
#include "core/revoke.h"
#include "tests/model/real.h"

/* Behind everything that is held, which is what `revoke` takes without a position. */
static int end_of(const struct m_log_at *log)
{
    int end = M_LOG;
    while (end > 0 && log->held[end - 1] == M_NONE)
        end--;
    return end;
}

static int choose_position(const struct m_log_at *log, uint32_t by)
{
    int end = end_of(log);
    switch (by / 64 % 4) {
    case 0:
        return end;
    case 1: /* before the last ones */
        return end > 2 ? end - 1 - (int)(by / 512 % 2) : 0;
    default:
        return (int)(by / 512 % (unsigned)(end + 3));
    }
}

static enum sk_status do_revoke(struct sk_store *store, int row, int from)
{
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    sk_error_clear(&sk_test_err);
    enum sk_status status = sk_log_revoke(store, row + 1, (uint64_t)from, &sk_test_err);
    if (status == SK_OK)
        EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    else
        sk_store_rollback(store);
    return status;
}

static void note_outcomes(const struct m_log_at *log, int from)
{
    m_met(M_REVOKED_MET);
    if (from < log->revoked && log->revoked != M_NEVER)
        m_met(M_REVOKED_EARLIER_MET);
    if (from < end_of(log))
        m_met(M_REVOKED_MARKS_MET);
}

bool r_act_revoke(const struct r_action *action)
{
    int number = (int)(action->by[0] % M_ARCHIVES);
    struct m_archive *archive = &m.archives[number];
    uint32_t by = action->by[1];
    if (action->kind != R_REVOKE || archive->log_count == 0)
        return false;
    int row = (int)(by % (unsigned)archive->log_count);
    struct m_log_at *log = &archive->logs[row];
    if (log->state == SK_LOG_STATE_WAITING)
        return false; /* nothing of it is taken: the program says so */
    int from = choose_position(log, by);
    bool later = from > log->revoked;
    r_equal("a revocation", do_revoke(r.archives[number].store, row, from),
            later ? SK_REFUSED : SK_OK);
    if (later) {
        m_met(M_REVOKED_LATER_MET);
    } else {
        note_outcomes(log, from);
        m_revoke(archive, log, from);
    }
    r_compare_archive(number);
    return true;
}
