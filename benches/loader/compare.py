"""Runs both loaders by turns and prints the table of results/training/loader.md.

    python3 compare.py LOADER FOLDERS.. [--pairs N] [--pillow-simd FOLDER]

LOADER is the built bench; each of FOLDERS is `name=path`, class folders below `train/`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def rate(command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])["rate"]


def main():
    words = argparse.ArgumentParser()
    words.add_argument("loader")
    words.add_argument("folders", nargs="+")
    words.add_argument("--pairs", type=int, default=5)
    words.add_argument("--pillow-simd")
    said = words.parse_args()
    torch = [sys.executable, str(HERE / "torch_loader.py")]
    peers = {"Pillow": ("pil", {}), "`decode_jpeg`": ("io", {})}
    if said.pillow_simd:
        peers["Pillow-SIMD"] = ("pil", {"PYTHONPATH": said.pillow_simd})
    print("| pictures | augmentation | ours, pictures a second | " + " | ".join(peers), end="")
    print(" | ours over the best of them, median of pairs | least, most |")
    print("|---|---|---:|" + "---:|" * len(peers) + "---:|---:|")
    for folder in said.folders:
        name, path = folder.split("=", 1)
        for label, flags in (("crop, flip", []), ("crop, flip, RandAugment (2, 9)", ["--rand-augment"])):
            ours, theirs = [], {peer: [] for peer in peers}
            for _ in range(said.pairs):
                ours.append(rate([said.loader, path, *flags]))
                for peer, (way, environment) in peers.items():
                    theirs[peer].append(rate([*torch, path, way, *flags], environment))
            ratios = [mine / max(theirs[peer][at] for peer in peers) for at, mine in enumerate(ours)]
            medians = " | ".join(f"{statistics.median(theirs[peer]):.0f}" for peer in peers)
            print(f"| {name} | {label} | {statistics.median(ours):.0f} | {medians}", end="")
            print(f" | **{statistics.median(ratios):.2f}** | {min(ratios):.2f}, {max(ratios):.2f} |", flush=True)


if __name__ == "__main__":
    main()
