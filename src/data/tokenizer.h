/* tokenizer.h - bytes to tokens and back, exactly, for any bytes.
 *
 * Two kinds: `bytes` (257 tokens: the bytes and the end of text) and `bpe`
 * (byte-pair encoding with GPT-2's pre-tokenisation: the pattern
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+,
 * Radford et al. 2019).  The end-of-text token is always the last id. */
#ifndef DATA_TOKENIZER_H
#define DATA_TOKENIZER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "data/docs.h"

typedef struct Tokenizer Tokenizer;

Tokenizer *tokenizer_bytes(Arena *out);
/* Trained on documents: `vocab` tokens in all, 256 bytes, merges, end of text.  Deterministic:
 * the most frequent pair first, ties by the bytes of the pair.  A vocabulary larger than the
 * data supports is refused with the largest that it does. */
Tokenizer *tokenizer_train(const Docs *const *docs, int n_docs, int vocab, Arena *out,
                           Err *err) MUST_CHECK;
bool tokenizer_save(const Tokenizer *t, const char *path, Err *err) MUST_CHECK;
/* Our file, or a folder with GPT-2's vocab.bpe and encoder.json. */
Tokenizer *tokenizer_load(const char *path, Arena *out, Err *err) MUST_CHECK;
/* Our file's bytes, as a checkpoint carries them; `what` names them in complaints. */
void tokenizer_print(const Tokenizer *t, Buf *out);
Tokenizer *tokenizer_parse(Str text, const char *what, Arena *out, Err *err) MUST_CHECK;

int tokenizer_vocab(const Tokenizer *t);
int tokenizer_end(const Tokenizer *t); /* id of the end of text */
bool tokenizer_is_bpe(const Tokenizer *t);
const char *tokenizer_sha256(const Tokenizer *t);   /* of its canonical file */
Str tokenizer_bytes_of(const Tokenizer *t, int id); /* empty for the end of text */
/* Merge `i` joins the tokens with ids left and right into token 256 + i; false past the last.
 * Merges stand in the order in which they are applied. */
bool tokenizer_merge(const Tokenizer *t, int i, int *left, int *right);

/* Appends int32 ids to `ids` (len in bytes grows by 4 each).  No special tokens are added. */
void tokenizer_encode(const Tokenizer *t, Str text, Buf *ids);
void tokenizer_decode(const Tokenizer *t, const int32_t *ids, ptrdiff_t n, Buf *text);

#endif
