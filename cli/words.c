#include "cli/words.h"

#include "core/embed.h"

#include <string.h>

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
