"""Times training steps of the same networks here, in PyTorch, and in the program given, in turns.

python3 steps.py PROGRAM PAIRS NAME=CANDIDATE.ron:STEPS...  prints a Markdown table (see `run`).
"""
import json
import os
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

THREADS = int(os.environ.get("THREADS", "2"))


class Network(nn.Module):
    """The nodes that the program prints, one module each."""

    def __init__(self, nodes, channels):
        super().__init__()
        self.nodes = nodes
        shapes = [channels]
        self.layers = nn.ModuleList()
        for node in nodes:
            layer, width = self.layer(node, [shapes[i] for i in node["inputs"]] or [channels])
            self.layers.append(layer)
            shapes.append(width) if node is not nodes[0] else None
        last = {}
        for index, node in enumerate(nodes):
            for source in node["inputs"]:
                last[source] = index
        self.last = last

    @staticmethod
    def layer(node, widths):
        kind, settings = node["primitive"], {}
        if isinstance(kind, dict):
            (kind, settings), = kind.items()
        node["kind"], node["settings"], width = kind, settings, widths[0]
        if kind == "Conv":
            conv = nn.Conv2d(
                width, settings["channels"], settings["kernel"], settings["stride"], settings["padding"],
                settings["dilation"], settings["groups"], settings["bias"],
            )
            return conv, settings["channels"]
        if kind == "Linear":
            return nn.Linear(width, settings["features"], settings["bias"]), settings["features"]
        if kind == "BatchNorm":
            return nn.BatchNorm2d(width, settings["epsilon"], settings["momentum"], settings["affine"]), width
        if kind == "MaxPool":
            return nn.MaxPool2d(settings["kernel"], settings["stride"], settings["padding"]), width
        if kind == "AvgPool":
            window = settings["window"]
            counted = settings["count_padding"]
            return nn.AvgPool2d(window["kernel"], window["stride"], window["padding"], False, counted), width
        if kind == "Activation":
            return {"Relu": nn.ReLU}[settings](), width
        if kind == "Concat":
            return nn.Identity(), sum(widths)
        if kind == "Shift":
            return nn.Identity(), width
        if kind in ("Input", "Add", "GlobalAvgPool", "Flatten", "DropPath"):  # no recipe here drops paths
            return nn.Identity(), width
        sys.exit(f"no PyTorch for {kind}")

    def forward(self, x):
        made = {0: x}
        for index, node in enumerate(self.nodes):
            if index == 0 or not node["live"]:
                continue
            inputs = [made[i] for i in node["inputs"]]
            for source in node["inputs"]:
                if self.last[source] == index:
                    made.pop(source, None)
            kind = node["kind"]
            if kind == "Add":
                y = inputs[0]
                for other in inputs[1:]:
                    y = y + other
            elif kind == "Concat":
                y = torch.cat(inputs, 1)
            elif kind == "GlobalAvgPool":
                y = inputs[0].mean((2, 3), keepdim=True)
            elif kind == "Shift":
                rows = node["settings"]["rows"]
                y = F.pad(inputs[0][:, :, rows:, rows:], (0, rows, 0, rows))
            elif kind in ("Flatten", "Linear"):
                y = self.layers[index](inputs[0].flatten(1))
            else:
                y = self.layers[index](inputs[0])
            made[index] = y
        return y.flatten(1)


class Ours:
    """The program's half: see `steps.rs`."""

    def __init__(self, program, candidate, steps):
        environment = {**os.environ, "RAYON_NUM_THREADS": str(THREADS)}
        self.process = subprocess.Popen(
            [program, candidate, str(steps)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.nodes = []
        while line := self.process.stdout.readline().strip():
            self.nodes.append(json.loads(line))

    def seconds(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class PyTorch:
    """The same steps in PyTorch: forward, backward, update by SGD with momentum and weight decay."""

    def __init__(self, nodes, batch, steps):
        self.network, self.steps = Network(nodes, 3), steps
        parameters = list(self.network.parameters())
        spared = [p for p in parameters if p.dim() == 1]
        groups = [{"params": [p for p in parameters if p.dim() > 1]}, {"params": spared, "weight_decay": 0.0}]
        self.update = torch.optim.SGD(groups, 0.01, momentum=0.9, weight_decay=5e-4)
        self.x = torch.randn(batch, 3, 32, 32)
        self.targets = F.one_hot(torch.randint(0, 10, (batch,)), 10).float()

    def seconds(self):
        start = time.perf_counter()
        for _ in range(self.steps):
            loss = F.cross_entropy(self.network(self.x), self.targets)
            self.update.zero_grad()
            loss.backward()
            self.update.step()
        loss.item()
        return time.perf_counter() - start


def compare(program, candidate, batch, steps, pairs):
    ours = Ours(program, candidate, steps)
    theirs = PyTorch(ours.nodes, batch, steps)
    for half in (ours, theirs):
        half.seconds()
    times = [(ours.seconds(), theirs.seconds()) for _ in range(pairs)]
    ours.close()
    return [(steps / mine, steps / other) for mine, other in times]


def main():
    program, pairs = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    print(f"PyTorch {torch.__version__}, {THREADS} threads each, {pairs} pairs of runs in turns\n")
    print("| network | cellwright, steps/s | PyTorch, steps/s | ratio of a pair: median (all) |")
    print("| --- | --- | --- | --- |")
    for argument in sys.argv[3:]:
        name, rest = argument.split("=")
        candidate, batch, steps = rest.split(":")
        speeds = compare(program, candidate, int(batch), int(steps), pairs)
        ratios = sorted(mine / other for mine, other in speeds)
        mine, other = (statistics.median(column) for column in zip(*speeds))
        every = " ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"| {name} | {mine:.2f} | {other:.2f} | {statistics.median(ratios):.2f} ({every}) |", flush=True)


main()
