"""Spearman's correlation of short trainings with the table of NAS-Bench-201."""
import csv
import gzip
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rank import interval, spearman

trials, table, pictures, epochs = sys.argv[1:]
with gzip.open(table, "rt") as file:
    truth = {row["ops"]: row for row in csv.DictReader(file)}
rows = [json.loads(line) for line in open(trials)]
failed = [row for row in rows if row.get("event") == "trial" and row["state"] != "finished"]
rows = [row for row in rows if row.get("event") == "trial" and row["state"] == "finished"]
for row in rows:
    row["truth"] = truth[row["genotype"].replace(",", "")]
seconds = sum(row["wall_seconds"] for row in rows) / max(len(rows), 1)
what = "all" if pictures == "0" else pictures
print(f"- {len(rows)} random cells ({len(failed)} failed), {epochs} epochs on {what} pictures each, {seconds:.0f} s a cell\n")
own = [row["metrics"]["accuracy"] for row in rows]
columns = {
    "c10_val12": "validation accuracy after 12 epochs",
    "c10_val200_a": "validation accuracy after 200 epochs, one seed",
    "c10_test200": "test accuracy after 200 epochs",
}
print("| column of the table | Spearman | 95 % of resamples |\n|---|---|---|")
for column, what in columns.items():
    other = [float(row["truth"][column]) for row in rows]
    print(f"| `{column}`: {what} | {spearman(own, other):.3f} | {interval(own, other)} |")
short, long = ([float(row["truth"][column]) for row in rows] for column in ("c10_val12", "c10_test200"))
print(f"| the table's own 12 epochs with its 200 | {spearman(short, long):.3f} | {interval(short, long)} |")
trained = [row for row in rows if float(row["truth"]["c10_val12"]) > 15]
if 2 < len(trained) < len(rows):
    a, b = ([row["metrics"]["accuracy"] for row in trained], [float(row["truth"]["c10_val12"]) for row in trained])
    print(f"\nWithout the {len(rows) - len(trained)} cells that nothing can be learnt with: {spearman(a, b):.3f} with `c10_val12`.")
print("\n| cell | our accuracy | `c10_val12` | `c10_test200` |\n|---|---|---|---|")
for row in sorted(rows, key=lambda row: -row["metrics"]["accuracy"]):
    cell = row["truth"]["arch"].replace("|", "\\|")
    figures = f"{100 * row['metrics']['accuracy']:.2f} | {row['truth']['c10_val12']} | {row['truth']['c10_test200']}"
    print(f"| {cell} | {figures} |")
