"""Trainings of one network here and in PyTorch, side by side."""
import json
import statistics
import sys

ours, theirs, pictures, epochs, judged = sys.argv[1:]
ours = [json.loads(line) for line in open(ours)]
ours = [line for line in ours if line.get("event") == "retrained"]
theirs = [json.loads(line) for line in open(theirs)]
failed = [line for line in ours if line["state"] != "finished"]
if failed or len(ours) != len(theirs):
    sys.exit(f"{len(ours)} trainings here, {len(theirs)} in PyTorch, of which failed: {failed}")
params = {int(line["metrics"]["params"]) for line in ours} | {line["params"] for line in theirs}
if len(params) != 1:
    sys.exit(f"not the same network: {sorted(params)} parameters")
print(f"- PyTorch {theirs[0]['torch']}; {params.pop():,} parameters on both sides\n")
print(f"{theirs[0]['pictures']} training pictures, {epochs} epochs, {theirs[0]['judged']} test pictures\n")
print("| seed | test accuracy here | in PyTorch | test loss here | in PyTorch | training loss here | in PyTorch | seconds here | in PyTorch |")
print("|---|---|---|---|---|---|---|---|---|")
for mine, other in zip(ours, theirs):
    own = mine["metrics"]
    seconds = other["pictures"] * int(epochs) / own["pictures_per_second"]
    print(f"| {other['seed']} | {own['test_accuracy']:.4f} | {other['test_accuracy']:.4f} | {own['test_loss']:.4f} "
          f"| {other['test_loss']:.4f} | {own['train_loss']:.4f} | {other['train_loss']:.4f} | {seconds:.0f} | {other['seconds']:.0f} |")
mean = lambda values: statistics.mean(values)
here = [line["metrics"]["test_accuracy"] for line in ours]
there = [line["test_accuracy"] for line in theirs]
apart = 100 * (mean(here) - mean(there))
spread = ""
if len(here) > 1:
    error = 100 * ((statistics.variance(here) + statistics.variance(there)) / len(here)) ** 0.5
    spread = f", standard error of the difference {error:.2f}"
print(f"\nMean test accuracy: {100 * mean(here):.2f} % here, {100 * mean(there):.2f} % in PyTorch; "
      f"{apart:+.2f} points{spread}. Within 1.5 points: {'yes' if abs(apart) <= 1.5 else 'no'}.")
