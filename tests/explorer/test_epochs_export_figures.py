"""Counting in epochs, taking the configuration away in a language, keeping figures: without a browser."""

import base64
from unittest.mock import patch

import numpy as np
import pytest

from entrenar_viz import ConfigError, EntrenarVizError, Explorer, PruningConfig, Training, WeightsError, load_weights
from entrenar_viz.explorer.answer import counted
from entrenar_viz.explorer.controls.settings import Settings
from entrenar_viz.explorer.on_screen import masks_drawn
from entrenar_viz.explorer.panels.figure import MEDIA
from entrenar_viz.explorer.preview import mask_request
from entrenar_viz.export.markdown import as_markdown
from entrenar_viz.export.source_code import as_python, as_rust
from entrenar_viz.figures.saving import png_bytes
from entrenar_viz.models.allowed_folder import AllowedFolder
from tests.explorer.hands import answer, press, put, show_tab, tell

TRAINING = Training(dataset_size=50_000, batch_size=64, gradient_accumulation=4, drop_last=True, epochs=30)
MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def linked(html):
    """The bytes behind a link for download."""
    return base64.b64decode(html.split("base64,")[1].split('"')[0])


# Counting in epochs ---------------------------------------------------------------------------------------------------


def test_a_training_sets_total_steps_and_the_axis(explorer):
    explorer.training = TRAINING
    assert (explorer.training, explorer.total_steps) == (TRAINING, TRAINING.total_steps)
    assert answer(explorer)["steps_per_epoch"] == TRAINING.steps_per_epoch
    explorer.training = None
    assert (explorer.training, explorer.total_steps) == (None, TRAINING.total_steps)
    assert answer(explorer)["steps_per_epoch"] == 0


def test_total_steps_follow_each_of_the_numbers():
    settings = Settings()
    assert counted(settings) == "782 steps an epoch, 7,820 in all. Not in use: total steps were set by themselves"
    for name, value, steps in [
        ("epochs", 3, 3 * 782),
        ("dataset_size", 1000, 3 * 16),
        ("batch_size", 300, 3 * 4),
        ("gradient_accumulation", 3, 3 * 4),
        ("epochs", 100, 100 * 4),
    ]:
        settings = settings.changed({name: value})
        assert settings.in_epochs
        assert settings.total_steps == settings.training.total_steps == steps
    assert counted(settings) == "4 steps an epoch, 400 in all; the optimizer makes 200"
    settings = settings.changed({"drop_last": True})
    assert settings.training.total_steps == settings.total_steps == 300
    assert counted(settings) == "3 steps an epoch, 300 in all; the optimizer makes 100"


def test_total_steps_that_are_set_otherwise_end_the_counting(explorer):
    explorer.training = TRAINING
    put(explorer, total_steps=9000, in_epochs=False)
    assert (explorer.training, explorer.total_steps) == (None, 9000)
    assert Settings().counting(TRAINING).changed({"total_steps": 9000}).training is None
    explorer.training = TRAINING
    explorer.load(explorer.config, TRAINING.total_steps)
    assert explorer.training == TRAINING
    explorer.load(explorer.config, 7777)
    assert (explorer.training, explorer.total_steps) == (None, 7777)


def test_numbers_that_make_no_training_block_nothing_else(explorer):
    explorer.training = TRAINING
    for wrong, said in (
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"batch_size": 60_000}, "leaves no batch"),
        ({"batch_size": 64, "epochs": 2**50}, "a browser cannot count that far"),
    ):
        put(explorer, **wrong)
        assert said in answer(explorer)["counted"]
        assert (explorer.training, explorer.problems) == (None, ())
        assert explorer.total_steps == TRAINING.total_steps
    put(explorer, epochs=30)
    assert explorer.training == TRAINING


def test_a_training_that_a_browser_cannot_count_is_refused(explorer):
    with pytest.raises(ConfigError, match="dataset_size: is above"):
        explorer.training = Training(dataset_size=2**53, batch_size=1, epochs=1)
    assert explorer.training is None


def test_an_entry_that_was_not_understood_is_replaced():
    explorer = Explorer()
    tell(explorer, unread={"epochs": "“x” is no whole number"})
    explorer.training = TRAINING
    assert explorer._parts.live.settings["unread"] == {}


def test_an_explorer_starts_with_a_training():
    explorer = Explorer(training=TRAINING)
    assert (explorer.training, explorer.total_steps) == (TRAINING, TRAINING.total_steps)
    assert Explorer(PruningConfig(), training=TRAINING, total_steps=TRAINING.total_steps).training == TRAINING
    with pytest.raises(EntrenarVizError, match="leave one of them out"):
        Explorer(training=TRAINING, total_steps=10_000)


# Copying --------------------------------------------------------------------------------------------------------------


def choose(explorer, name):
    press(explorer, "language", name=name)


def test_each_language_is_written_as_the_library_writes_it(explorer):
    texts = {
        "JSON": lambda: PruningConfig.to_json(explorer.config),
        "YAML": lambda: PruningConfig.to_yaml(explorer.config),
        "Python": lambda: as_python(explorer.config),
        "Rust": lambda: as_rust(explorer.config),
        "Markdown": lambda: as_markdown(explorer.config, explorer.total_steps),
    }
    for name, write in texts.items():
        choose(explorer, name)
        assert answer(explorer)["exported"]["text"] == write()
        put(explorer, target=0.4 + len(name) / 100)
        assert answer(explorer)["exported"]["text"] == write()
    put(explorer, total_steps=8000)
    assert "8,000" in answer(explorer)["exported"]["text"]


def test_the_file_has_the_name_of_its_language(explorer):
    show_tab(explorer, "Export & import")
    exporting = explorer._parts.exchange.exporting
    path = exporting.saving.path
    files = {"YAML": "pruning.yaml", "Python": "pruning.py", "Rust": "pruning.rs", "Markdown": "pruning.md"}
    for name, file in files.items():
        choose(explorer, name)
        assert path.value == file
        exported = answer(explorer)["exported"]
        assert (exported["language"], exported["file"]) == (name, file)
        assert f'download="{file}"' in exporting.download.link.value
        assert linked(exporting.download.link.value).decode() == exported["text"] == exporting.text.value
    choose(explorer, "YAML")
    path.value = " a.b/mine.YML"
    choose(explorer, "JSON")
    assert path.value == "a.b/mine.json"
    path.value = "mine.txt"
    choose(explorer, "Rust")
    assert path.value == "mine.txt"


def test_only_the_chosen_language_is_written_and_one_message_sent():
    explorer = Explorer()
    assert explorer._parts.root.model_id
    assert PruningConfig.from_json(answer(explorer)["exported"]["text"]) == explorer.config
    with (
        patch.object(explorer._parts.live, "_send") as sent,
        patch("entrenar_viz.export.markdown.replay", side_effect=AssertionError("a report was made")),
    ):
        put(explorer, target=0.6)
    assert sent.call_count == 1
    assert set(sent.call_args.args[0]["state"]) == {"settings", "answer"}
    assert explorer.errors == []


def test_what_is_exported_is_saved_and_waits_for_problems(explorer, tmp_path):
    show_tab(explorer, "Export & import")
    exporting, path = explorer._parts.exchange.exporting, tmp_path / "mine.json"
    saving = exporting.saving
    saving.path.value = str(path)
    choose(explorer, "Rust")
    saving.save.click()
    saved = tmp_path / "mine.rs"
    assert saved.read_text() == as_rust(explorer.config)
    saving.save.click()
    assert "exists already" in exporting.status.value
    put(explorer, target=0.9)
    saving.overwrite.click()
    assert saved.read_text() == as_rust(explorer.config)
    put(explorer, start_step=5000, end_step=5000)
    assert saving.save.disabled
    choose(explorer, "Markdown")
    assert answer(explorer)["exported"]["text"] == as_markdown(explorer.config, explorer.total_steps)
    assert saving.save.disabled


def test_of_json_and_yaml_the_path_says_which_is_saved(explorer, tmp_path):
    show_tab(explorer, "Export & import")
    saving = explorer._parts.exchange.exporting.saving
    for chosen, name, text in [
        ("JSON", "a.yaml", explorer.config.to_yaml()),
        ("JSON", "a.yml", explorer.config.to_yaml()),
        ("YAML", "b.json", explorer.config.to_json()),
        ("YAML", "b.YAML", explorer.config.to_yaml()),
    ]:
        choose(explorer, chosen)
        saving.path.value = str(tmp_path / name)
        saving.save.click()
        assert (tmp_path / name).read_text() == text
    choose(explorer, "Rust")
    saving.path.value = str(tmp_path / "c.yaml")
    saving.save.click()
    assert "Rust goes to a file that ends in .rs, for example c.rs" in explorer._parts.exchange.exporting.status.value
    assert not (tmp_path / "c.yaml").exists()


# Keeping figures ------------------------------------------------------------------------------------------------------


def test_the_schedule_is_drawn_as_it_is_on_the_screen(explorer):
    put(explorer, cursor=4000, target=0.7)
    axes = explorer.figure().axes[0]
    labels = [line.get_label() for line in axes.lines]
    assert {"Gradual", "OneShot", "Cubic", "applied", "target", "cursor"} <= set(labels)
    assert axes.lines[labels.index("cursor")].get_xdata().tolist() == [4000, 4000]
    assert axes.lines[labels.index("target")].get_ydata()[0] == np.float32(0.7)
    dark = explorer.figure(theme="dark").get_facecolor()
    assert dark != explorer.figure().get_facecolor()


def test_masks_are_drawn_alike_from_both_views():
    views = [Explorer(view=view) for view in ("canvas", "matplotlib")]
    for masks_of in ("schedules", "patterns"):
        for explorer in views:
            explorer._parts.masks.masks_of.value = masks_of
        one, other = (png_bytes(explorer.figure("masks")) for explorer in views)
        assert one == other


def test_the_layer_on_the_screen_is_not_sorted_again():
    explorer = Explorer()
    with patch("entrenar_viz.masks.order.prune_order", side_effect=AssertionError("sorted again")):
        panels = explorer.figure("masks").axes
    assert [axes.get_title() for axes in panels[:3]] == ["OneShot", "Gradual", "Cubic"]
    explorer._parts.masks.masks_of.value = "patterns"
    with patch("entrenar_viz.masks.order.prune_order", side_effect=WeightsError("not sorted")) as sorted_again:
        explorer.figure("masks")
    assert sorted_again.call_count == 4


def test_patterns_are_drawn_where_the_own_one_does_not_fit():
    explorer = Explorer(weights=np.arange(35.0).reshape(5, 7))
    put(explorer, pattern="block")
    with pytest.raises(WeightsError, match="No mask"):
        explorer.figure("masks")
    explorer._parts.masks.masks_of.value = "patterns"
    titles = [axes.get_title() for axes in explorer.figure("masks").axes]
    assert len([title for title in titles if title]) == 5


def test_the_name_of_a_layer_is_text_in_a_figure():
    explorer = Explorer(weights={r"$\frac{ \ud800 層": np.eye(8)})
    header = explorer.figure("masks").texts[0].get_text()
    assert r"$\frac{ \ud800 ?, unstructured, by magnitude" in header
    assert png_bytes(explorer.figure("masks"))[:4] == MAGIC[".png"]


def test_a_figure_is_refused_with_the_reason(explorer):
    with pytest.raises(EntrenarVizError, match="use one of schedule, masks"):
        explorer.figure("all")
    with pytest.raises(EntrenarVizError, match="theme"):
        explorer.figure(theme="blue")
    with pytest.raises(WeightsError, match="no layer is ready"):
        masks_drawn(explorer._parts.state.settings, explorer.config, None)
    put(explorer, start_step=5000, end_step=5000)
    with pytest.raises(ConfigError, match="nothing was drawn"):
        explorer.figure()
    explorer._parts.figures.prepare.click()
    assert "nothing was drawn" in explorer._parts.figures.status.value
    assert explorer._parts.figures.download.link.value == ""


@pytest.mark.parametrize("suffix", MAGIC)
def test_a_figure_is_made_for_download_when_asked_for(explorer, suffix):
    keeping = explorer._parts.figures
    keeping.format.value = suffix
    for what in ("schedule", "masks"):
        keeping.what.value = what
        assert keeping.download.link.value == ""
        keeping.prepare.click()
        assert f'download="{what}{suffix}" href="data:{MEDIA[suffix]}' in keeping.download.link.value
        assert linked(keeping.download.link.value).startswith(MAGIC[suffix])


def test_a_link_goes_when_the_screen_changes(explorer):
    keeping = explorer._parts.figures
    for changes in ({"cursor": 77}, {"target": 0.6}, {"total_steps": 9000}):
        keeping.prepare.click()
        assert keeping.download.link.value
        put(explorer, **changes)
        assert (keeping.download.link.value, keeping.status.value) == ("", "")
    for widget, value in ((explorer._parts.masks.masks_of, "patterns"), (keeping.theme, "dark")):
        keeping.prepare.click()
        widget.value = value
        assert (keeping.download.link.value, keeping.status.value) == ("", "")


def test_a_link_goes_when_a_layer_comes_from_the_background(explorer, monkeypatch):
    monkeypatch.setattr(mask_request, "AT_ONCE", 100)
    rng, small = np.random.default_rng(0), np.eye(8)
    explorer._parts.masks.add(load_weights({"small": small, "large": rng.standard_normal((20, 30)), "odd": np.eye(11)}))
    keeping, preview = explorer._parts.figures, explorer._parts.masks
    for layer in ("large", "odd"):
        preview.layer.value = layer
        assert explorer._parts.presenter.job.busy
        keeping.prepare.click()
        assert keeping.download.link.value
        explorer.wait()
        assert (keeping.download.link.value, keeping.status.value) == ("", "")
    put(explorer, pattern="nm")  # which does not fit
    keeping.prepare.click()
    explorer.wait()
    assert keeping.download.link.value == ""


def test_too_large_a_figure_is_not_put_into_a_link(explorer):
    with patch("entrenar_viz.explorer.panels.figure.MOST", 1000):
        explorer._parts.figures.prepare.click()
    assert "too many for a download" in explorer._parts.figures.status.value
    assert explorer._parts.figures.download.link.value == ""


def test_a_figure_is_saved_by_path_and_not_overwritten_unasked(explorer, tmp_path):
    keeping = explorer._parts.figures
    keeping.saving.path.value = str(tmp_path / "schedule.png")
    keeping.what.value, keeping.format.value = "masks", ".svg"
    assert keeping.saving.path.value == str(tmp_path / "masks.svg")
    keeping.saving.save.click()
    saved = tmp_path / "masks.svg"
    before = saved.read_bytes()
    assert keeping.status.value == f"Saved {saved}"
    put(explorer, cursor=5000)
    keeping.saving.save.click()
    assert "exists already" in keeping.status.value
    assert saved.read_bytes() == before
    keeping.saving.overwrite.click()
    assert saved.read_bytes() != before
    keeping.saving.path.value = str(tmp_path / "mine.svg")
    keeping.format.value = ".pdf"
    assert keeping.saving.path.value == str(tmp_path / "mine.pdf")
    keeping.saving.path.value = str(tmp_path / "bare")
    keeping.format.value = ".png"
    keeping.saving.save.click()
    assert (tmp_path / "bare.png").read_bytes()[:4] == MAGIC[".png"]
    for path, message in [("none/a.png", "create that folder first"), ("a.gif", "must end in")]:
        keeping.saving.path.value = str(tmp_path / path)
        keeping.saving.save.click()
        assert message in keeping.status.value
    assert explorer.save_figure(tmp_path / "code.pdf", what="masks", theme="dark").read_bytes()[:4] == MAGIC[".pdf"]
    with pytest.raises(FileExistsError):
        explorer.save_figure(tmp_path / "code.pdf")


def test_a_visitor_has_the_download_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    explorer = Explorer(allowed_folder=AllowedFolder(tmp_path))
    keeping = explorer._parts.figures
    assert keeping.saving not in keeping.children[0].children
    keeping.saving.save.click()
    keeping.saving.overwrite.click()
    assert list(tmp_path.iterdir()) == []
    keeping.prepare.click()
    assert linked(keeping.download.link.value).startswith(MAGIC[".png"])


# Names and numbers ----------------------------------------------------------------------------------------------------


def test_what_was_not_understood_blocks_export_until_it_is_fixed():
    explorer = Explorer()
    said = "“0,5” is no number: write 0.00001 or 1e-5"
    tell(explorer, unread={"fine_tune_lr": said})
    assert [str(problem) for problem in explorer.problems] == [f"fine_tune_lr: {said}"]
    values = explorer._parts.state.values()
    tell(
        explorer, values=values | {"fine_tune_lr": 1, "own_target": 1, "same_target": False}
    )  # a browser writes 1.0 so
    assert explorer.config.fine_tune_lr == explorer.config.target_sparsity == 1.0
    assert isinstance(explorer.config.fine_tune_lr, float)
    assert isinstance(explorer.config.target_sparsity, float)
    explorer.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": 1.5},
        {"target": "1"},
        {"cursor": -1},
        {"cursor": 2**53},
        {"cursor": True},
        {"fine_tune": 1},
        {"method": "os.system"},
        {"pattern": "x"},
        {"more": 1},
        {"fine_tune_lr": float("nan")},
    ],
)
def test_values_that_no_control_has_are_refused(wrong):
    explorer = Explorer()
    before = explorer._parts.state.settings
    tell(explorer, values=explorer._parts.state.values() | wrong)
    assert [type(error) for error in explorer.errors] == [EntrenarVizError]
    assert explorer._parts.state.settings == before
    explorer.close()


def test_every_control_of_ipywidgets_has_a_name(explorer):
    import ipywidgets as w

    from entrenar_viz.explorer.panels.plain import all_widgets

    kinds = (w.Dropdown, w.Text, w.Textarea, w.ToggleButtons, w.BoundedIntText, w.FloatText, w.BoundedFloatText)
    nameless = [
        one
        for one in all_widgets(explorer._parts.root, *explorer._parts.tabs.panels.values())
        if isinstance(one, kinds) and not one.description
    ]
    assert nameless == []
