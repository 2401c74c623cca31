"""The package as a whole: its public names, and what importing it does not load."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import entrenar_viz

PROMISED = {
    *("OneShot", "Gradual", "Cubic", "PruningConfig", "ConfigError", "Unstructured", "NM", "Block", "Row", "Column"),
    *("replay", "review", "recommend", "prune_mask", "load_calibration", "schedule_figure", "mask_figure", "Explorer"),
    *("as_python", "as_rust", "as_markdown", "compare", "Pin", "Session", "Training"),
}
FRAMEWORKS = ("torch", "onnx", "h5py", "jax")
HEAVY = (
    "matplotlib",
    "ipywidgets",
    "anywidget",
    "traitlets",
    "IPython",
    "safetensors",
    "ml_dtypes",
    "scipy",
    *FRAMEWORKS,
)


def loaded_after(code):
    """Those of HEAVY that a fresh interpreter has loaded after ``code``."""
    ask = f"{code}; import json, sys; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    return json.loads(subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True).stdout)


def test_all_public_names_are_there():
    assert set(entrenar_viz.__all__) >= PROMISED
    assert len(set(entrenar_viz.__all__)) == len(entrenar_viz.__all__)
    for name in entrenar_viz.__all__:
        assert getattr(entrenar_viz, name) is not None


def test_the_import_loads_nothing_heavy():
    assert loaded_after("import entrenar_viz") == []


def test_working_with_configurations_loads_nothing_heavy_either():
    assert loaded_after("from entrenar_viz import recommend, review; review(recommend(0.8).config, 10_000)") == []


def test_heavy_names_load_on_first_use():
    assert loaded_after("from entrenar_viz import schedule_figure") == ["matplotlib"]


def test_the_version_is_the_one_installed():
    assert entrenar_viz.__version__ == version("entrenar-viz")


def test_dir_lists_what_is_not_loaded_yet():
    ask = "import entrenar_viz; print('Explorer' in dir(entrenar_viz), 'Explorer' in vars(entrenar_viz))"
    out = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True).stdout
    assert out.split() == ["True", "False"]
    assert set(dir(entrenar_viz)) >= set(entrenar_viz.__all__)


def test_no_module_is_named_like_a_public_name():
    """Python binds a module to its name in its package: it would take the place of the public function."""
    modules = {path.stem for path in Path(entrenar_viz.__file__).parent.rglob("*.py")}
    assert modules & set(entrenar_viz.__all__) == set()
    assert {"pin", "updates", "whole_model"} <= modules


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No entrenar_viz attribute Explored"):
        _ = entrenar_viz.Explored
