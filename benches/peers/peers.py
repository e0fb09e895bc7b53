"""Optuna, rustuna and PyGlove on the tables of `benches/search`: the same candidates, readings and regret as `cellwright bench`.

    python3 benches/peers/peers.py TABLE --seeds 200 --queries 150 --budgets 50,100,150 > TABLE.json
    python3 benches/peers/peers.py TABLE --pace 1000,5000 --only 'rustuna TPE' > pace.json

A query is one candidate that was not evaluated before; a peer that proposes a candidate again gets its figures again and
has spent nothing. What it believes best is its best reading. Times are of this process's processor.
"""

import argparse
import csv
import functools
import gzip
import json
import logging
import math
import os
import random
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# Proposals in a row without a new candidate after which a run has ended: its regret stays where it is.
STALLED = 2000


class Table:
    """Digits of every candidate, its readings (more is better) and its truth."""

    def __init__(self, name):
        path, key, columns, truth, sign, scale = {
            "nasbench201": ("nasbench201_cifar10", "ops", ["c10_val200_a", "c10_val200_b", "c10_val200_c"], ["c10_test200"], 1, 1),
            "fcnet": ("fcnet_protein_structure", "code", ["val_mse_" + seed for seed in "abcd"], ["val_mse_" + seed for seed in "abcd"], -1, 1),
        }[name]
        self.readings, self.truth = {}, {}
        with gzip.open(os.path.join(ROOT, "tests", "tables", path + ".csv.gz"), "rt") as file:
            for row in csv.DictReader(file):
                code = tuple(int(digit) for digit in row[key])
                self.readings[code] = [sign * float(row[column]) for column in columns if row[column]]
                self.truth[code] = sign * scale * sum(float(row[column]) for column in truth) / len(truth)
        self.best = max(self.truth.values())
        self.sizes = [max(code[place] for code in self.truth) + 1 for place in range(len(next(iter(self.truth))))]
        # Decisions whose choices have an order: an advantage for a sampler that knows of it.
        self.ordered = {"nasbench201": [], "fcnet": [2, 3, 4, 5, 7, 8]}[name]


def optuna_tpe(table, seed, ordered=False, **options):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, **options))
    return by_study(study, table, ordered)


def rustuna_tpe(table, seed, ordered=False):
    import rustuna

    study = rustuna.create_study(direction="maximize", sampler=rustuna.samplers.TPESampler(seed=seed))
    return by_study(study, table, ordered)


def by_study(study, table, ordered):
    """Optuna and rustuna share the calls of a study."""

    def ask():
        trial = study.ask()
        code = []
        for place, size in enumerate(table.sizes):
            if ordered and place in table.ordered:
                code.append(trial.suggest_int(str(place), 0, size - 1))
            else:
                code.append(trial.suggest_categorical(str(place), list(range(size))))
        return trial, tuple(code)

    def tell(trial, reading):
        study.tell(trial.number, reading)

    return ask, tell


def pyglove_evolution(table, seed):
    import pyglove as pg
    from pyglove.ext.evolution import regularized_evolution

    algorithm = regularized_evolution(population_size=20, tournament_size=5, seed=seed)
    space = pg.Dict(**{f"d{place}": pg.oneof(list(range(size))) for place, size in enumerate(table.sizes)})
    algorithm.setup(pg.dna_spec(space))

    def ask():
        dna = algorithm.propose()
        return dna, tuple(int(value) for value in dna.to_numbers())

    def tell(dna, reading):
        algorithm.feedback(dna, reading)

    return ask, tell


PEERS = {
    "Optuna TPE": lambda table, seed: optuna_tpe(table, seed),
    "Optuna TPE, ordered": lambda table, seed: optuna_tpe(table, seed, ordered=True),
    "rustuna TPE": lambda table, seed: rustuna_tpe(table, seed),
    "rustuna TPE, ordered": lambda table, seed: rustuna_tpe(table, seed, ordered=True),
    "PyGlove regularized evolution (20, 5)": lambda table, seed: pyglove_evolution(table, seed),
}


def run(table, peer, seed, queries, budgets):
    """Regret at each budget, and milliseconds of processor time a proposal and its telling."""
    ask, tell = PEERS[peer](table, seed)
    chance, known, best, regret = random.Random(f"{seed} readings"), {}, -math.inf, math.nan
    regrets, spent, asked, stalled = [], 0.0, 0, 0
    while len(known) < queries and stalled < STALLED:
        start = time.process_time()
        trial, code = ask()
        spent += time.process_time() - start
        stalled = stalled + 1 if code in known else 0
        if code not in known:
            known[code] = chance.choice(table.readings[code])
            if known[code] > best:
                best, regret = known[code], table.best - table.truth[code]
            if len(known) in budgets:
                regrets.append(regret)
        start = time.process_time()
        tell(trial, known[code])
        spent += time.process_time() - start
        asked += 1
    return regrets + [regret] * (len(budgets) - len(regrets)), 1e3 * spent / asked


def pace(table, peer, points):
    """Milliseconds of processor time of a proposal and its telling over the last tenth of so many trials, repeats and all."""
    ask, tell = PEERS[peer](table, 0)
    chance, spent, paces, total = random.Random("pace"), [], {}, time.process_time()
    for number in range(max(points)):
        start = time.process_time()
        trial, code = ask()
        tell(trial, chance.choice(table.readings[code]))
        spent.append(time.process_time() - start)
        if number + 1 in points:
            last = spent[-math.ceil((number + 1) / 10):]
            paces[number + 1] = 1e3 * sum(last) / len(last)
    return paces


def quiet():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)


@functools.cache
def table_of(name):
    return Table(name)


def task(arguments):
    quiet()
    name, *rest = arguments
    return run(table_of(name), *rest)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=["nasbench201", "fcnet"])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--queries", type=int, default=150)
    parser.add_argument("--budgets", default="50,100,150")
    parser.add_argument("--pace")
    parser.add_argument("--only", action="append")
    arguments = parser.parse_args()
    peers = [peer for peer in PEERS if not arguments.only or peer in arguments.only]
    quiet()
    table = table_of(arguments.table)
    if not table.ordered:
        peers = [peer for peer in peers if "ordered" not in peer]
    if arguments.pace:
        points = [int(point) for point in arguments.pace.split(",")]
        json.dump({peer: pace(table, peer, points) for peer in peers}, sys.stdout)
        return
    budgets = [int(budget) for budget in arguments.budgets.split(",")]
    results = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for peer in peers:
            tasks = [(arguments.table, peer, seed, arguments.queries, budgets) for seed in range(arguments.seeds)]
            runs = list(pool.map(task, tasks, chunksize=4))
            results[peer] = {
                "regrets": [[run[0][place] for run in runs] for place in range(len(budgets))],
                "ms": sum(run[1] for run in runs) / len(runs),
            }
            print(f"{peer}: done", file=sys.stderr)
    json.dump({"budgets": budgets, "peers": results}, sys.stdout)


if __name__ == "__main__":
    main()
