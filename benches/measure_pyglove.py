"""Measures PyGlove on the space of `nasnet.ron`: random samples materialised, mutations, and rebinds a second, on one core.

Run by `cargo bench --bench symbolic`; by hand: `python3 benches/measure_pyglove.py SECONDS`. Prints one JSON object.
"""

import json
import random
import sys
import time

import pyglove as pg
from pyglove.ext.evolution import mutators


@pg.members([("kernel", pg.typing.Int(min_value=1))])
class Kernel(pg.Object):
    """An op with a kernel."""


class Conv(Kernel): ...
class FactorizedConv(Kernel): ...
class DilConv(Kernel): ...
class AvgPool(Kernel): ...
class MaxPool(Kernel): ...
class SepConv(Kernel): ...
class SkipConnect(pg.Object): ...


OPS = (SkipConnect, Kernel)


@pg.members([
    ("input", pg.typing.Int(min_value=0, max_value=5)),
    ("op", pg.typing.Union([pg.typing.Object(op) for op in OPS])),
])
class Branch(pg.Object): ...


@pg.members([("left", pg.typing.Object(Branch)), ("right", pg.typing.Object(Branch))])
class Block(pg.Object): ...


@pg.members([("blocks", pg.typing.List(pg.typing.Object(Block), min_size=1))])
class Cell(pg.Object): ...


@pg.members([
    ("cell", pg.typing.Object(Cell)),
    ("reduction", pg.typing.Object(Cell)),
    ("repeats", pg.typing.Int(min_value=1)),
    ("channels", pg.typing.Int(min_value=1)),
])
class Stacked(pg.Object): ...


@pg.members([
    ("learning_rate", pg.typing.Float(min_value=0.0, default=0.1)),
    ("weight_decay", pg.typing.Float(min_value=0.0, default=5e-4)),
    ("batch", pg.typing.Int(min_value=1, default=64)),
    ("label_smoothing", pg.typing.Float(min_value=0.0, default=0.0)),
    ("drop_path", pg.typing.Float(min_value=0.0, default=0.0)),
])
class Training(pg.Object): ...


@pg.members([
    ("classes", pg.typing.Int(min_value=1)),
    ("architecture", pg.typing.Object(Stacked)),
    ("training", pg.typing.Object(Training)),
])
class Candidate(pg.Object): ...


def op():
    ops = [SkipConnect(), Conv(1), Conv(3), FactorizedConv(3), FactorizedConv(7), DilConv(3), AvgPool(3)]
    return pg.oneof(ops + [pool(kernel) for pool in (MaxPool, SepConv) for kernel in (3, 5, 7)])


def cell():
    def branch(block):
        return Branch(input=pg.oneof(list(range(block + 2))), op=op())

    return Cell(blocks=[Block(left=branch(block), right=branch(block)) for block in range(5)])


def space():
    stacked = Stacked(
        cell=cell(), reduction=cell(), repeats=pg.oneof([2, 4, 6]), channels=pg.oneof([24, 32, 44])
    )
    return Candidate(classes=10, architecture=stacked, training=Training())


def rate(seconds, work):
    """How often `work` runs in a second of CPU time."""
    count, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        work(count)
        count += 1
    return count / (time.process_time() - start)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    spec = pg.dna_spec(space())
    template = pg.template(space())
    assert len(spec.decision_points) == 42, len(spec.decision_points)
    rng = random.Random(1)
    parent = pg.random_dna(spec, rng)
    mutator = mutators.Uniform(seed=1)
    program = template.decode(parent)
    print(json.dumps({
        "version": pg.__version__,
        "python": sys.version.split()[0],
        "decisions": len(spec.decision_points),
        "samples_per_second": rate(seconds, lambda _: template.decode(pg.random_dna(spec, rng))),
        "mutations_per_second": rate(seconds, lambda _: mutator.mutate(parent)),
        "rebinds_per_second": rate(
            seconds, lambda count: program.rebind({"architecture.channels": 16 + count % 64})
        ),
    }))


main()
