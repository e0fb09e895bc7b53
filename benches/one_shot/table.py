"""The rows of all searches as Markdown: means over seeds first, then every search."""
import json, statistics, sys

rows = [json.loads(line) for line in open(sys.argv[1])]
names = list(dict.fromkeys(row["name"] for row in rows))
print("\n| search | test accuracy of the winner, mean (sample deviation) | least and most | seconds a search | trials | steps |")
print("|---|---|---|---|---|---|")
for name in names:
    own = [row for row in rows if row["name"] == name]
    tests = [row["test"] for row in own if row["test"] is not None]
    mean = lambda key: statistics.mean(row[key] for row in own)
    told = "none" if not tests else f"{statistics.mean(tests):.4f}"
    spread = f" ({statistics.stdev(tests):.4f})" if len(tests) > 1 else ""
    ends = f"{min(tests):.4f} to {max(tests):.4f}" if tests else ""
    print(f"| {name} | {told}{spread} | {ends} | {mean('seconds'):.0f} | {mean('trials'):.0f} | {mean('steps'):.0f} |")
print("\n| search | seed | seconds | trials | steps | validation accuracy in the search | test accuracy | winner |\n|---|---|---|---|---|---|---|---|")
for row in rows:
    figure = lambda value: "-" if value is None else f"{value:.4f}"
    print(f"| {row['name']} | {row['seed']} | {row['seconds']:.0f} | {row['trials']} | {row['steps']} "
          f"| {figure(row['search'])} | {figure(row['test'])} | `{row['genotype']}` |")
