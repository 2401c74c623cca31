"""The pictures of the documents: taken where ENTRENAR_VIZ_PICTURES names the folder to keep them in."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        "ENTRENAR_VIZ_PICTURES" not in os.environ, reason="ENTRENAR_VIZ_PICTURES names no folder for them"
    ),
]
IMPORTS = """
import numpy as np
from entrenar_viz import NM, Cubic, Explorer, Gradual, PruningConfig, sample, sample_calibration
"""
CALIBRATED = """
cubic = Cubic(start_step=1000, end_step=6000, final_sparsity=0.8)
config = PruningConfig(method="wanda", target_sparsity=0.8, schedule=cubic)
network = {"weights": sample("digits network"), "calibration": sample_calibration("digits network")}
explorer = Explorer(config, **network)
"""
LARGE = """
missed = Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=300)
layer = np.random.default_rng(0).standard_t(3, (768, 1024)).astype("f4")
explorer = Explorer(PruningConfig(schedule=missed), weights={"q_proj": layer})
"""
PATTERNS = "explorer.preview.masks_of.value = explorer.preview.masks_of.options[1][1]"


@pytest.mark.parametrize(
    ("name", "cell", "panels"),
    [
        ("masks", CALIBRATED, 3),
        ("large-layer", LARGE, 3),
        ("patterns", CALIBRATED + PATTERNS, 5),
    ],
)
def test_the_picture_shows_plot_masks_and_scores(open_notebook, tmp_path, name, cell, panels):
    notebook = open_notebook(f"{IMPORTS}{cell}\nexplorer", height=2000, scale=1.5)
    notebook.wait(f"drawn.panels.length === {panels} && drawn.panels.some((panel) => panel.got > 0)")
    if name == "large-layer":
        notebook.wait("drawn.window !== null")
    notebook.page.mouse.move(0, 0)
    shot = notebook.page.locator(".entrenar-viz-canvas").first.screenshot()
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    assert len(picture.getcolors(1 << 24)) > 100
    path = Path(os.environ.get("ENTRENAR_VIZ_PICTURES", tmp_path)) / f"{name}.png"
    picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(path, optimize=True)
    assert notebook.errors == []
    assert notebook.python("len(explorer.errors)") == 0
