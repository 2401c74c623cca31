"""The explorer's picture, three curves and three masks of 128 x 64 weights, drawn by matplotlib in the kernel.

A strip along the lower edge tells the browser by its colour which value the picture shows.
"""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from entrenar_viz import Cubic, Gradual, OneShot

SIZE = (8.0, 6.2)  # inches at 100 dots each: about the canvas of the explorer
TOTAL_STEPS, START, EVERY = 10_000, 3000, 50
WINDOW = {"start_step": 1000, "end_step": 5000, "final_sparsity": 0.5}
SCHEDULES = {
    "OneShot": OneShot(step=2000),
    "Gradual": Gradual(**WINDOW, initial_sparsity=0.0, frequency=500),
    "Cubic": Cubic(**WINDOW),
}
WEIGHTS = np.abs(np.random.default_rng(0).standard_normal((128, 64), np.float32))
SORTED = np.sort(WEIGHTS, axis=None)


def mask(sparsity: float) -> np.ndarray:
    """What is kept, 128 x 64."""
    return SORTED[min(int(sparsity * SORTED.size), SORTED.size - 1)] <= WEIGHTS


def sparsities(cursor: int) -> list[float]:
    """What the three schedules ask for; OneShot prunes to the target of the others."""
    asked = [float(schedule.sparsity_at_step(cursor)) for schedule in SCHEDULES.values()]
    return [0.5 * asked[0], *asked[1:]]


def draw(figure: Figure, cursor: int) -> Callable[[int], None]:
    """Draw the picture at ``cursor``; the answer moves it to another one without drawing the axes anew."""
    figure.set_size_inches(SIZE)
    figure.set_dpi(100)
    figure.subplots_adjust(hspace=0.4)
    steps = np.linspace(0, TOTAL_STEPS, 400).astype(int)
    plot = figure.add_subplot(2, 1, 1, xlim=(0, TOTAL_STEPS), ylim=(0, 1), xlabel="training step", ylabel="sparsity")
    for name, curve in zip(SCHEDULES, np.array([sparsities(int(step)) for step in steps]).T, strict=True):
        plot.plot(steps, curve, label=name)
    plot.legend()
    line = plot.axvline(cursor, color="black")
    axes = [figure.add_subplot(2, 3, 4 + i) for i in range(3)]
    images = [axis.imshow(mask(0.0), vmin=0, vmax=1, cmap="gray_r") for axis in axes]
    strip = figure.add_artist(Rectangle((0, 0), 1, 0.01, transform=figure.transFigure, antialiased=False))

    def move(cursor: int) -> None:
        line.set_xdata([cursor, cursor])
        for name, axis, image, sparsity in zip(SCHEDULES, axes, images, sparsities(cursor), strict=True):
            axis.set_title(f"{name} {100 * sparsity:.2f}%")
            image.set_data(mask(sparsity))
        strip.set_facecolor((200 / 255, 1 / 255, cursor // EVERY / 255))

    move(cursor)
    return move
