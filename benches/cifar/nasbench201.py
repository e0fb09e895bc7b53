"""The best cell of NAS-Bench-201 in PyTorch, written from the benchmark's paper and not from our program.

python3 nasbench201.py FOLDER --seed 0 --epochs 12 --batch 256 --rate 0.1 --threads 2 [--device cpu]

Trains on FOLDER/train/<class>/*, is judged once on FOLDER/test/<class>/*, and prints a line of JSON.
"""
import argparse
import json
import math
import os
import time

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

# Ops of the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3.
BEST = [["conv3"], ["conv3", "conv3"], ["skip", "conv3", "conv1"]]


class ReluConvNorm(nn.Sequential):
    def __init__(self, read, written, kernel, stride=1):
        conv = nn.Conv2d(read, written, kernel, stride, kernel // 2, bias=False)
        super().__init__(nn.ReLU(), conv, nn.BatchNorm2d(written))


def operation(name, width):
    return {
        "conv3": lambda: ReluConvNorm(width, width, 3),
        "conv1": lambda: ReluConvNorm(width, width, 1),
        "skip": nn.Identity,
    }[name]()


class Cell(nn.Module):
    """Every node is the sum of an operation on each node before it; the last is the cell's output."""

    def __init__(self, width):
        super().__init__()
        self.edges = nn.ModuleList(nn.ModuleList(operation(name, width) for name in node) for node in BEST)

    def forward(self, x):
        made = [x]
        for node in self.edges:
            made.append(sum(edge(before) for edge, before in zip(node, made)))
        return made[-1]


class Reduction(nn.Module):
    """A basic residual block of stride 2 in pre-activation order, its shortcut pooled."""

    def __init__(self, read, written):
        super().__init__()
        self.first = ReluConvNorm(read, written, 3, 2)
        self.second = ReluConvNorm(written, written, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(read, written, 1, bias=False))

    def forward(self, x):
        return self.second(self.first(x)) + self.shortcut(x)


def network(classes):
    stem = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)]
    body = []
    for width in (16, 32, 64):
        body += [] if width == 16 else [Reduction(width // 2, width)]
        body += [Cell(width) for _ in range(5)]
    head = [nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes)]
    made = nn.Sequential(*stem, *body, *head)
    for layer in made.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return made


def pictures(folder):
    """All pictures of a folder of classes as bytes, and their labels."""
    classes = sorted(os.listdir(folder))
    pixels, labels = [], []
    for label, name in enumerate(classes):
        place = os.path.join(folder, name)
        for file in sorted(os.listdir(place)):
            with Image.open(os.path.join(place, file)) as picture:
                pixels.append(numpy.asarray(picture.convert("RGB")).transpose(2, 0, 1))
            labels.append(label)
    return torch.from_numpy(numpy.stack(pixels)), torch.tensor(labels), len(classes)


def augmented(batch):
    """Four pixels of black around each picture, a random crop of its own size, and half of them mirrored."""
    count, _, height, width = batch.shape
    padded = F.pad(batch, (4, 4, 4, 4))
    rows = torch.randint(0, 9, (count, 1)) + torch.arange(height)
    columns = torch.randint(0, 9, (count, 1)) + torch.arange(width)
    columns = torch.where(torch.rand(count, 1) < 0.5, columns, columns.flip(1))
    which = torch.arange(count)[:, None, None]
    return padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder")
    for name, kind in [("seed", int), ("epochs", int), ("batch", int), ("rate", float), ("threads", int)]:
        arguments.add_argument(f"--{name}", type=kind, required=True)
    arguments.add_argument("--device", default="cpu")
    asked = arguments.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(asked.seed)

    train, labels, classes = pictures(os.path.join(asked.folder, "train"))
    test, truth, _ = pictures(os.path.join(asked.folder, "test"))
    scaled = train.double() / 255
    mean, deviation = scaled.mean((0, 2, 3)), scaled.std((0, 2, 3), correction=0)
    del scaled
    place = lambda values: values.float().view(1, 3, 1, 1).to(asked.device)
    mean, deviation = place(mean), place(deviation)
    normal = lambda batch: (batch.to(asked.device).float() / 255 - mean) / deviation

    model = network(classes).to(asked.device)
    every = list(model.parameters())
    # Weight decay is for weights alone: neither for norms nor for biases.
    groups = [{"params": [one for one in every if one.dim() > 1], "weight_decay": 5e-4},
              {"params": [one for one in every if one.dim() == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, asked.rate, momentum=0.9, nesterov=True)
    batch = min(asked.batch, len(train))
    steps, step = len(train) // batch, 0
    start, losses = time.perf_counter(), []
    for _ in range(asked.epochs):
        model.train()
        order, losses = torch.randperm(len(train)), []
        for number in range(steps):
            members = order[number * batch:(number + 1) * batch]
            for group in optimizer.param_groups:
                group["lr"] = asked.rate * 0.5 * (1 + math.cos(math.pi * step / (steps * asked.epochs)))
            loss = F.cross_entropy(model(normal(augmented(train[members]))), labels[members].to(asked.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            step += 1
    seconds = time.perf_counter() - start

    model.eval()
    right = entropy = 0.0
    with torch.no_grad():
        for first in range(0, len(test), 128):
            logits = model(normal(test[first:first + 128])).cpu()
            goal = truth[first:first + 128]
            right += (logits.argmax(1) == goal).sum().item()
            entropy += F.cross_entropy(logits, goal, reduction="sum").item()
    print(json.dumps({
        "seed": asked.seed, "test_accuracy": right / len(test), "test_loss": entropy / len(test),
        "train_loss": sum(losses) / max(len(losses), 1), "params": sum(one.numel() for one in every),
        "pictures": len(train), "judged": len(test), "seconds": seconds, "torch": torch.__version__,
    }))


main()
