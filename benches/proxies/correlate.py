"""Spearman's rank correlation of each proxy with the table's accuracies, with a bootstrap's 95 % interval."""
import csv, gzip, json, random, sys

trials, table = sys.argv[1:]
with gzip.open(table, "rt") as file:
    truth = {row["ops"]: row for row in csv.DictReader(file)}
rows = [json.loads(line) for line in open(trials)]
rows = [row for row in rows if row.get("event") == "trial" and row["state"] == "finished"]


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    result, start = [0.0] * len(values), 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for at in order[start:end]:
            result[at] = (start + end - 1) / 2
        start = end
    return result


def spearman(a, b):
    a, b = ranks(a), ranks(b)
    mean = (len(a) - 1) / 2
    product = lambda x, y: sum((i - mean) * (j - mean) for i, j in zip(x, y))
    spread = (product(a, a) * product(b, b)) ** 0.5
    return product(a, b) / spread if spread else 0.0


def interval(a, b):
    draw = random.Random(1)
    found = []
    for _ in range(1000):
        picks = [draw.randrange(len(a)) for _ in a]
        found.append(spearman([a[i] for i in picks], [b[i] for i in picks]))
    found.sort()
    return f"{found[25]:.2f} to {found[974]:.2f}"


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
