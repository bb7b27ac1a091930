/* bench_model_list.h - the models that `lathe bench train --model NAME` times, one line each:
 * MODEL(name, depth, width, heads, context, batch, vocabulary, what it is).  All have GPT-2's form
 * (layernorm, learned positions, gelu, biases, tied head) and AdamW, as nanoGPT and llm.c have them,
 * so that bench/train_versus.py can put other programs beside them.  No include guard: included several times. */
MODEL("6x384", 6, 384, 6, 256, 16, 8192, "13.9M weights, the size that two cores research")
MODEL("gpt2", 12, 768, 12, 256, 4, 50257, "GPT-2 124M on short rows")
MODEL("gpt2-t64", 12, 768, 12, 64, 4, 50257, "GPT-2 124M as llm.c's CPU trainer runs it")
MODEL("toy", 4, 128, 4, 64, 12, 65, "nanoGPT's character model for a CPU")
