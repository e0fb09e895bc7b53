"""One search as a line of JSON: its seconds, its trials, its winner's reading and test accuracy."""
import json, sys

name, seed, start, end, search, final = sys.argv[1:]


def lines(path):
    for line in open(path):
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            pass


trials = [line for line in lines(search) if line.get("event") == "trial" and line["state"] == "finished"]
finals = [line for line in lines(final) if line.get("event") == "retrained" and line["state"] == "finished"]
steps = [line["step"] for line in lines(search) if line.get("event") == "sharing"]
winner = finals[0] if finals else None
read = next((trial for trial in trials if winner and trial["trial"] == winner["trial"]), None)
print(json.dumps({
    "name": name,
    "seed": int(seed),
    "seconds": float(end) - float(start),
    "trials": len(trials),
    "steps": max(steps, default=0),
    "search": read and read["metrics"]["accuracy"],
    "test": winner and winner["metrics"]["test_accuracy"],
    "genotype": read and read["genotype"],
}))
