"""The rows of all searches as Markdown: means over seeds first, then every search."""
import json
import statistics
import sys

rows = [json.loads(line) for line in open(sys.argv[1])]
names = list(dict.fromkeys(row["name"] for row in rows))


def told(values, digits=4):
    """Mean and sample deviation of what is known."""
    known = [value for value in values if value is not None]
    if not known:
        return "none"
    spread = f" ({statistics.stdev(known):.{digits}f})" if len(known) > 1 else ""
    return f"{statistics.mean(known):.{digits}f}{spread}"


print("\n| search | test accuracy of the winner, mean (sample deviation) | least and most | its test loss | seconds a search | trials | steps |")
print("|---|---|---|---|---|---|---|")
for name in names:
    own = [row for row in rows if row["name"] == name]
    tests = [row["test"] for row in own if row["test"] is not None]
    mean = lambda key: statistics.mean(row[key] for row in own)
    ends = f"{min(tests):.4f} to {max(tests):.4f}" if tests else ""
    print(f"| {name} | {told(tests)} | {ends} | {told(row['loss'] for row in own)} "
          f"| {mean('seconds'):.0f} | {mean('trials'):.0f} | {mean('steps'):.0f} |")

print("\nAutoHAS beside each other search, seed by seed: points of test accuracy that its winner is better by.\n")
print("| search | mean (sample deviation) | seeds better, equal, worse |\n|---|---|---|")
first = {row["seed"]: row["test"] for row in rows if row["name"] == names[0]}
for name in names[1:]:
    pairs = [(first.get(row["seed"]), row["test"]) for row in rows if row["name"] == name]
    apart = [100 * (a - b) for a, b in pairs if a is not None and b is not None]
    counts = [sum(x > 0 for x in apart), sum(x == 0 for x in apart), sum(x < 0 for x in apart)]
    print(f"| {name} | {told(apart, 2)} | {', '.join(map(str, counts))} |")

print("\n| search | seed | seconds | trials | steps | validation accuracy in the search | test accuracy | winner |\n|---|---|---|---|---|---|---|---|")
for row in rows:
    figure = lambda value: "-" if value is None else f"{value:.4f}"
    print(f"| {row['name']} | {row['seed']} | {row['seconds']:.0f} | {row['trials']} | {row['steps']} "
          f"| {figure(row['search'])} | {figure(row['test'])} | `{row['genotype'] or '-'}` |")
