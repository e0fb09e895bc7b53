"""Spearman's rank correlation, for the scripts of several folders."""
import random


def ranks(values):
    """Mean ranks, from 0: equal values share theirs."""
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
    """The correlation of two lists; 0 where one of them has a single value."""
    a, b = ranks(a), ranks(b)
    mean = (len(a) - 1) / 2
    product = lambda x, y: sum((i - mean) * (j - mean) for i, j in zip(x, y))
    spread = (product(a, a) * product(b, b)) ** 0.5
    return product(a, b) / spread if spread else 0.0


def interval(a, b):
    """Between what 95 % of a thousand resamples stand, such as `0.61 to 0.93`."""
    draw = random.Random(1)
    found = []
    for _ in range(1000):
        picks = [draw.randrange(len(a)) for _ in a]
        found.append(spearman([a[i] for i in picks], [b[i] for i in picks]))
    found.sort()
    return f"{found[25]:.2f} to {found[974]:.2f}"
