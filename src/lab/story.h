/* story.h - text that a language model wrote about the lab, each number held against the ledger. */
#ifndef LAB_STORY_H
#define LAB_STORY_H

#include "lab/lab.h"

typedef struct StoryCheck {
    int numbers, struck; /* found in the text; of those not in the ledger */
} StoryCheck;

/* The last text of the session's writer; *text NULL where there is none.  In the lab's arena. */
bool story_text(Lab *lab, const char *session, const char **text, const char **author,
                Err *err) MUST_CHECK;

/* The text as paragraphs of HTML, escaped.  Ids become links (#e4); a number that the ledger does
 * not hold, and an id that it does not know, are struck out (<del>).  A sentence that names ids may
 * use the numbers of what it names, of the session and of the question; one that names none any
 * number of the question.  Numbers written as words are not checked. */
bool story_html(Lab *lab, const char *question, const char *session, const char *text, Buf *out,
                StoryCheck *check, Err *err) MUST_CHECK;

#endif
