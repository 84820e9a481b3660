#include "cli/commands.h"
#include "cli/print.h"
#include "cli/words.h"
#include "sync/invite.h"

enum sk_status sk_cmd_invite(struct sk_run *run, struct sk_error *err)
{
    sk_auto_line code = SK_LINE_INIT;

    SK_TRY(sk_words_draw(&code, SK_INVITE_WORDS, err));
    SK_TRY(sk_invite_issue(run->store, run->args[0], sk_line_text(&code), run->args[1], err));
    sk_out("%s\n", sk_line_text(&code));
    sk_say(run->program->name,
           "%s is the invite; it serves one device. Send the eight words another way than the "
           "file: they are not kept here.",
           run->args[1]);
    return SK_OK;
}
