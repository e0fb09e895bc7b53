"""Random and hostile cases with the numbers that the field's own tools give for them, as JSON on standard output.

    python3 reference.py SEED > cases.json

Boxes: pycocotools 2.0.11 (Lin, Dollar et al., https://github.com/cocodataset/cocoapi, BSD-2-Clause), all twelve numbers of
`COCOeval.summarize`, -1 where there is nothing to measure; and masks of its polygons. Pixels, depth and normals: the
formulas of the papers, in numpy. `cases.json` beside this file is what seed 0 gives.
"""

import contextlib
import io
import json
import sys

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

SIZE = 640


def box(random, largest):
    size = np.exp(random.uniform(np.log(4), np.log(largest), 2))
    corner = random.uniform(0, SIZE - size)
    return [float(round(number, 2)) for number in (*corner, *size)]


def near(random, truth, spread):
    left, top, width, height = truth["bbox"]
    shift = random.normal(0, spread, 4)
    width, height = max(1.0, width * (1 + shift[2])), max(1.0, height * (1 + shift[3]))
    return [float(round(n, 2)) for n in (left + shift[0] * width, top + shift[1] * height, width, height)]


def scene(random, classes, pictures, truths, founds, crowd=0.0, tie=False, largest=400, other_area=False):
    """Pictures with annotated boxes and with found ones, many of them close to an annotated one."""
    truth, found = [], []
    for picture in range(pictures):
        here = []
        for _ in range(random.integers(truths[0], truths[1] + 1)):
            bbox = box(random, largest)
            area = bbox[2] * bbox[3] * (random.uniform(0.3, 1.0) if other_area else 1.0)
            here.append({"picture": picture, "class": int(random.integers(classes)), "bbox": bbox,
                         "area": area, "crowd": bool(random.random() < crowd)})
        truth += here
        for _ in range(random.integers(founds[0], founds[1] + 1)):
            if here and random.random() < 0.75:
                target = here[random.integers(len(here))]
                bbox, kind = near(random, target, random.choice([0.02, 0.08, 0.2])), target["class"]
                kind = kind if random.random() < 0.9 else int(random.integers(classes))
            else:
                bbox, kind = box(random, largest), int(random.integers(classes))
            score = float(random.choice([0.25, 0.5, 0.75])) if tie else float(random.random())
            found.append({"picture": picture, "class": kind, "bbox": bbox, "score": score})
    return {"classes": classes, "pictures": pictures, "truth": truth, "found": found}


def measured(case):
    """The twelve numbers of COCO."""
    coco = COCO()
    coco.dataset = {
        "info": {},
        "images": [{"id": i + 1, "width": SIZE, "height": SIZE} for i in range(case["pictures"])],
        "categories": [{"id": i + 1, "name": str(i)} for i in range(case["classes"])],
        "annotations": [
            {"id": i + 1, "image_id": t["picture"] + 1, "category_id": t["class"] + 1, "bbox": t["bbox"],
             "area": t["area"], "iscrowd": int(t["crowd"])}
            for i, t in enumerate(case["truth"])
        ],
    }
    coco.createIndex()
    found = [
        {"image_id": f["picture"] + 1, "category_id": f["class"] + 1, "bbox": f["bbox"], "score": f["score"]}
        for f in case["found"]
    ]
    if found:
        results = coco.loadRes(found)
    else:
        results = COCO()
        results.dataset = {**coco.dataset, "annotations": []}
        results.createIndex()
    evaluation = COCOeval(coco, results, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return [float(number) for number in evaluation.stats]


def detection(random):
    b = lambda *numbers: [float(n) for n in numbers]
    truth = lambda bbox, crowd=False, kind=0, picture=0: {
        "picture": picture, "class": kind, "bbox": bbox, "area": bbox[2] * bbox[3], "crowd": crowd}
    found = lambda bbox, score, kind=0, picture=0: {"picture": picture, "class": kind, "bbox": bbox, "score": score}
    case = lambda truth, found, pictures=1, classes=1: {
        "classes": classes, "pictures": pictures, "truth": truth, "found": found}
    one = b(10, 10, 100, 100)
    cases = {
        "random": scene(random, 4, 12, (0, 6), (0, 12)),
        "other areas": scene(random, 3, 10, (1, 6), (1, 10), other_area=True),
        "crowds": scene(random, 2, 10, (1, 6), (2, 12), crowd=0.4),
        "equal scores": scene(random, 2, 10, (1, 5), (2, 10), tie=True),
        "small": scene(random, 2, 10, (1, 6), (1, 10), largest=30),
        "more than a hundred": scene(random, 1, 2, (8, 12), (130, 150)),
        "no boxes at all": case([], []),
        "nothing found": case([truth(one)], []),
        "nothing there": case([], [found(one, 0.9)]),
        "all ignored": case([truth(one, crowd=True)], [found(one, 0.9), found(b(12, 12, 50, 50), 0.8)]),
        "a crowd takes many": case(
            [truth(b(0, 0, 300, 300), crowd=True), truth(one)],
            [found(b(20, 20, 40, 40), 0.9), found(b(30, 30, 40, 40), 0.8), found(one, 0.7)]),
        "overlap at the threshold": case([truth(b(0, 0, 100, 100))], [found(b(0, 0, 50, 100), 0.5)]),
        "one truth, found twice": case([truth(one)], [found(one, 0.5), found(one, 0.5), found(one, 0.6)]),
        "areas at their limits": case(
            [truth(b(0, 0, 32, 32)), truth(b(100, 100, 96, 96)), truth(b(300, 300, 96, 96.5))],
            [found(b(0, 0, 32, 32), 0.9), found(b(100, 100, 96, 96), 0.8), found(b(300, 300, 96, 97), 0.7)]),
        "empty boxes": case([truth(one)], [found(b(10, 10, 0, 100), 0.9), found(one, 0.1)]),
        "a class nobody has": case([truth(one)], [found(one, 0.9, kind=2), found(one, 0.8)], classes=4),
        "the better match is taken": case(
            [truth(one), truth(b(20, 20, 100, 100))],
            [found(b(14, 14, 100, 100), 0.9), found(b(15, 15, 100, 100), 0.8)]),
    }
    for name, content in cases.items():
        content["name"], content["stats"] = name, measured(content)
    return list(cases.values())


def polygons(random):
    cases = []
    for _ in range(12):
        width, height = int(random.integers(3, 40)), int(random.integers(3, 40))
        parts = [
            [float(round(n, 2)) for n in (random.uniform(0, 1, (int(random.integers(3, 9)), 2)) * (width, height)).ravel()]
            for _ in range(random.integers(1, 3))
        ]
        whole = masks.merge(masks.frPyObjects(parts, height, width))
        plane = masks.decode(whole)
        flat = plane.T.ravel()
        ends = np.flatnonzero(np.diff(flat)) + 1
        runs = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
        cases.append({"width": width, "height": height, "polygons": parts, "letters": whole["counts"].decode(),
                      "runs": ([0] if flat[0] else []) + runs, "area": int(masks.area(whole))})
    return cases


def segmentation(random):
    cases = []
    for classes, ignored, seen in ((4, 0.1, 4), (7, 0.0, 7), (5, 0.3, 3), (3, 1.0, 3)):
        truth = random.integers(0, seen, (3, 40))
        found = np.where(random.random(truth.shape) < 0.6, truth, random.integers(0, seen, truth.shape))
        truth = np.where(random.random(truth.shape) < ignored, 65535, truth)
        table = np.zeros((classes, classes))
        for t, f in zip(truth[truth != 65535], found[truth != 65535]):
            table[t, f] += 1
        hit, union = np.diag(table), table.sum(0) + table.sum(1) - np.diag(table)
        known = union > 0
        cases.append({"classes": classes, "truth": truth.tolist(), "found": found.tolist(),
                      "mean_iou": float((hit[known] / union[known]).mean()) if known.any() else None,
                      "accuracy": float(hit.sum() / table.sum()) if table.sum() else None})
    return cases


def depth(random):
    cases = []
    for holes in (0.0, 0.3):
        truth = random.uniform(0.5, 10, 120)
        found = truth * random.normal(1, 0.2, 120) + random.normal(0, 0.1, 120)
        found = np.maximum(found, 0.05)
        known = random.random(120) >= holes
        t, f = truth[known], found[known]
        ratio = np.maximum(t / f, f / t)
        scale, shift = np.linalg.lstsq(np.stack([f, np.ones_like(f)], 1), t, rcond=None)[0]
        cases.append({"truth": [float(v) if k else None for v, k in zip(truth, known)], "found": found.tolist(),
                      "rmse": float(np.sqrt(((t - f) ** 2).mean())), "relative": float((np.abs(t - f) / t).mean()),
                      "delta": [float((ratio < 1.25**power).mean()) for power in (1, 2, 3)],
                      "scale": float(scale), "shift": float(shift)})
    return cases


def normals(random):
    unit = lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cases = []
    for spread in (0.1, 0.5):
        truth = unit(random.normal(size=(90, 3)))
        found = truth + random.normal(0, spread, truth.shape)
        angles = np.degrees(np.arccos(np.clip((unit(found) * truth).sum(1), -1, 1)))
        cases.append({"truth": truth.tolist(), "found": found.tolist(), "mean": float(angles.mean()),
                      "within": [float((angles < limit).mean()) for limit in (11.25, 22.5, 30)]})
    return cases


def main():
    random = np.random.default_rng(int(sys.argv[1]))
    with contextlib.redirect_stdout(io.StringIO()):
        cases = {"detection": detection(random), "polygons": polygons(random), "segmentation": segmentation(random),
                 "depth": depth(random), "normals": normals(random)}
    json.dump(cases, sys.stdout, separators=(",", ":"))


main()
