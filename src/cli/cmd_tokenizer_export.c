/* cmd_tokenizer_export.c - a tokenizer in the form that another program reads. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cmd_tokenizer.h"

static bool print_ours(const Tokenizer *t, Buf *out, Err *err)
{
    (void)err;
    tokenizer_print(t, out);
    return true;
}

static const struct Form {
    const char *name;
    bool (*print)(const Tokenizer *t, Buf *out, Err *err);
} forms[] = { { "hf", tokenizer_print_json },
              { "tiktoken", tokenizer_print_ranks },
              { "lathe", print_ours } };

static const struct Form *find_form(const Cmd *c, Err *err)
{
    const char *name = cmd_value(c, "form", "hf");
    for (int i = 0; i < COUNT(forms); i++)
        if (strcmp(name, forms[i].name) == 0) return &forms[i];
    err_set(err, ERR_CONFIG, "--form %s: it is hf, tiktoken or lathe", name);
    return NULL;
}

static const CmdOpt opts[] = {
    { "tokenizer", 't', "PATH", cmd_tokenizer_path_doc },
    { "form", 0, "NAME", "hf: tokenizer.json; tiktoken: ranks; lathe: our own (hf)" },
    { 0 },
};

static bool run(Cmd *c, Err *err)
{
    const struct Form *form = find_form(c, err);
    const Tokenizer *t = form ? cmd_tokenizer_find(c, err) : NULL;
    Buf text = { 0 };
    bool ok = t && form->print(t, &text, err) && file_write_whole(c->arg[0], buf_view(&text), err);
    buf_free(&text);
    if (!ok) return false;
    if (c->json)
        cmd_print_json(json_pack("{s:s, s:s, s:i}", "path", c->arg[0], "form", form->name, "vocab",
                                 tokenizer_vocab(t)));
    else
        printf("%s: %d tokens\n", c->arg[0], tokenizer_vocab(t));
    return true;
}

const CmdDef cmd_tokenizer_export = {
    .name = "tokenizer export",
    .args = "FILE",
    .doc = "write a tokenizer for Hugging Face's tokenizers, for tiktoken, or as our own file",
    .more =
        "Ranks say nothing of special tokens and of where words are cut: tiktoken is told both. "
        "They also merge any two neighbours that together are a token, where merges know only "
        "the pairs that were learned; on rare words the ids can differ from ours.",
    .opts = opts,
    .min_args = 1,
    .max_args = 1,
    .json = true,
    .run = run,
};
