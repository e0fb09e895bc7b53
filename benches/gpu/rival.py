#!/usr/bin/env python3
"""The same networks in PyTorch: checks our gradients, and times both. Run by `benches/gpu/run`; needs torch alone.

    rival.py PROGRAM gradients|one|many [--device cuda] [--steps N] [--candidates N] [--batch N] [--out FOLDER]
"""
import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import torch
import torch.nn.functional as F

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SPACE = os.path.join(ROOT, "search_spaces/nasbench201.ron")
# How far a gradient may be from PyTorch's, as a share of its norm: sums in another order, and factors of 11 bits.
NEAR = {"Tf32": 2e-2, "Bf16": 8e-2}
ACTIVATIONS = {"Relu": F.relu, "Relu6": F.relu6, "Silu": F.silu, "Gelu": F.gelu, "HardSwish": F.hardswish,
               "Sigmoid": torch.sigmoid, "HardSigmoid": F.hardsigmoid, "Tanh": torch.tanh}


def read(path):
    """A safetensors file: its tensors by name, and its metadata."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        head = json.loads(file.read(length))
        body = bytearray(file.read())
    about = head.pop("__metadata__", {})
    tensors = {}
    for name, entry in head.items():
        start, end = entry["data_offsets"]
        flat = torch.frombuffer(body[start:end], dtype=torch.float32).clone()
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, about


class Network(torch.nn.Module):
    """A network as our program writes it: a list of primitives."""

    def __init__(self, graph, tensors):
        super().__init__()
        self.nodes, self.output = graph["nodes"], graph["output"]
        self.names = {}
        for name, value in tensors.items():
            if name.startswith("weights/"):
                own = name.removeprefix("weights/")
                self.names[own] = own.replace(".", "-").replace("/", "_")
                if "running_" in own:
                    self.register_buffer(self.names[own], value.clone())
                else:
                    self.register_parameter(self.names[own], torch.nn.Parameter(value.clone()))
        self.needed = self.live()

    def live(self):
        needed = {self.output}
        for index in range(len(self.nodes) - 1, -1, -1):
            if index in needed:
                needed.update(self.nodes[index]["inputs"])
        return needed

    def value(self, scope, role):
        name = self.names.get(f"{scope}/{role}")
        return getattr(self, name) if name else None

    def forward(self, x):
        made = {0: x}
        for index, node in enumerate(self.nodes):
            if index in self.needed and index > 0:
                made[index] = self.compute(node, [made[input] for input in node["inputs"]])
        return made[self.output]

    def compute(self, node, inputs):
        primitive, x = node["primitive"], inputs[0]
        kind, fields = next(iter(primitive.items())) if isinstance(primitive, dict) else (primitive, {})
        value = lambda role: self.value(node["scope"], role)
        if kind == "Conv":
            return F.conv2d(x, value("weight"), value("bias"), fields["stride"], fields["padding"],
                            fields["dilation"], fields["groups"])
        if kind == "Linear":
            return F.linear(x.flatten(1), value("weight").t(), value("bias"))
        if kind == "BatchNorm":
            return F.batch_norm(x, value("running_mean"), value("running_variance"), value("scale"),
                                value("offset"), self.training, fields["momentum"], fields["epsilon"])
        if kind == "Activation":
            return ACTIVATIONS[fields](x)
        if kind == "MaxPool":
            return F.max_pool2d(x, fields["kernel"], fields["stride"], fields["padding"])
        if kind == "AvgPool":
            window = fields["window"]
            return F.avg_pool2d(x, window["kernel"], window["stride"], window["padding"],
                                count_include_pad=fields["count_padding"])
        if kind == "Shift":
            rows = fields["rows"]
            return F.pad(x[:, :, rows:, rows:], (0, rows, 0, rows))
        if kind == "Zero":
            stride = fields["stride"]
            shape = (x.shape[0], fields["channels"], -(-x.shape[2] // stride), -(-x.shape[3] // stride))
            return x.new_zeros(shape)
        simple = {
            "GlobalAvgPool": lambda: x.mean((2, 3), keepdim=True),
            "Flatten": lambda: x.flatten(1),
            "Add": lambda: sum(inputs[1:], x),
            "Mul": lambda: x * inputs[1],
            "Concat": lambda: torch.cat(inputs, 1),
            "Slice": lambda: x[:, fields["start"]:fields["end"]],
            "DropPath": lambda: x,
        }
        if kind not in simple:
            sys.exit(f"PyTorch's side knows no {kind}")
        return simple[kind]()


def ours(asked, *words):
    """What our program prints, as JSON."""
    words = [asked.program, "pace", SPACE, "--json", *map(str, words)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: {done.stderr}")
    return json.loads(done.stdout) if done.stdout else {}


def numbers(asked, folder, *words):
    path = os.path.join(folder, "numbers.safetensors")
    ours(asked, "--numbers", path, *words)
    tensors, about = read(path)
    return tensors, json.loads(about["graph"])


def far(met, wanted):
    return float((met - wanted).norm() / wanted.norm().clamp_min(1e-12))


def gradients(asked, folder):
    """Every gradient of a first step against PyTorch's in 64 bits."""
    rows, worst = [], {}
    precisions = ["Tf32", "Bf16"]
    for precision in precisions:
        for seed in range(asked.candidates or 3):
            words = ["--seed", seed, "--batch", asked.batch or 32, "--device", asked.device, "--precision", precision]
            tensors, graph = numbers(asked, folder, *words)
            network = Network(graph, tensors).double().train()
            logits = network(tensors["input"].double())
            loss = -(F.log_softmax(logits, 1) * tensors["targets"].double()).sum(1).mean()
            loss.backward()
            distances = []
            for name, own in network.names.items():
                given = tensors.get(f"gradients/{name}")
                wanted = getattr(network, own).grad if given is not None else None
                if wanted is not None and wanted.norm() > 1e-6:
                    distances.append(far(given.double(), wanted))
            share = far(tensors["logits"].double(), logits.detach())
            rows.append((precision, seed, len(distances), share, statistics.median(distances), max(distances)))
            worst[precision] = max(worst.get(precision, 0.0), statistics.median(distances))
    agree = all(worst[precision] < NEAR[precision] for precision in precisions)
    text = "| precision | candidate | gradients | logits are off by | gradients, median | gradients, worst |\n"
    text += "|---|---:|---:|---:|---:|---:|\n"
    text += "".join(f"| {p} | {s} | {n} | {l:.1e} | {m:.1e} | {w:.1e} |\n" for p, s, n, l, m, w in rows)
    text += "\nDistances are norms of differences over norms; PyTorch computes in 64 bits.\n"
    text += f"Median within {NEAR}: {'yes' if agree else '**no**'}.\n"
    return "Gradients of a first step against PyTorch's", text, {"rows": rows, "agree": agree}


def recipe(network):
    """SGD as the space's recipe has it."""
    return torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)


def train(network, asked, batch, steps, compiled):
    """Seconds of a step of a PyTorch training, after a start of its own seconds."""
    device = torch.device(asked.device)
    network = network.to(device, memory_format=torch.channels_last).train()
    optimizer = recipe(network)
    inputs = torch.randn(batch, 3, 32, 32, device=device).to(memory_format=torch.channels_last)
    targets = torch.randint(10, (batch,), device=device)
    run = torch.compile(network) if compiled else network

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            loss = F.cross_entropy(run(inputs), targets)
        loss.backward()
        optimizer.step()

    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize()

    start = time.perf_counter()
    for _ in range(5):
        step()
    wait()
    begun = time.perf_counter()
    for _ in range(steps):
        step()
    wait()
    return begun - start, (time.perf_counter() - begun) / steps


def one(asked, folder):
    """Steps a second of one network, ours and PyTorch's in turn."""
    steps, batch = asked.steps or 200, asked.batch or 256
    tensors, graph = numbers(asked, folder, "--batch", 2)
    rows, compiled = [], asked.device.startswith("cuda")
    for _ in range(3):
        mine = ours(asked, "--device", asked.device, "--batch", batch, "--steps", steps, "--precision", "Bf16")
        start, step = train(Network(graph, tensors), asked, batch, steps, compiled)
        rows.append((1 / mine["step_seconds"], 1 / step, step / mine["step_seconds"], mine["start_seconds"], start))
    rival = "torch.compile" if compiled else "PyTorch"
    text = f"Batch {batch}, bfloat16, channels last for PyTorch.\n\n"
    text += f"| run | ours, steps/s | {rival}, steps/s | ratio | our start, s | its start, s |\n|---:|---:|---:|---:|---:|---:|\n"
    text += "".join(f"| {n + 1} | {a:.1f} | {b:.1f} | {r:.2f} | {c:.1f} | {d:.1f} |\n"
                    for n, (a, b, r, c, d) in enumerate(rows))
    ratio = statistics.median(row[2] for row in rows)
    text += f"\nMedian ratio: {ratio:.2f} (0.9 is wanted).\n"
    return "One NAS-Bench-201 network", text, {"rows": rows, "ratio": ratio}


def many(asked, folder):
    """Many networks at once against PyTorch's one after another."""
    count, steps, batch = asked.candidates or 64, asked.steps or 100, asked.batch or 256
    rows, best = [], None
    workers = [1, 2, 4, 8, 16] if asked.device.startswith("cuda") else [1, 2]
    for at_once in workers:
        mine = ours(asked, "--device", asked.device, "--candidates", count, "--workers", at_once, "--batch", batch,
                    "--steps", steps, "--precision", "Bf16")
        rows.append((at_once, mine["seconds"], mine["candidates_an_hour"]))
        best = max(best or 0.0, mine["candidates_an_hour"])
    sampled = subprocess.run([asked.program, "sample", SPACE, "--number", str(count), "--json"], capture_output=True,
                             text=True, check=True)
    genotypes = [json.loads(line)["genotype"] for line in sampled.stdout.splitlines()]
    spent = 0.0
    for genotype in genotypes:
        tensors, graph = numbers(asked, folder, "--genotype", genotype, "--batch", 2)
        start, step = train(Network(graph, tensors), asked, batch, steps, False)
        spent += start + step * steps
    rival = 3600 * count / spent
    text = f"{count} random candidates of the space, {steps} steps of batch {batch} each, bfloat16.\n\n"
    text += "| at once | seconds | candidates an hour |\n|---|---:|---:|\n"
    text += "".join(f"| ours, {n} | {s:.1f} | {c:.0f} |\n" for n, s, c in rows)
    text += f"| PyTorch, one by one | {spent:.1f} | {rival:.0f} |\n\nBest ratio: {best / rival:.2f} (2 is wanted).\n"
    return "Many candidates on one device", text, {"rows": rows, "rival": rival, "ratio": best / rival}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("program")
    arguments.add_argument("part", choices=["gradients", "one", "many"])
    arguments.add_argument("--device", default="cuda")
    for name in ["--steps", "--candidates", "--batch"]:
        arguments.add_argument(name, type=int)
    arguments.add_argument("--out", default=os.path.join(ROOT, "results/gpu"))
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        title, text, figures = {"gradients": gradients, "one": one, "many": many}[asked.part](asked, folder)
    machine = subprocess.run([os.path.join(ROOT, "benches/machine")], capture_output=True, text=True).stdout
    name = torch.cuda.get_device_name() if asked.device.startswith("cuda") else "no GPU"
    about = [*machine.splitlines(), f"PyTorch {torch.__version__}, {name}"]
    os.makedirs(asked.out, exist_ok=True)
    with open(os.path.join(asked.out, f"{asked.part}.md"), "w") as file:
        file.write(f"# {title}\n\nCommand: `benches/gpu/run`\n\n")
        file.write("".join(f"- {line}\n" for line in about) + "\n" + text)
    with open(os.path.join(asked.out, f"{asked.part}.json"), "w") as file:
        json.dump({"about": about, **figures}, file, indent=1)
    print(text)


if __name__ == "__main__":
    main()
