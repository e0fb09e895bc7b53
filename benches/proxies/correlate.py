"""Spearman's rank correlation of each proxy with the table's accuracies, with a bootstrap's 95 % interval."""
import csv, gzip, json, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rank import interval, spearman

trials, table = sys.argv[1:]
with gzip.open(table, "rt") as file:
    truth = {row["ops"]: row for row in csv.DictReader(file)}
rows = [json.loads(line) for line in open(trials)]
rows = [row for row in rows if row.get("event") == "trial" and row["state"] == "finished"]


def accuracy(row, column):
    return float(truth[row["genotype"].replace(",", "")][column])


published = {"synflow": "0.74", "naswot": "0.78", "jacob_cov": "0.73", "grad_norm": "0.58", "params": "", "macs": ""}
trained = [row for row in rows if accuracy(row, "c10_test200") > 15]
seconds = sum(row["wall_seconds"] for row in rows) / max(len(rows), 1)
print(f"- {len(rows)} random cells, no two alike; {seconds:.2f} s a cell for all four proxies on one thread\n")
print("Spearman's rank correlation with test accuracy after 200 epochs; published figures are of all 15,625 cells, as far as")
print("they are remembered. The last column leaves out the cells that no training helps (at most 15 % accuracy).\n")
print("| proxy | Spearman | 95 % of resamples | published | without the hopeless |\n|---|---|---|---|---|")
for name, known in published.items():
    a, b = ([row["metrics"][name] for row in rows], [accuracy(row, "c10_test200") for row in rows])
    c, d = ([row["metrics"][name] for row in trained], [accuracy(row, "c10_test200") for row in trained])
    print(f"| {name} | {spearman(a, b):.3f} | {interval(a, b)} | {known} | {spearman(c, d):.3f} ({len(c)} cells) |")
b, e = [accuracy(row, "c10_test200") for row in rows], [accuracy(row, "c10_val12") for row in rows]
print(f"| 12 epochs of training, for comparison | {spearman(e, b):.3f} | {interval(e, b)} | | |")
