"""Times single operations in PyTorch beside those that the program given prints, in turns.

python3 ops.py PROGRAM ROUNDS  prints a Markdown table (see `ops`).
"""
import json
import os
import re
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

THREADS = int(os.environ.get("THREADS", "2"))


def milliseconds(call):
    call()
    start, each = time.perf_counter(), []
    while len(each) < 5 or (len(each) < 30 and time.perf_counter() - start < 0.5):
        before = time.perf_counter()
        call()
        each.append((time.perf_counter() - before) * 1e3)
    return statistics.median(each)


def operation(name):
    """The layer that a printed name means, and the shape of what it reads."""
    batch, height, width = map(int, re.search(r"(\d+) x (\d+)x(\d+)$", name).groups())
    conv = re.match(r"conv (\d+)x\d+(?: stride (\d+))?(?: dilation (\d+))?(?: groups (\d+))? from (\d+) to (\d+)", name)
    if conv:
        kernel, stride, dilation, groups, read, written = (int(found or 1) for found in conv.groups())
        padding = kernel // 2 * dilation
        layer = nn.Conv2d(read, written, kernel, stride, padding, dilation, groups, bias=False)
        return layer, (batch, read, height, width)
    channels = int(re.search(r"(\d+) channels", name).group(1))
    layers = {
        "max pool 3x3": nn.MaxPool2d(3, 1, 1),
        "avg pool 3x3": nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        "batch norm": nn.BatchNorm2d(channels).requires_grad_(False),
        "relu": F.relu,
        "sum of two": lambda x: x + x,
    }
    return layers[name.split(",")[0]], (batch, channels, height, width)


def figures(name):
    layer, shape = operation(name)
    x = torch.randn(shape)
    graded = torch.randn(shape, requires_grad=True)
    weight = getattr(layer, "weight", None) if isinstance(layer, nn.Conv2d) else None
    with torch.no_grad():
        forward = milliseconds(lambda: layer(x))
    if weight is not None:
        weight.requires_grad_(False)
    data = milliseconds(lambda: torch.autograd.grad(layer(graded).sum(), graded)) - forward
    if weight is None:
        return [forward, data, None]
    weight.requires_grad_(True)
    return [forward, data, milliseconds(lambda: torch.autograd.grad(layer(x).sum(), weight)) - forward]


def main():
    program, rounds = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(THREADS)
    environment = {**os.environ, "RAYON_NUM_THREADS": str(THREADS)}
    command = [program, "nn::kernel::speed::operations", "--ignored", "--nocapture", "--test-threads=1"]
    found = {}
    for _ in range(rounds):
        printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        lines = [json.loads(line[line.index("{"):]) for line in printed.splitlines() if '"op"' in line]
        for line in lines:
            found.setdefault(line["op"], {}).setdefault(line["by"], []).append(line["milliseconds"])
        for name in dict.fromkeys(line["op"] for line in lines):
            found[name].setdefault("PyTorch", []).append(figures(name))
    print(f"PyTorch {torch.__version__}, {THREADS} threads each, medians of {rounds} rounds in turns, milliseconds\n")
    print("| operation | forward: cellwright / Burn / PyTorch | gradient of the map | gradient of the weights |")
    print("| --- | --- | --- | --- |")
    for name, by in found.items():
        cells = []
        for which in range(3):
            columns = [[one[which] for one in by[who]] for who in ("cellwright", "Burn", "PyTorch")]
            known = all(value is not None for column in columns for value in column)
            cells.append(" / ".join(f"{statistics.median(column):.2f}" for column in columns) if known else "")
        print(f"| {name} | " + " | ".join(cells) + " |")


main()
