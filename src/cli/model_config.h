/* model_config.h - the options of a command that asks a language model. */
#ifndef CLI_MODEL_CONFIG_H
#define CLI_MODEL_CONFIG_H

#include "cli/cmd.h"
#include "lab/lab.h"
#include "lab/talk.h"

/* Rows of a CmdOpt table; --model is the command's own. */
#define MODEL_OPTS                                                                                 \
    { "base-url", 0, "URL",                                                                        \
      "where it answers, if not at its maker's: http://127.0.0.1:11434/v1" },                      \
        { "api", 0, "WIRE", "anthropic or openai; else by the model's name" },                     \
        { "key-file", 0, "FILE",                                                                   \
          "its key, readable by nobody else; else ANTHROPIC_API_KEY or OPENAI_API_KEY" },          \
        { "effort", 0, "E", "how hard it thinks, where it knows efforts: low, medium, high" },     \
        { "max-usd", 0, "X", "no request is sent that could bring its cost above this" },          \
        { "max-tokens", 0, "N", "nor above so many tokens in all" },                               \
    {                                                                                              \
        "price", 0, "IN,OUT", "dollars per million tokens, where its price is not known"           \
    }

/* What talk_plan reads; no key.  wire "": by --api or the model's name. */
bool model_config(const Cmd *c, const char *wire, const char *model, json_t *config,
                  Err *err) MUST_CHECK;

/* Tries the endpoint before anything is begun, and says what will leave this machine.  Keys and
 * strings of the plan live as long as the command. */
bool model_config_meet(Cmd *c, Lab *lab, const json_t *config, TalkPlan *plan, Err *err) MUST_CHECK;

#endif
