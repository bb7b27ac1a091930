/* tokenizer.h - bytes to tokens and back, exactly, for any bytes.
 *
 * Two kinds: `bytes` (257 tokens: the bytes and the end of text) and `bpe` (byte-pair encoding of
 * words; where words end is GPT-2's pattern or GPT-4's, tokenizer_split.c).  Behind the tokens that
 * stand for bytes come special ones that stand for none; the first of them is the end of text. */
#ifndef DATA_TOKENIZER_H
#define DATA_TOKENIZER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "data/docs.h"

typedef struct Tokenizer Tokenizer;
typedef enum TokenizerWords { WORDS_GPT2, WORDS_GPT4 } TokenizerWords;
extern const char *const tokenizer_words_names[]; /* "gpt2", "gpt4", NULL */

enum { TOKENIZER_SPECIAL_MAX = 1024 };
typedef struct TokenizerSpecial {
    Str text; /* "<|endoftext|>" */
    int32_t id;
} TokenizerSpecial;

Tokenizer *tokenizer_bytes(Arena *out);

typedef struct TokenizerWant {
    int vocab; /* in all: 256 bytes, merges, special tokens */
    TokenizerWords words;
    const Str *special; /* beside the end of text, which every tokenizer has */
    int n_special;
    int threads; /* 0: one per core; the result does not depend on it */
} TokenizerWant;
/* Trained on all of the documents: the most frequent pair first, ties by the bytes of the pair.
 * A vocabulary larger than the data supports is refused with the largest that it does. */
Tokenizer *tokenizer_train(const Docs *const *docs, int n_docs, const TokenizerWant *want,
                           Arena *out, Err *err) MUST_CHECK;

bool tokenizer_save(const Tokenizer *t, const char *path, Err *err) MUST_CHECK;
/* Our file, a folder with GPT-2's vocab.bpe and encoder.json, or a file of tiktoken's ranks.  Of
 * the latter, those of GPT-4 (100,256 tokens) get its words and special tokens, and others GPT-2's
 * words and an end of text. */
Tokenizer *tokenizer_load(const char *path, Arena *out, Err *err) MUST_CHECK;
/* Our file's bytes, as a checkpoint carries them; `what` names them in complaints. */
void tokenizer_print(const Tokenizer *t, Buf *out);
Tokenizer *tokenizer_parse(Str text, const char *what, Arena *out, Err *err) MUST_CHECK;

/* The same for others: Hugging Face's tokenizer.json, tiktoken's ranks (of special tokens these
 * say nothing).  Of the kind `bytes` there is neither: ERR_CONFIG. */
bool tokenizer_print_json(const Tokenizer *t, Buf *out, Err *err) MUST_CHECK;
bool tokenizer_print_ranks(const Tokenizer *t, Buf *out, Err *err) MUST_CHECK;

int tokenizer_vocab(const Tokenizer *t); /* ids are below; some may be unused */
int tokenizer_end(const Tokenizer *t);   /* id of the end of text */
bool tokenizer_is_bpe(const Tokenizer *t);
TokenizerWords tokenizer_words(const Tokenizer *t);
const char *tokenizer_sha256(const Tokenizer *t);   /* of its canonical file */
Str tokenizer_bytes_of(const Tokenizer *t, int id); /* empty for special and unused ids */
int tokenizer_merges(const Tokenizer *t);
/* Merge `i` joins the tokens with ids left and right into token 256 + i; false past the last.
 * Merges stand in the order in which they are applied. */
bool tokenizer_merge(const Tokenizer *t, int i, int *left, int *right);
const TokenizerSpecial *tokenizer_special(const Tokenizer *t, int *count);

/* Appends int32 ids to `ids` (len in bytes grows by 4 each).  Text is text: what looks like a
 * special token is encoded as its letters. */
void tokenizer_encode(const Tokenizer *t, Str text, Buf *ids);
/* Here it becomes the special token; of several that begin at one place, the longest. */
void tokenizer_encode_special(const Tokenizer *t, Str text, Buf *ids);
void tokenizer_decode(const Tokenizer *t, const int32_t *ids, ptrdiff_t n, Buf *text);

/* Encoding on several threads, with the ids of one.  A part that is cut from a longer text must
 * have been cut by tokenizer_cut. */
typedef struct TokenizerPart {
    Str text;
    bool begins; /* an end-of-text token comes first */
} TokenizerPart;
typedef struct TokenizerPool TokenizerPool;
TokenizerPool *tokenizerpool_new(const Tokenizer *t, int threads); /* 0: one per core */
void tokenizerpool_free(TokenizerPool *p);
void tokenizerpool_encode(TokenizerPool *p, const TokenizerPart *part, ptrdiff_t n, Buf *ids);
/* The first place at or behind byte `about` where any text may be cut without changing a token;
 * text.len if there is none. */
ptrdiff_t tokenizer_cut(Str text, ptrdiff_t about);

#endif
