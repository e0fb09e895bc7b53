"""Trains a softmax classifier on the handwritten digits, in plain Python: one trial of perceptron.ron."""
import csv, gzip, json, math, random, sys

told = json.load(sys.stdin)
setting, epochs = told["program"], told["fidelity"]
random.seed(told["seed"])
with gzip.open("src/data/digits.csv.gz", "rt") as file:
    rows = [[int(cell) for cell in row] for row in csv.reader(file)]
pictures = [([pixel / 16 for pixel in row[:-1]] + [1.0], row[-1]) for row in rows[:600]]
train, validation = pictures[:400], pictures[400:]
weights = [[0.0] * 65 for _ in range(10)]
def scores(pixels):
    return [sum(w * x for w, x in zip(row, pixels)) for row in weights]
for epoch in range(1, epochs + 1):
    random.shuffle(train)
    for pixels, label in train:
        exps = [math.exp(min(score, 500)) for score in scores(pixels)]
        for digit, row in enumerate(weights):
            step = setting["learning_rate"] * ((digit == label) - exps[digit] / sum(exps))
            weights[digit] = [w * (1 - setting["decay"]) + step * x for w, x in zip(row, pixels)]
    right = sum(max(range(10), key=scores(pixels).__getitem__) == label for pixels, label in validation)
    print(json.dumps({"epoch": epoch, "fidelity": epoch, "accuracy": right / len(validation)}), flush=True)
