"""One search as a line of JSON: its seconds, its trials, its winner's reading and test figures.

row.py NAME SEED START END SEARCH FINAL [several]   `several`: no winner, but the mean of all that FINAL has trained
row.py first COUNT SEARCH                           the options of `retrain` for the search's first COUNT trials
"""
import json
import statistics
import sys


def lines(path):
    for line in open(path):
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            pass


def finished(path, event):
    return [line for line in lines(path) if line.get("event") == event and line["state"] == "finished"]


def row(name, seed, start, end, search, final, *several):
    trials, finals = finished(search, "trial"), finished(final, "retrained")
    steps = [line["step"] for line in lines(search) if line.get("event") == "sharing"]
    winner = finals[0] if finals and not several else None
    read = next((trial for trial in trials if winner and trial["trial"] == winner["trial"]), None)
    mean = lambda metric: statistics.mean(line["metrics"][metric] for line in finals) if finals else None
    print(json.dumps({
        "name": name,
        "seed": int(seed),
        "seconds": 0.0 if several else float(end) - float(start),
        "trials": len(finals) if several else len(trials),
        "steps": 0 if several else max(steps, default=0),
        "search": read and read["metrics"]["accuracy"],
        "test": mean("test_accuracy"),
        "loss": mean("test_loss"),
        "genotype": read and read["genotype"],
    }))


def first(count, search):
    trials = sorted(trial["trial"] for trial in finished(search, "trial"))
    print(" ".join(f"--trial {trial}" for trial in trials[:int(count)]))


if sys.argv[1] == "first":
    first(*sys.argv[2:])
else:
    row(*sys.argv[1:])
