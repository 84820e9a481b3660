#include "core/relay.h"

#include "crypto/secret.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct sk_relay {
    sk_relay_fn *take;
    void *context;
    size_t piece_len;
    uint8_t *bytes; /* SK_RELAY_PIECES * piece_len */
    size_t used[SK_RELAY_PIECES];
    uint64_t bytes_given; /* this and the next three are for the one that gives */
    bool lent;            /* the next piece, and nobody said yet how much of it is used */
    bool tried;           /* to start the thread */
    bool running;
    pthread_t thread;
    pthread_mutex_t lock; /* for what follows, and for the pieces that change hands by it */
    pthread_cond_t changed;
    uint64_t given, taken; /* pieces */
    size_t len[SK_RELAY_PIECES];
    bool stop;
    enum sk_status status;
    struct sk_error why;
};

enum sk_status sk_relay_new(struct sk_relay **out, size_t piece_len, sk_relay_fn *take,
                            void *context, struct sk_error *err)
{
    struct sk_relay *relay = calloc(1, sizeof(*relay));
    if (!relay)
        return sk_fail_status(err, SK_NOMEM);
    relay->bytes = malloc(SK_RELAY_PIECES * piece_len);
    if (!relay->bytes) {
        free(relay);
        return sk_fail_status(err, SK_NOMEM);
    }
    relay->piece_len = piece_len;
    relay->take = take;
    relay->context = context;
    (void)pthread_mutex_init(&relay->lock, NULL);
    (void)pthread_cond_init(&relay->changed, NULL);
    *out = relay;
    return SK_OK;
}

static uint8_t *piece_at(const struct sk_relay *relay, uint64_t number)
{
    return relay->bytes + (size_t)(number % SK_RELAY_PIECES) * relay->piece_len;
}

/* ---- taking ---- */

/* The next piece that waits; without the lock while it is taken. */
static void take_next(struct sk_relay *relay)
{
    uint64_t number = relay->taken;
    size_t len = relay->len[number % SK_RELAY_PIECES];
    struct sk_error why = SK_ERROR_INIT;
    (void)pthread_mutex_unlock(&relay->lock);
    enum sk_status status = relay->take(relay->context, piece_at(relay, number), len, &why);
    (void)pthread_mutex_lock(&relay->lock);
    relay->taken++;
    relay->status = status;
    if (status != SK_OK)
        relay->why = why;
    (void)pthread_cond_broadcast(&relay->changed);
}

static void *run(void *context)
{
    struct sk_relay *relay = context;
    (void)pthread_mutex_lock(&relay->lock);
    while (!relay->stop && relay->status == SK_OK) {
        if (relay->taken < relay->given)
            take_next(relay);
        else
            (void)pthread_cond_wait(&relay->changed, &relay->lock);
    }
    (void)pthread_mutex_unlock(&relay->lock);
    return NULL;
}

/* Signals are for the thread that gives. */
static void start(struct sk_relay *relay)
{
    sigset_t all;
    sigset_t before;
    relay->tried = true;
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return;
    relay->running = pthread_create(&relay->thread, NULL, run, relay) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- giving ---- */

/* With the lock: until no more than `most` pieces wait or one was not taken well. */
static void wait_for(struct sk_relay *relay, uint64_t most)
{
    while (relay->status == SK_OK && relay->given - relay->taken > most) {
        if (relay->running)
            (void)pthread_cond_wait(&relay->changed, &relay->lock);
        else
            take_next(relay);
    }
}

static enum sk_status tell(const struct sk_relay *relay, struct sk_error *err)
{
    return relay->status == SK_OK ? SK_OK : sk_fail(err, relay->status, "%s", relay->why.text);
}

uint8_t *sk_relay_piece(struct sk_relay *relay)
{
    relay->lent = true;
    return piece_at(relay, relay->given);
}

enum sk_status sk_relay_give(struct sk_relay *relay, size_t len, struct sk_error *err)
{
    size_t place = (size_t)(relay->given % SK_RELAY_PIECES);
    if (!relay->tried && relay->bytes_given >= (uint64_t)SK_RELAY_ALONE * relay->piece_len)
        start(relay);
    relay->bytes_given += len;
    relay->lent = false;
    relay->used[place] = len > relay->used[place] ? len : relay->used[place];
    (void)pthread_mutex_lock(&relay->lock);
    if (relay->status == SK_OK) {
        relay->len[place] = len;
        relay->given++;
        (void)pthread_cond_broadcast(&relay->changed);
        wait_for(relay, relay->running ? SK_RELAY_PIECES - 1 : 0);
    }
    enum sk_status status = tell(relay, err);
    (void)pthread_mutex_unlock(&relay->lock);
    return status;
}

enum sk_status sk_relay_end(struct sk_relay *relay, struct sk_error *err)
{
    (void)pthread_mutex_lock(&relay->lock);
    wait_for(relay, 0);
    enum sk_status status = tell(relay, err);
    (void)pthread_mutex_unlock(&relay->lock);
    return status;
}

void sk_relay_free(struct sk_relay *relay)
{
    if (!relay)
        return;
    (void)pthread_mutex_lock(&relay->lock);
    relay->stop = true;
    (void)pthread_cond_broadcast(&relay->changed);
    (void)pthread_mutex_unlock(&relay->lock);
    if (relay->running)
        (void)pthread_join(relay->thread, NULL);
    if (relay->lent)
        relay->used[relay->given % SK_RELAY_PIECES] = relay->piece_len;
    for (unsigned i = 0; i < SK_RELAY_PIECES; i++)
        sk_wipe(piece_at(relay, i), relay->used[i]);
    free(relay->bytes);
    (void)pthread_cond_destroy(&relay->changed);
    (void)pthread_mutex_destroy(&relay->lock);
    free(relay);
}
