#!/usr/bin/env python3
"""bench/torch_train.py - the models of `lathe bench train --model NAME`, trained by PyTorch.

    /usr/bin/python3 bench/torch_train.py 6x384 [--threads 2] [--seconds 10]

A yardstick, no part of the build.  GPT-2's form as nanoGPT has it (layernorm, learned positions, tanh gelu,
biases, tied head, AdamW, clipping), fp32, random tokens.  Prints one line of JSON: tokens/s over the
seconds, milliseconds a step (median), peak memory.  The script starts itself anew with the environment
that makes Debian's PyTorch fast, and says in its output what it found of it:

  - the OpenMP build of OpenBLAS (libopenblas0-openmp), told the core, which it guesses wrongly on recent
    processors: SSE3 kernels, five times slower;
  - memory kept instead of given back to the system after each step (MALLOC_*_THRESHOLD_);
  - ATEN_CPU_CAPABILITY, so that elementwise kernels are AVX-512 ones too.
--plain leaves the environment alone: PyTorch as installed.
"""
import argparse, glob, json, os, resource, statistics, sys, time

#         layers, width, heads, T, batch, vocabulary: as in src/cli/bench_model_list.h
MODELS = {"6x384": (6, 384, 6, 256, 16, 8192), "gpt2": (12, 768, 12, 256, 4, 50257),
          "gpt2-t64": (12, 768, 12, 64, 4, 50257), "toy": (4, 128, 4, 64, 12, 65)}

def cpu_flags():
    with open("/proc/cpuinfo") as f:
        return next((line for line in f if line.startswith("flags")), "").split()

def tuned_environment(threads):
    wide = "avx512f" in cpu_flags()
    env = {"OMP_NUM_THREADS": str(threads), "MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TRIM_THRESHOLD_": "8000000000",
           "OPENBLAS_CORETYPE": "SkylakeX" if wide else "Haswell", "ATEN_CPU_CAPABILITY": "avx512" if wide else "avx2"}
    blas = glob.glob("/usr/lib/*/openblas-openmp")
    if blas:
        env["LD_LIBRARY_PATH"] = ":".join(blas + [p for p in [os.environ.get("LD_LIBRARY_PATH")] if p])
    return env

def restart_tuned(threads):
    if os.environ.get("LATHE_TORCH_TUNED") != str(threads):
        os.environ.update(tuned_environment(threads), LATHE_TORCH_TUNED=str(threads))
        os.execv(sys.executable, [sys.executable, *sys.argv])

def make_model(torch, layers, width, heads, context, vocab):
    nn, F = torch.nn, torch.nn.functional

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.register_buffer("past", torch.ones(context, context, dtype=torch.bool).tril())

        def forward(self, x):
            B, T, C = x.shape
            q, k, v = (t.view(B, T, heads, C // heads).transpose(1, 2) for t in self.qkv(x).split(C, dim=2))
            if hasattr(F, "scaled_dot_product_attention"):
                y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            else:
                a = (q @ k.transpose(2, 3)) * (C // heads) ** -0.5
                y = a.masked_fill(~self.past[:T, :T], float("-inf")).softmax(dim=-1) @ v
            return self.proj(y.transpose(1, 2).reshape(B, T, C))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attn, self.up, self.down = Attention(), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x):
            x = x + self.attn(self.norm1(x))
            return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.position = nn.Embedding(vocab, width), nn.Embedding(context, width)
            self.blocks, self.norm = nn.ModuleList(Block() for _ in range(layers)), nn.LayerNorm(width)
            for p in self.parameters():
                if p.dim() > 1:
                    nn.init.normal_(p, std=0.02)

        def forward(self, tokens, targets):
            x = self.embed(tokens) + self.position.weight[:tokens.shape[1]]
            for block in self.blocks:
                x = block(x)
            logits = F.linear(self.norm(x), self.embed.weight)
            return F.cross_entropy(logits.view(-1, vocab), targets.view(-1))

    return Transformer()

def make_step(torch, model, tokens, targets):
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    rule = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), foreach=True)

    def step():
        rule.zero_grad(set_to_none=True)
        loss = model(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        rule.step()
        return loss.item()
    return step

def measure(step, seconds):
    for _ in range(2):
        step()
    times, began = [], time.perf_counter()
    while not times or time.perf_counter() - began < seconds:
        at = time.perf_counter()
        loss = step()
        times.append(time.perf_counter() - at)
    return times, loss

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("model", choices=MODELS)
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--plain", action="store_true", help="the environment as it is")
    args = p.parse_args()
    if not args.plain:
        restart_tuned(args.threads)
    import torch
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    layers, width, heads, context, batch, vocab = MODELS[args.model]
    model = make_model(torch, layers, width, heads, context, vocab)
    tokens, targets = (torch.randint(vocab, (batch, context)) for _ in range(2))
    times, loss = measure(make_step(torch, model, tokens, targets), args.seconds)
    found = {k: os.environ.get(k) for k in tuned_environment(args.threads)}
    print(json.dumps({"program": f"torch {torch.__version__}", "model": args.model, "threads": args.threads,
                      "tokens_per_s": batch * context * len(times) / sum(times), "seconds_per_step": statistics.median(times),
                      "steps": len(times), "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                      "loss": loss, "environment": found}))

if __name__ == "__main__":
    main()
