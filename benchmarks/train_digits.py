"""Train the digits network that the package ships, and record how it was trained and what pruning costs it.

    python benchmarks/train_digits.py [--out FOLDER] [--calibration-only]

Writes digits.safetensors (float32, weights as (out, in)), digits.json, and digits_calibration.safetensors: what enters
each layer on some of the training images, and digits_images.npz, the images themselves. ``--calibration-only`` writes
the last two for the weights that are there. The data are scikit-learn's: 1,797 images of
8 x 8 pixels (Alpaydin & Kaynak 1998, UCI "Optical Recognition of Handwritten Digits"), part of its installation.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import sklearn
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from entrenar_viz.masks.mask import prune_mask

SEED = 1710
HIDDEN = (128, 64)
SPARSITIES = (0.5, 0.8, 0.9)
IMAGES = 128  # of the calibration: as many as the widest layer has inputs
SAMPLES = Path(__file__).resolve().parent.parent / "entrenar_viz" / "models" / "sample_data"
Layers = dict[str, NDArray[np.float32]]


def data() -> list[NDArray[np.float64]]:
    """x_train, x_test, y_train, y_test; pixels 0 to 1, a quarter held out, classes in equal shares."""
    x, y = load_digits(return_X_y=True)
    return train_test_split(x / 16, y, test_size=0.25, random_state=SEED, stratify=y)


def layers_of(network: MLPClassifier) -> Layers:
    named: Layers = {}
    for i, (weight, bias) in enumerate(zip(network.coefs_, network.intercepts_, strict=True), 1):
        named[f"fc{i}.weight"] = np.ascontiguousarray(weight.T, np.float32)
        named[f"fc{i}.bias"] = bias.astype(np.float32)
    return named


def entering(layers: Layers, x: NDArray[np.float64]) -> list[NDArray[np.float32]]:
    """What enters each of the three layers on ``x`` (images, 64), and what leaves the last one."""
    passed = [x.astype(np.float32)]
    for i in (1, 2, 3):
        out = passed[-1] @ layers[f"fc{i}.weight"].T + layers[f"fc{i}.bias"]
        passed.append(np.maximum(out, 0) if i < 3 else out)
    return passed


def accuracy(layers: Layers, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return round(float(np.mean(entering(layers, x)[-1].argmax(axis=1) == y)), 4)


def calibration(layers: Layers, x_train: NDArray[np.float64]) -> Layers:
    """The inputs of each layer, by the name of its weights, on the first images of the training set, which is mixed."""
    return {f"fc{i}.weight": values for i, values in enumerate(entering(layers, x_train[:IMAGES])[:3], 1)}


def pruned(layers: Layers, sparsity: float) -> Layers:
    """Each weight matrix by itself to ``sparsity``, by magnitude, with no training after it."""
    return {
        name: values * prune_mask(values, sparsity) if name.endswith("weight") else values
        for name, values in layers.items()
    }


def write(tensors: Layers, path: Path, metadata: dict[str, str]) -> None:
    save_file(tensors, path, metadata=metadata)
    path.chmod(0o644)  # safetensors makes it private, and a wheel would keep that


def write_calibration(out: Path, layers: Layers, x_train: NDArray[np.float64]) -> None:
    what = f"inputs of each layer on {IMAGES} training images of sklearn.datasets.load_digits, pixels / 16"
    write(calibration(layers, x_train), out / "digits_calibration.safetensors", {"holds": what})


def write_images(out: Path) -> None:
    x_train, x_test, y_train, y_test = data()
    named = {"x_train": 16 * x_train, "y_train": y_train, "x_test": 16 * x_test, "y_test": y_test}
    np.savez_compressed(out / "digits_images.npz", **{name: values.astype(np.uint8) for name, values in named.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=SAMPLES, help="folder to write to")
    parser.add_argument("--calibration-only", action="store_true", help="train nothing, use the weights of that folder")
    arguments = parser.parse_args()
    if arguments.calibration_only:
        write_calibration(arguments.out, load_file(arguments.out / "digits.safetensors"), data()[0])
    else:
        train(arguments.out)
    write_images(arguments.out)


def train(out: Path) -> None:
    x_train, x_test, y_train, y_test = data()
    network = MLPClassifier(HIDDEN, alpha=1e-3, max_iter=300, random_state=SEED).fit(x_train, y_train)
    layers = layers_of(network)
    record = {
        "data": "sklearn.datasets.load_digits, pixels / 16",
        "images": {"train": len(x_train), "test": len(x_test)},
        "trained_by": f"sklearn {sklearn.__version__} MLPClassifier, ReLU, Adam, alpha 0.001",
        "script": "benchmarks/train_digits.py",
        "seed": SEED,
        "epochs": network.n_iter_,
        "sizes": [64, *HIDDEN, 10],
        "weights": sum(values.size for name, values in layers.items() if name.endswith("weight")),
        "test_accuracy": accuracy(layers, x_test, y_test),
        "test_accuracy_pruned_without_fine_tuning": {
            str(sparsity): accuracy(pruned(layers, sparsity), x_test, y_test) for sparsity in SPARSITIES
        },
    }
    write(layers, out / "digits.safetensors", {"trained_by": record["trained_by"]})
    write_calibration(out, layers, x_train)
    (out / "digits.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
