/* model_config.c - from options to the configuration of a language model, and the first meeting. */
#include "cli/model_config.h"

#include <stdio.h>
#include <string.h>

#include "lab/share.h"

static bool put_price(const char *text, json_t *config, Err *err)
{
    Str rest = str_of(text), in;
    double a, b;
    if (!str_cut(&rest, ',', &in) || !str_to_double(in, &a) || !str_to_double(rest, &b) || a < 0 ||
        b < 0)
        return err_set(err, ERR_CONFIG, "--price is IN,OUT in dollars per million tokens: 0.5,2");
    json_object_set_new(config, "price", json_pack("[f, f]", a, b));
    return true;
}

bool model_config(const Cmd *c, const char *wire, const char *model, json_t *config, Err *err)
{
    static const char *const texts[][2] = { { "base-url", "base_url" },
                                            { "key-file", "key_file" },
                                            { "effort", "effort" } };
    double usd, tokens;
    const char *price = cmd_value(c, "price", NULL);
    const char *by_name = strncmp(model, "claude", 6) == 0 ? "anthropic" : "openai";
    if (!cmd_number(c, "max-usd", 0, 0.0001, 1e6, &usd, err) ||
        !cmd_number(c, "max-tokens", 0, 1, 1e12, &tokens, err))
        return false;
    json_object_set_new(config, "wire", json_string(wire[0] ? wire : cmd_value(c, "api", by_name)));
    json_object_set_new(config, "name", json_text(str_of(model)));
    json_object_set_new(config, "max_usd", json_real(usd));
    json_object_set_new(config, "max_tokens", json_integer((json_int_t)tokens));
    for (ptrdiff_t i = 0; i < COUNT(texts); i++)
        if (cmd_has(c, texts[i][0]))
            json_object_set_new(config, texts[i][1],
                                json_text(str_of(cmd_value(c, texts[i][0], ""))));
    return !price || put_price(price, config, err);
}

bool model_config_meet(Cmd *c, Lab *lab, const json_t *config, TalkPlan *plan, Err *err)
{
    Buf words = { 0 };
    if (!talk_plan(config, plan, c->arena, err) || !talk_try(plan, err)) return false;
    bool ok = share_words(lab, &words, err);
    if (ok)
        fprintf(stderr,
                "%s is shown %s\n  its provider's terms apply to what it is used for; `lathe "
                "share` says and changes what is shown\n",
                plan->author, words.at);
    buf_free(&words);
    return ok;
}
