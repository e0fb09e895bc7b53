"""Trains a perceptron of scikit-learn on the handwritten digits: one trial of sklearn_mlp.ron."""
import json
import sys
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

told = json.load(sys.stdin)
setting = told["program"]
pictures, labels = load_digits(return_X_y=True)
train, validation, train_labels, validation_labels = train_test_split(
    pictures / 16, labels, test_size=0.25, random_state=0, stratify=labels)
network = MLPClassifier(
    hidden_layer_sizes=setting["layers"], activation=setting["activation"].lower(),
    learning_rate_init=setting["learning_rate"], alpha=setting["decay"], batch_size=setting["batch"],
    random_state=told["seed"] % 2**32)
for epoch in range(1, told["fidelity"] + 1):
    network.partial_fit(train, train_labels, classes=range(10))
    accuracy = network.score(validation, validation_labels)
    print(json.dumps({"fidelity": epoch, "accuracy": accuracy, "loss": network.loss_}), flush=True)
