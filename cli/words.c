#include "cli/words.h"

#include "core/embed.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* What is taken for recovery words with a slip in them: most are known, and not many more. */
#define NEARLY_KNOWN 9
#define NEARLY_MOST  14

extern const struct sk_embedded_file sk_embedded_words[];

/* The word of a line, counted from 0, and its length; NULL when there are fewer lines. */
static const char *word_at(unsigned index, size_t *len)
{
    const char *at = sk_embedded_words[0].text;

    while (at && index-- > 0) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    *len = at ? strcspn(at, "\n") : 0;
    return *len > 0 ? at : NULL;
}

enum sk_status sk_words_draw(struct sk_line *out, unsigned count, struct sk_error *err)
{
    sk_auto_line line = SK_LINE_INIT;
    size_t len;

    /* A list cut short would make weak passphrases without anybody noticing. */
    if (!word_at(SK_WORDS_COUNT - 1, &len) || word_at(SK_WORDS_COUNT, &len))
        return sk_fail(err, SK_INTERNAL, "the list of words is not complete");
    if (sk_secret_new(&line.secret, SK_LINE_SECRET_MAX + 1) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);

    char *text = (char *)sk_secret_bytes(line.secret);

    for (unsigned i = 0; i < count; i++) {
        const char *word = word_at(sk_random_below(SK_WORDS_COUNT), &len);

        if (!word || line.len + len + 1 > SK_LINE_SECRET_MAX)
            return sk_fail(err, SK_INTERNAL, "the list of words is not complete");
        if (i > 0)
            text[line.len++] = ' ';
        memcpy(text + line.len, word, len);
        line.len += len;
    }
    *out = SK_TAKE(line);
    return SK_OK;
}

/* ---- reading ---- */

static bool in_list(const char *word, size_t word_len)
{
    const char *at = sk_embedded_words[0].text;

    while (at) {
        size_t len = strcspn(at, "\n");

        if (len == word_len && strncasecmp(at, word, len) == 0)
            return true;
        at = at[len] == '\n' ? at + len + 1 : NULL;
    }
    return false;
}

/* The next piece of letters from *from on; NULL at the end. */
static const char *next_piece(const char **from, const char *end, size_t *len)
{
    const char *at = *from;
    const char *start;

    while (at < end && !isalpha((unsigned char)*at))
        at++;
    start = at;
    while (at < end && isalpha((unsigned char)*at))
        at++;
    *from = at;
    *len = (size_t)(at - start);
    return *len > 0 ? start : NULL;
}

/* What the pieces are: how many, how many of the list, which is the first that is not. */
struct pieces {
    unsigned count, known, strange;
};

static struct pieces judge(const char *typed, const char *end)
{
    struct pieces pieces = {0};
    const char *word;
    size_t len;

    while ((word = next_piece(&typed, end, &len))) {
        pieces.count++;
        if (in_list(word, len))
            pieces.known++;
        else if (pieces.strange == 0)
            pieces.strange = pieces.count;
    }
    return pieces;
}

static enum sk_status normalise(struct sk_line *out, const char *typed, const char *end,
                                struct sk_error *err)
{
    sk_auto_line line = SK_LINE_INIT;
    const char *word;
    size_t len;

    if (sk_secret_new(&line.secret, SK_LINE_SECRET_MAX + 1) != SK_OK)
        return sk_fail_status(err, SK_NOMEM);

    char *text = (char *)sk_secret_bytes(line.secret);

    while ((word = next_piece(&typed, end, &len))) {
        if (line.len > 0)
            text[line.len++] = ' ';
        for (size_t i = 0; i < len; i++)
            text[line.len++] = (char)tolower((unsigned char)word[i]);
    }
    sk_line_clear(out);
    *out = SK_TAKE(line);
    return SK_OK;
}

enum sk_status sk_words_read(struct sk_line *out, const char *typed, size_t len,
                             enum sk_words_shape *shape, unsigned *at, struct sk_error *err)
{
    const char *end = typed + len;
    struct pieces pieces = judge(typed, end);

    *shape = SK_WORDS_NONE;
    if (pieces.count == SK_WORDS_RECOVERY && pieces.known == SK_WORDS_RECOVERY) {
        SK_TRY(normalise(out, typed, end, err));
        *shape = SK_WORDS_ALL;
    } else if (pieces.known >= NEARLY_KNOWN && pieces.count <= NEARLY_MOST) {
        *shape = SK_WORDS_NEARLY;
        *at = pieces.count == SK_WORDS_RECOVERY ? pieces.strange : 0;
    }
    return SK_OK;
}

struct sk_words_facts sk_words_look(const char *typed, size_t len)
{
    struct pieces pieces = judge(typed, typed + len);

    return (struct sk_words_facts){pieces.count, pieces.strange};
}

/* ---- handing over ---- */

/* Four lines of three, numbered. */
static void show(const struct sk_line *words)
{
    const char *from = sk_line_text(words);
    const char *end = from + words->len;
    const char *word;
    size_t len;

    for (unsigned i = 1; (word = next_piece(&from, end, &len)); i++)
        sk_prompt_say("%s%6u. %-8.*s%s", i == 1 ? "\n" : "", i, (int)len, word,
                      i % 3 == 0 ? "\n" : "");
    sk_prompt_say("\n");
}

/* The first word (from 1) in which two lines of words differ. */
static unsigned first_other(const struct sk_line *words, const struct sk_line *typed)
{
    const char *a = sk_line_text(words);
    const char *b = sk_line_text(typed);
    unsigned word = 1;

    for (; *a && *a == *b; a++, b++)
        word += *a == ' ';
    return word;
}

static enum sk_status ask_back(const struct sk_line *words, bool *same, struct sk_error *err)
{
    sk_auto_buf given = SK_BUF_INIT;
    sk_auto_line read = SK_LINE_INIT;
    enum sk_words_shape shape;
    unsigned at = 0;

    /* Echoed: they stand in the window already, and twelve words are hard to type blind. */
    SK_TRY(sk_prompt_line(&given, "Type the twelve words from the paper: ", err));
    SK_TRY(sk_words_read(&read, sk_buf_text(&given), given.len, &shape, &at, err));
    *same = shape == SK_WORDS_ALL && read.len == words->len &&
            sk_equal(sk_secret_view(read.secret), sk_secret_view(words->secret), read.len);
    if (shape == SK_WORDS_ALL && !*same)
        sk_prompt_say("Word %u is another one. ", first_other(words, &read));
    else if (shape == SK_WORDS_NEARLY && at > 0)
        sk_prompt_say("Word %u is not one of the list. ", at);
    else if (!*same)
        sk_prompt_say("These are not twelve words of the list. ");
    if (!*same)
        sk_prompt_say("Compare the paper with these, and type them once more:\n");
    return SK_OK;
}

enum sk_status sk_words_hand_over(const struct sk_line *words, struct sk_error *err)
{
    bool same = false;

    sk_prompt_say(
        "These twelve words will open the store without the passphrase and without a key\n"
        "file. Write them on paper, in this order, and keep the paper where nobody looks\n"
        "for it and far from the laptop. They are not shown again after this command.\n");
    while (!same) {
        show(words);
        SK_TRY(ask_back(words, &same, err));
    }
    sk_prompt_say("They still stand in this window: close it.\n");
    return SK_OK;
}
