"""A small PyTorch trainer that Lathe drives: python3 train.py job.json

It predicts the next byte of the Python standard library's sources from the eight before it, with an
embedding and one hidden layer.  There is nothing of Lathe in it but reading job.json, appending to
metrics.tsv and writing result.json.
"""
import json
import math
import os
import sys
import sysconfig

import torch
import torch.nn.functional as F

CONTEXT, EMBED = 8, 16


def load_text():
    """Training and held-out bytes: every tenth file is held out."""
    folder = sysconfig.get_paths()["stdlib"]
    names = sorted(n for n in os.listdir(folder) if n.endswith(".py"))[:60]
    parts = ([], [])
    for i, name in enumerate(names):
        with open(os.path.join(folder, name), "rb") as f:
            parts[i % 10 == 0].append(f.read())
    return [torch.frombuffer(bytearray(b"".join(p)), dtype=torch.uint8).long() for p in parts]


class Model(torch.nn.Module):
    def __init__(self, width, activation):
        super().__init__()
        self.embed = torch.nn.Embedding(256, EMBED)
        self.hidden = torch.nn.Linear(CONTEXT * EMBED, width)
        self.out = torch.nn.Linear(width, 256)
        self.act = {"tanh": torch.tanh, "relu": F.relu, "gelu": F.gelu}[activation]

    def forward(self, x):  # (B, CONTEXT) -> (B, 256)
        return self.out(self.act(self.hidden(self.embed(x).flatten(1))))


def rows_at(text, at):
    """(B, CONTEXT) and (B,): the bytes before each place, and the byte there."""
    return text[at[:, None] + torch.arange(-CONTEXT, 0)], text[at]


@torch.no_grad()
def bits_per_byte(model, text):
    places = torch.arange(CONTEXT, len(text), 7)
    total = sum(
        F.cross_entropy(model(x), y, reduction="sum").item()
        for x, y in (rows_at(text, p) for p in places.split(8192))
    )
    return total / len(places) / math.log(2)


def main():
    with open(sys.argv[1]) as f:
        job = json.load(f)
    knobs, out = job["knobs"], job["out"]
    torch.manual_seed(job["seed"])
    torch.set_num_threads(1)
    train, held_out = load_text()
    model = Model(knobs["width"], knobs["activation"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=knobs["lr"])
    rows = knobs["batch"] * 32
    steps = max(1, int(job["budget"]) // rows)
    with open(os.path.join(out, "metrics.tsv"), "w") as metrics:
        metrics.write("step\ttokens\tloss\tlr\n")
        for step in range(1, steps + 1):
            lr = knobs["lr"]
            if knobs["decay"]:
                lr *= 0.5 + 0.5 * math.cos(math.pi * (step - 1) / steps)
            optimizer.param_groups[0]["lr"] = lr
            x, y = rows_at(train, torch.randint(CONTEXT, len(train), (rows,)))
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            metrics.write(f"{step}\t{step * rows}\t{loss.item():.6f}\t{lr:.6g}\n")
            metrics.flush()
    result = {"val_bpb": bits_per_byte(model, held_out), "steps": steps, "tokens": steps * rows}
    with open(os.path.join(out, "result.json"), "w") as f:
        json.dump(result, f)


main()
