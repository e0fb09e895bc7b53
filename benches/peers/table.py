"""Puts the figures of `cellwright bench --json` and of `peers.py` into one table.

    python3 table.py OURS.json PEERS.json
    python3 table.py --pace OURS.json PACE.json ..
"""

import json
import math
import sys


def interval(regrets):
    """Mean and half its 95 % interval, as `cellwright bench` has them for many seeds."""
    count = len(regrets)
    mean = sum(regrets) / count
    deviation = math.sqrt(sum((regret - mean) ** 2 for regret in regrets) / (count - 1))
    student = 1.959964 + 2.3723 / (count - 1) + 2.8225 / (count - 1) ** 2
    return mean, student * deviation / math.sqrt(count)


def queries(ours):
    return next(axis for axis in ours["spaces"][0]["axes"] if axis["axis"] == "queries")


def print_table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|---|" + "---:|" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def regrets(ours, peers):
    budgets, axis = peers["budgets"], queries(ours)
    rows = []
    for curve, times in zip(axis["curves"], ours["spaces"][0]["proposal_ms"]):
        at = [curve["at_budgets"][axis["budgets"].index(budget)] for budget in budgets]
        rows.append(("Cellwright " + curve["algorithm"], [interval(values) for values in at], sum(times) / len(times)))
    for peer, run in peers["peers"].items():
        rows.append((peer, [interval(values) for values in run["regrets"]], run["ms"]))
    digits = max(0, 3 - math.floor(math.log10(max(mean for row in rows for mean, _ in row[1]))))
    least = [min(row[1][place][0] for row in rows) for place in range(len(budgets))]

    def cell(place, mean, half):
        text = f"{mean:.{digits}f} ± {half:.{digits}f}"
        return f"**{text}**" if mean == least[place] else text

    lines = [[label, *(cell(place, *one) for place, one in enumerate(row)), f"{ms:.3f}"] for label, row, ms in rows]
    print_table(["", *map(str, budgets), "ms a proposal"], lines)


def paces(ours, peers):
    points = [int(budget) for budget in queries(ours)["budgets"]]
    named = zip(ours["algorithms"], ours["spaces"][0]["proposal_ms"])
    rows = [("Cellwright " + label, dict(zip(points, times))) for label, times in named]
    for peer in peers:
        rows += [(label, {int(point): ms for point, ms in times.items()}) for label, times in peer.items()]
    cell = lambda times, point: f"{times[point]:.3f}" if point in times else "-"
    print_table(["trials", *map(str, points)], [[label, *(cell(times, point) for point in points)] for label, times in rows])


def main():
    is_pace = sys.argv[1] == "--pace"
    ours, *peers = (json.load(open(path)) for path in sys.argv[1 + is_pace :])
    if is_pace:
        paces(ours, peers)
    else:
        regrets(ours, *peers)


if __name__ == "__main__":
    main()
