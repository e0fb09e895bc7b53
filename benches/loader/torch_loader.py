"""The same as `main.rs`, by torchvision: pictures a second of a DataLoader, as one line of JSON.

    python3 torch_loader.py FOLDER WAY [--rand-augment] [--workers N] [--epochs N]

WAY is `pil` (Pillow, or Pillow-SIMD where that is what `PIL` is, and transforms of pictures) or `io`
(`torchvision.io.decode_jpeg` and transforms of byte tensors).
"""

import argparse
import json
import os
import time

import torch
import torchvision
from PIL import Image
from torchvision.datasets import DatasetFolder
from torchvision.transforms import v2

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def by_pillow(path):
    with open(path, "rb") as file:
        return Image.open(file).convert("RGB")


def by_io(path):
    data = torchvision.io.read_file(path)
    return torchvision.io.decode_jpeg(data, mode=torchvision.io.ImageReadMode.RGB)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("folder")
    words.add_argument("way", choices=("pil", "io"))
    words.add_argument("--rand-augment", action="store_true")
    words.add_argument("--workers", type=int, default=os.cpu_count())
    words.add_argument("--epochs", type=int, default=3)
    said = words.parse_args()

    steps = [v2.RandomResizedCrop(224, antialias=True), v2.RandomHorizontalFlip()]
    if said.rand_augment:
        steps.append(v2.RandAugment(num_ops=2, magnitude=9))
    if said.way == "pil":
        steps.append(v2.PILToTensor())
    steps += [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, DEVIATION)]
    loader = by_pillow if said.way == "pil" else by_io
    kinds = (".jpg", ".jpeg")
    data = DatasetFolder(os.path.join(said.folder, "train"), loader, kinds, transform=v2.Compose(steps))
    torch.set_num_threads(1)
    batches = torch.utils.data.DataLoader(
        data, batch_size=64, shuffle=True, drop_last=True, num_workers=said.workers, persistent_workers=True
    )
    for _ in batches:
        pass
    start = time.perf_counter()
    pictures = sum(len(labels) for _ in range(said.epochs) for _, labels in batches)
    seconds = time.perf_counter() - start
    print(json.dumps({"pictures": pictures, "seconds": seconds, "rate": pictures / seconds}))


if __name__ == "__main__":
    main()
