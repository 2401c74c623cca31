"""Counting in epochs, taking the configuration away in a language, keeping figures: without a browser."""

import base64
from unittest.mock import patch

import numpy as np
import pytest

from entrenar_viz import ConfigError, EntrenarVizError, Explorer, PruningConfig, Training, WeightsError, load_weights
from entrenar_viz.explorer import mask_request
from entrenar_viz.explorer.canvas import Field
from entrenar_viz.explorer.drawings import MEDIA
from entrenar_viz.explorer.languages import LANGUAGES
from entrenar_viz.explorer.on_screen import masks_drawn
from entrenar_viz.export.markdown import as_markdown
from entrenar_viz.export.source_code import as_python, as_rust
from entrenar_viz.figures.saving import png_bytes
from entrenar_viz.models.allowed_folder import AllowedFolder

TRAINING = Training(dataset_size=50_000, batch_size=64, gradient_accumulation=4, drop_last=True, epochs=30)
MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def linked(html):
    """The bytes behind a link for download."""
    return base64.b64decode(html.split("base64,")[1].split('"')[0])


# Counting in epochs ---------------------------------------------------------------------------------------------------


def test_a_training_sets_total_steps_and_the_axis(explorer):
    explorer.training = TRAINING
    assert (explorer.training, explorer.total_steps) == (TRAINING, TRAINING.total_steps)
    if explorer.canvas:
        assert explorer.canvas.steps_per_epoch == TRAINING.steps_per_epoch
    explorer.training = None
    assert (explorer.training, explorer.total_steps) == (None, TRAINING.total_steps)
    if explorer.canvas:
        assert explorer.canvas.steps_per_epoch == 0


def test_total_steps_follow_each_of_the_numbers_while_it_counts(explorer):
    counting = explorer.counting
    counting.numbers["epochs"].value = 3
    assert explorer.total_steps == 10_000
    assert counting.status.value == "782 steps an epoch, 2,346 in all"
    counting.on.value = True
    assert explorer.total_steps == 3 * 782
    for name, value, steps in [
        ("dataset_size", 1000, 3 * 16),
        ("batch_size", 300, 3 * 4),
        ("gradient_accumulation", 3, 3 * 4),
        ("epochs", 100, 100 * 4),
    ]:
        counting.numbers[name].value = value
        assert explorer.total_steps == explorer.training.total_steps == steps
    assert counting.status.value == "4 steps an epoch, 400 in all; the optimizer makes 200"
    counting.drop_last.value = True
    assert explorer.training.total_steps == explorer.total_steps == 300
    assert counting.status.value == "3 steps an epoch, 300 in all; the optimizer makes 100"


def test_total_steps_that_are_set_otherwise_end_the_counting(explorer):
    explorer.training = TRAINING
    explorer.controls.total_steps.value = 9000
    assert (explorer.training, explorer.counting.on.value, explorer.total_steps) == (None, False, 9000)
    explorer.training = TRAINING
    explorer.load(explorer.config, TRAINING.total_steps)
    assert explorer.training == TRAINING
    explorer.load(explorer.config, 7777)
    assert (explorer.training, explorer.total_steps) == (None, 7777)


def test_numbers_that_make_no_training_block_nothing_else(explorer):
    explorer.training = TRAINING
    counting, numbers = explorer.counting, explorer.counting.numbers
    numbers["batch_size"].value = 0
    assert counting.rows["batch_size"].problem.value == "batch_size must be at least 1"
    assert explorer.training == TRAINING
    assert explorer.problems == ()
    numbers["batch_size"].value = 60_000
    assert "leaves no batch" in counting.rows["batch_size"].problem.value
    numbers["batch_size"].value = 64
    assert [row.problem.value for row in counting.rows.values()] == [""] * 4
    numbers["epochs"].value = 2**50
    assert "a browser cannot count that far" in counting.rows["epochs"].problem.value
    assert counting.status.value == "These numbers make no training."
    assert explorer.training == TRAINING
    counting.on.value = False
    assert explorer.training is None
    counting.on.value = True
    assert explorer.training is None


def test_a_training_that_a_browser_cannot_count_is_refused(explorer):
    with pytest.raises(ConfigError, match="dataset_size: is above"):
        explorer.training = Training(dataset_size=2**53, batch_size=1, epochs=1)
    assert explorer.training is None


def test_an_entry_that_was_not_understood_is_replaced():
    explorer = Explorer()
    explorer.counting.numbers["epochs"].problem = "“x” is no whole number"
    explorer.training = TRAINING
    assert explorer.counting.numbers["epochs"].problem == ""


def test_an_explorer_starts_with_a_training():
    explorer = Explorer(training=TRAINING)
    assert (explorer.training, explorer.total_steps) == (TRAINING, TRAINING.total_steps)
    assert Explorer(PruningConfig(), training=TRAINING, total_steps=TRAINING.total_steps).training == TRAINING
    with pytest.raises(EntrenarVizError, match="leave one of them out"):
        Explorer(training=TRAINING, total_steps=10_000)


# Copying --------------------------------------------------------------------------------------------------------------


def choose(explorer, name):
    explorer.exporter.language.value = next(language for language in LANGUAGES if language.name == name)


def test_each_language_is_written_as_the_library_writes_it(explorer):
    texts = {
        "JSON": lambda: PruningConfig.to_json(explorer.config),
        "Python": lambda: as_python(explorer.config),
        "Rust": lambda: as_rust(explorer.config),
        "Markdown": lambda: as_markdown(explorer.config, explorer.total_steps),
    }
    for name, write in texts.items():
        choose(explorer, name)
        assert explorer.exporter.json.value == write()
        explorer.controls.target.value = 0.4 + len(name) / 100
        assert explorer.exporter.json.value == write()
    explorer.controls.total_steps.value = 8000
    assert "8,000" in explorer.exporter.json.value


def test_the_file_has_the_name_of_its_language(explorer):
    exporter = explorer.exporter
    for name, file in [("Python", "pruning.py"), ("Rust", "pruning.rs"), ("Markdown", "pruning.md")]:
        choose(explorer, name)
        assert exporter.path.value == file
        if exporter.download:
            assert f'download="{file}"' in exporter.download.value
            assert linked(exporter.download.value).decode() == exporter.json.value
        else:
            assert (exporter.json.file, exporter.json.label) == (file, f"Configuration as {name}")
    exporter.path.value = "mine.txt"
    choose(explorer, "JSON")
    assert exporter.path.value == "mine.txt"


def test_only_the_chosen_language_is_written_and_sent():
    explorer = Explorer()
    assert PruningConfig.from_json(explorer.exporter.json.value) == explorer.config
    with (
        patch("entrenar_viz.explorer.exchange.Offer.send_state") as sent,
        patch("entrenar_viz.export.markdown.replay", side_effect=AssertionError("a report was made")),
    ):
        explorer.controls.target.value = 0.6
    assert sent.call_count <= 1


def test_what_is_shown_is_saved_and_waits_for_problems(explorer, tmp_path):
    exporter, path = explorer.exporter, tmp_path / "mine.json"
    exporter.path.value = str(path)
    choose(explorer, "Rust")
    exporter.save.click()
    saved = tmp_path / "mine.rs"
    assert saved.read_text() == as_rust(explorer.config)
    exporter.save.click()
    assert "exists already" in exporter.status.value
    explorer.controls.target.value = 0.9
    exporter.overwrite.click()
    assert saved.read_text() == as_rust(explorer.config)
    explorer.controls.window.value = [5000, 5000]
    assert exporter.save.disabled
    choose(explorer, "Markdown")
    assert exporter.json.value == as_markdown(explorer.config, explorer.total_steps)
    assert exporter.save.disabled


# Keeping figures ------------------------------------------------------------------------------------------------------


def test_the_schedule_is_drawn_as_it_is_on_the_screen(explorer):
    explorer.controls.cursor.value, explorer.controls.target.value = 4000, 0.7
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
            explorer.preview.masks_of.value = masks_of
        one, other = (png_bytes(explorer.figure("masks")) for explorer in views)
        assert one == other


def test_the_layer_on_the_screen_is_not_sorted_again():
    explorer = Explorer()
    with patch("entrenar_viz.masks.order.prune_order", side_effect=AssertionError("sorted again")):
        panels = explorer.figure("masks").axes
    assert [axes.get_title() for axes in panels[:3]] == ["OneShot", "Gradual", "Cubic"]
    explorer.preview.masks_of.value = "patterns"
    with patch("entrenar_viz.masks.order.prune_order", side_effect=WeightsError("not sorted")) as sorted_again:
        explorer.figure("masks")
    assert sorted_again.call_count == 4


def test_patterns_are_drawn_where_the_own_one_does_not_fit():
    explorer = Explorer(weights=np.arange(35.0).reshape(5, 7))
    explorer.controls.pattern.value = "block"
    with pytest.raises(WeightsError, match="No mask"):
        explorer.figure("masks")
    explorer.preview.masks_of.value = "patterns"
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
        masks_drawn(explorer.controls, explorer.config, None)
    explorer.controls.window.value = [5000, 5000]
    with pytest.raises(ConfigError, match="nothing was drawn"):
        explorer.figure()
    explorer.drawings.prepare.click()
    assert "nothing was drawn" in explorer.drawings.status.value
    assert explorer.drawings.link.value == ""


@pytest.mark.parametrize("suffix", MAGIC)
def test_a_figure_is_made_for_download_when_asked_for(explorer, suffix):
    keeping = explorer.drawings
    keeping.format.value = suffix
    for what in ("schedule", "masks"):
        keeping.what.value = what
        assert keeping.link.value == ""
        keeping.prepare.click()
        assert f'download="{what}{suffix}" href="data:{MEDIA[suffix]}' in keeping.link.value
        assert linked(keeping.link.value).startswith(MAGIC[suffix])


def test_a_link_goes_when_the_screen_changes(explorer):
    keeping, c, preview = explorer.drawings, explorer.controls, explorer.preview
    changes = [
        (c.cursor, 77),
        (c.target, 0.6),
        (c.total_steps, 9000),
        (preview.masks_of, "patterns"),
        (keeping.theme, "dark"),
    ]
    for widget, value in changes:
        keeping.prepare.click()
        assert keeping.link.value
        widget.value = value
        assert (keeping.link.value, keeping.status.value) == ("", "")


def test_a_link_goes_when_a_layer_comes_from_the_background(explorer, monkeypatch):
    monkeypatch.setattr(mask_request, "AT_ONCE", 100)
    rng, small = np.random.default_rng(0), np.eye(8)
    explorer.preview.add(load_weights({"small": small, "large": rng.standard_normal((20, 30)), "odd": np.eye(11)}))
    keeping, preview = explorer.drawings, explorer.preview
    for layer in ("large", "odd"):
        preview.layer.value = layer
        assert explorer.mask_presenter.job.busy
        keeping.prepare.click()
        assert keeping.link.value
        explorer.wait()
        assert (keeping.link.value, keeping.status.value) == ("", "")
    explorer.controls.pattern.value = "nm"  # which does not fit
    keeping.prepare.click()
    explorer.wait()
    assert keeping.link.value == ""


def test_too_large_a_figure_is_not_put_into_a_link(explorer):
    with patch("entrenar_viz.explorer.drawings.MOST", 1000):
        explorer.drawings.prepare.click()
    assert "too many for a download" in explorer.drawings.status.value
    assert explorer.drawings.link.value == ""


def test_a_figure_is_saved_by_path_and_not_overwritten_unasked(explorer, tmp_path):
    keeping = explorer.drawings
    keeping.path.value = str(tmp_path / "schedule.png")
    keeping.what.value, keeping.format.value = "masks", ".svg"
    assert keeping.path.value == str(tmp_path / "masks.svg")
    keeping.save.click()
    saved = tmp_path / "masks.svg"
    before = saved.read_bytes()
    assert keeping.status.value == f"Saved {saved}"
    explorer.controls.cursor.value = 5000
    keeping.save.click()
    assert "exists already" in keeping.status.value
    assert saved.read_bytes() == before
    keeping.overwrite.click()
    assert saved.read_bytes() != before
    keeping.path.value = str(tmp_path / "mine.svg")
    keeping.format.value = ".pdf"
    assert keeping.path.value == str(tmp_path / "mine.pdf")
    keeping.path.value = str(tmp_path / "bare")
    keeping.format.value = ".png"
    keeping.save.click()
    assert (tmp_path / "bare.png").read_bytes()[:4] == MAGIC[".png"]
    for path, message in [("none/a.png", "create that folder first"), ("a.gif", "must end in")]:
        keeping.path.value = str(tmp_path / path)
        keeping.save.click()
        assert message in keeping.status.value
    assert explorer.save_figure(tmp_path / "code.pdf", what="masks", theme="dark").read_bytes()[:4] == MAGIC[".pdf"]
    with pytest.raises(FileExistsError):
        explorer.save_figure(tmp_path / "code.pdf")


def test_a_visitor_has_the_download_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    explorer = Explorer(allowed_folder=AllowedFolder(tmp_path))
    keeping = explorer.drawings
    row = keeping.children[1].children
    assert not {keeping.path, keeping.save, keeping.overwrite} & set(row)
    keeping.save.click()
    keeping.overwrite.click()
    assert list(tmp_path.iterdir()) == []
    keeping.prepare.click()
    assert linked(keeping.link.value).startswith(MAGIC[".png"])


# Names and numbers ----------------------------------------------------------------------------------------------------


def test_numbers_without_a_slider_are_typed_strictly_where_they_can_be():
    c = Explorer().controls
    boxes = [c.n, c.m, c.height, c.width, c.fine_tune_steps, c.fine_tune_lr, c.own_target]
    assert all(isinstance(box, Field) and box.position is None for box in boxes)
    assert [box.kind for box in boxes] == ["count"] * 5 + ["number", "fraction"]


def test_what_was_not_understood_blocks_export_until_it_is_fixed():
    explorer = Explorer()
    explorer.controls.fine_tune_lr.problem = "“0,5” is no number: write 0.00001 or 1e-5"
    assert [problem.where for problem in explorer.problems] == ["fine_tune_lr"]
    assert explorer.layout.rows["fine_tune_lr"].problem.value == ""  # the entry says it itself
    assert explorer.exporter.save.disabled
    explorer.controls.fine_tune_lr.problem = ""
    explorer.controls.fine_tune_lr.value = 1  # a browser writes 1.0 so
    assert explorer.config.fine_tune_lr == 1.0
    assert isinstance(explorer.config.fine_tune_lr, float)
    explorer.controls.own_target.value, explorer.controls.same_target.value = 1, False
    assert isinstance(explorer.config.target_sparsity, float)


def test_every_control_of_ipywidgets_has_a_name(explorer):
    import ipywidgets as w

    from entrenar_viz.explorer.layout import all_widgets

    kinds = (w.Dropdown, w.Text, w.Textarea, w.ToggleButtons, w.BoundedIntText, w.FloatText, w.BoundedFloatText)
    nameless = [one for one in all_widgets(explorer.layout) if isinstance(one, kinds) and not one.description]
    assert nameless == []
