"""The dashboard without a browser: set a control, read the configuration."""

import base64
import gc
import json
import subprocess
import sys
import warnings
import weakref
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree

import ipywidgets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import (
    NM,
    Block,
    ConfigError,
    Cubic,
    EntrenarVizError,
    Explorer,
    Gradual,
    OneShot,
    PruningConfig,
    Session,
    StepError,
    WeightsError,
    load_weights,
    mask_figure,
    replay,
)
from entrenar_viz.explorer.on_screen import applied_now
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import is_shown, text
from entrenar_viz.explorer.panels.plain import all_widgets
from entrenar_viz.models.weights import SAMPLES, sample
from tests.explorer.hands import answer, live, press, press_fix, put, show_tab, tell
from tests.strategies import configs

NOW = datetime.now(UTC)
SHARED: list[Explorer] = []


def widgets_alive() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return len(ipywidgets.Widget.widgets)


def test_it_starts_with_a_sound_example_of_the_chapter(explorer):
    assert explorer.config.schedule == Gradual(
        start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=500
    )
    assert explorer.findings == []
    assert json.loads(answer(explorer)["exported"]["text"]) == json.loads(explorer.config.to_json())


def test_each_control_reaches_the_configuration(explorer):
    put(explorer, schedule="cubic")
    put(explorer, start_step=100, end_step=900, target=0.8)
    assert explorer.config.schedule == Cubic(start_step=100, end_step=900, final_sparsity=0.8)
    assert explorer.config.target_sparsity == 0.8
    put(explorer, schedule="gradual", initial=0.1, frequency=40)
    assert (explorer.config.schedule.initial_sparsity, explorer.config.schedule.frequency) == (0.1, 40)
    put(explorer, schedule="one_shot", one_shot_step=77)
    assert explorer.config.schedule == OneShot(step=77)
    put(explorer, method="wanda")
    put(explorer, pattern="nm", n=1, m=4)
    assert (explorer.config.method, explorer.config.pattern) == ("wanda", NM(n=1, m=4))
    put(explorer, pattern="block", height=8, width=2)
    assert explorer.config.pattern == Block(height=8, width=2)
    put(explorer, fine_tune=False, fine_tune_steps=5, fine_tune_lr=0.25)
    put(explorer, skip_embed_layers=False, same_target=False, own_target=0.33)
    assert explorer.config.target_sparsity == 0.33
    assert explorer.config.fine_tune_after_pruning is explorer.config.skip_embed_layers is False
    assert (explorer.config.fine_tune_steps, explorer.config.fine_tune_lr) == (5, 0.25)


@given(configs(st.integers(0, 200_000)))
def test_load_shows_exactly_what_it_was_given_as_one_change(config):
    explorer = SHARED[0] if SHARED else Explorer()
    SHARED[:] = [explorer]
    before, changes = explorer.config, []
    explorer.observe(lambda change: changes.append(change.new), "config")
    explorer.load(config)
    explorer.unobserve_all("config")
    assert explorer.errors == []
    assert explorer.config == config
    assert changes == ([] if config == before else [config])
    assert PruningConfig.from_json(answer(explorer)["exported"]["text"]) == config


def test_load_lengthens_a_training_that_ends_too_early(explorer):
    explorer.load(PruningConfig(schedule=Cubic(start_step=0, end_step=60_000, final_sparsity=0.7), target_sparsity=0.7))
    assert explorer.total_steps == 100_000
    explorer.load(PruningConfig(schedule=OneShot(step=10)))
    assert explorer.total_steps == 100_000
    explorer.load(PruningConfig(schedule=OneShot(step=10)), total_steps=5)
    assert [found.code for found in explorer.findings] == ["nothing-pruned"]


def test_load_refuses_steps_that_a_browser_cannot_count(explorer):
    before = explorer.config
    with pytest.raises(ConfigError, match="a browser cannot count that far"):
        explorer.load(PruningConfig(schedule=OneShot(step=2**60)))
    with pytest.raises(ConfigError, match="fine_tune_steps"):
        explorer.load(PruningConfig(fine_tune_steps=2**60))
    assert explorer.config == before


def test_the_other_schedules_keep_their_values(explorer):
    put(explorer, frequency=250)
    explorer.load(PruningConfig(schedule=OneShot(step=10)))
    put(explorer, schedule="gradual")
    assert explorer.config.schedule.frequency == 250


@pytest.mark.parametrize("total_steps", [-1, 1.5, True, "x"])
def test_load_refuses_what_is_no_training(explorer, total_steps):
    before = explorer.config, explorer.total_steps
    with pytest.raises(StepError, match="total_steps"):
        explorer.load(PruningConfig(), total_steps)
    assert (explorer.config, explorer.total_steps) == before


def test_load_refuses_what_is_no_configuration(explorer):
    with pytest.raises(ConfigError, match="a PruningConfig is needed"):
        explorer.load({"method": "magnitude"})


def test_a_window_of_more_updates_than_can_be_replayed_is_a_problem(explorer):
    before = explorer.config
    explorer.load(PruningConfig(schedule=Cubic(start_step=0, end_step=500_000_000, final_sparsity=0.5)))
    assert ["too many to replay" in problem["message"] for problem in answer(explorer)["problems"]] == [True]
    assert explorer.config == before
    assert bool(explorer.problems)
    put(explorer, start_step=0, end_step=5000)
    assert explorer.config.schedule == Cubic(start_step=0, end_step=5000, final_sparsity=0.5)
    assert not bool(explorer.problems)


def test_an_entry_that_is_not_understood_blocks_the_export_until_a_load():
    explorer = Explorer()
    tell(explorer, unread={"target": "“0,5” is no percentage: write 48.75"})
    assert [problem.where for problem in explorer.problems] == ["target"]
    assert answer(explorer)["problems"][0]["names"] == ["target"]
    assert bool(explorer.problems)
    explorer.load(explorer.config)
    assert explorer.problems == ()
    assert live(explorer).settings["unread"] == {}
    tell(explorer, unread={"cursor": "“x” is no whole number: write 5000 or 5,000"})
    assert explorer.problems == ()  # it is not exported
    explorer.close()


def test_a_problem_names_the_entry_that_it_is_about(explorer):
    put(explorer, fine_tune_lr=1e39)
    (problem,) = answer(explorer)["problems"]
    assert problem["names"] == ["fine_tune_lr"]
    assert "finite" in problem["message"]
    put(explorer, fine_tune_lr=0.1)
    assert explorer.problems == ()


def test_who_follows_the_config_finds_everything_else_up_to_date(explorer):
    seen = []
    explorer.observe(lambda _: seen.append([found.code for found in explorer.findings]), "config")
    put(explorer, frequency=300)
    assert seen == [["target-missed"]]


def test_findings_follow_and_their_fixes_areapplied_now(explorer):
    put(explorer, frequency=300)
    (found,) = answer(explorer)["findings"]
    assert found["message"] == explorer.findings[0].message
    assert found["fixes"] == ["every 250 steps", "end at step 4,900"]
    press_fix(explorer)
    assert explorer.config.schedule.frequency == 250
    assert answer(explorer)["findings"] == []
    press(explorer, "fix", finding=0, fix=0, name="every 250 steps")  # pressed again before the answer came
    assert explorer.config.schedule.frequency == 250


def test_changing_only_the_training_changes_the_findings(explorer):
    put(explorer, total_steps=6000)
    assert [found.code for found in explorer.findings] == ["no-recovery"]


def test_a_problem_is_shown_beside_its_control_and_blocks_the_export(explorer, tmp_path):
    good = explorer.config
    put(explorer, start_step=2000, end_step=2000)
    put(explorer, pattern="nm", n=4)
    assert [problem.where for problem in explorer.problems] == ["schedule.end_step", "pattern.m"]
    assert answer(explorer)["problems"] == [
        {"names": ["end_step"], "message": "end_step (2000) must be greater than start_step (2000)"},
        {"names": ["m"], "message": "N (4) must be less than M (4)"},
    ]
    assert explorer.config == good
    assert bool(explorer.problems)
    with pytest.raises(ConfigError, match="nothing was exported"):
        explorer.export(tmp_path / "pruning.json")
    assert "image/svg+xml" in explorer._repr_mimebundle_()
    put(explorer, start_step=2000, end_step=4000, n=2)
    assert explorer.problems == ()
    assert answer(explorer)["problems"] == []
    assert explorer.export(tmp_path / "pruning.json").exists()


def test_export_by_path_asks_before_it_overwrites(explorer, tmp_path):
    path = tmp_path / "pruning.json"
    explorer._parts.exchange.exporting.saving.path.value = str(path)
    explorer._parts.exchange.exporting.saving.save.click()
    assert explorer._parts.exchange.exporting.status.value == f"Saved {path}"
    put(explorer, target=0.6)
    explorer._parts.exchange.exporting.saving.save.click()
    assert PruningConfig.load(path).target_sparsity == 0.5
    assert is_shown(explorer._parts.exchange.exporting.saving.overwrite)
    explorer._parts.exchange.exporting.saving.overwrite.click()
    assert PruningConfig.load(path) == explorer.config
    explorer._parts.exchange.exporting.saving.path.value = str(tmp_path / "none" / "pruning.json")
    explorer._parts.exchange.exporting.saving.save.click()
    assert "create that folder first" in explorer._parts.exchange.exporting.status.value


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("  ", "Nothing was saved: name the file, for example pruning.json"),
        ("x.txt", "Nothing was saved: JSON goes to a file that ends in .json, for example x.json"),
        ("pruning", "Nothing was saved: JSON goes to a file that ends in .json, for example pruning.json"),
    ],
)
def test_export_asks_for_a_name_that_says_what_is_in_it(explorer, tmp_path, monkeypatch, typed, said):
    monkeypatch.chdir(tmp_path)
    explorer._parts.exchange.exporting.saving.path.value = typed
    explorer._parts.exchange.exporting.saving.save.click()
    assert (explorer._parts.exchange.exporting.status.value, list(tmp_path.iterdir())) == (said, [])


def test_the_download_of_the_fallback_holds_the_same_bytes():
    explorer = Explorer(view="matplotlib")
    show_tab(explorer, "Export & import")
    data = explorer._parts.exchange.exporting.download.link.value.split("base64,")[1].split('"')[0]
    assert base64.b64decode(data).decode() == explorer.config.to_json() == answer(explorer)["exported"]["text"]
    explorer.close()


def test_import_from_path_paste_and_upload(explorer, tmp_path):
    panel = explorer._parts.exchange.importing
    config = PruningConfig(method="wanda", schedule=OneShot(step=12))
    panel.path.value = str(config.save(tmp_path / "pruning.json"))
    panel.read.click()
    assert explorer.config == config
    panel.paste.value = replace(config, method="magnitude").to_json()
    panel.take.click()
    assert explorer.config.method == "magnitude"
    upload = {"name": "up.json", "type": "", "size": 300, "content": memoryview(config.to_json().encode())}
    panel.upload.value = ({**upload, "last_modified": NOW},)
    assert explorer.config == config
    assert panel.upload.value == ()
    assert "Loaded up.json" in panel.status.value


def test_yaml_comes_by_path_paste_and_upload(explorer, tmp_path):
    panel = explorer._parts.exchange.importing
    config = PruningConfig(method="wanda", schedule=OneShot(step=12), fine_tune_lr=3e-12)
    panel.path.value = str(config.save(tmp_path / "pruning.YML"))
    panel.read.click()
    assert explorer.config == config
    panel.paste.value = "\n# mine\n" + replace(config, method="magnitude").to_yaml()
    panel.take.click()
    assert explorer.config.method == "magnitude"
    upload = {"name": "up.yaml", "type": "", "size": 300, "content": memoryview(config.to_yaml().encode())}
    panel.upload.value = ({**upload, "last_modified": NOW},)
    assert explorer.config == config
    panel.paste.value = "method: &m wanda"
    panel.take.click()
    assert panel.status.value.startswith("Nothing was loaded: method: has the anchor &m (line 1, column 9)")
    assert explorer.config == config


def test_files_of_both_kinds_are_offered_for_import(explorer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.json", "b.yaml", "c.yml", "d.txt"):
        (tmp_path / name).write_text("")
    show_tab(explorer, "Export & import")
    assert explorer._parts.exchange.importing.path.options == ("a.json", "b.yaml", "c.yml")
    assert explorer._parts.exchange.sessions.path.options == ("a.json",)


def test_an_explorer_opens_and_exports_yaml_by_its_suffix(tmp_path):
    config = PruningConfig(method="wanda", schedule=OneShot(step=12))
    explorer = Explorer(config.save(tmp_path / "pruning.yaml"))
    assert explorer.config == config
    assert explorer.export(tmp_path / "again.yml").read_text() == config.to_yaml()
    assert explorer.export(tmp_path / "again.json").read_text() == config.to_json()
    explorer.close()


def test_import_of_something_else_changes_nothing_and_says_why(explorer, tmp_path):
    before, panel = explorer.config, explorer._parts.exchange.importing
    panel.path.value = str(tmp_path / "<img src=x onerror=alert(1)>.json")
    panel.read.click()
    assert "cannot be read" in panel.status.value
    panel.path.value = " "
    panel.read.click()
    assert panel.status.value == "Nothing was loaded: the path is empty: name a JSON or YAML file"
    panel.paste.value = Session(config=before, total_steps=7).to_json()
    panel.take.click()
    assert "is an entrenar-viz session, not a configuration" in panel.status.value
    panel.paste.value = '{"method": "wandas"}'
    panel.take.click()
    assert "use one of 'magnitude'" in panel.status.value
    panel.upload.value = ({"name": "b", "type": "", "size": 2 << 20, "content": memoryview(b""), "last_modified": NOW},)
    assert "larger than 1 MiB" in panel.status.value
    assert explorer.config == before


def test_untrusted_text_never_reaches_an_html_widget(tmp_path):
    payload = "<img src=x onerror=alert(1)>"
    explorer = Explorer(weights={payload: np.eye(4)})
    explorer._parts.exchange.importing.paste.value = f'{{"{payload}": 1}}'
    explorer._parts.exchange.importing.take.click()
    html = [
        widget
        for widget in all_widgets(explorer._parts.root, *explorer._parts.tabs.panels.values())
        if isinstance(widget, ipywidgets.HTML)
    ]
    assert html
    assert not any(payload in widget.value for widget in html)
    explorer.close()


def test_what_a_callback_raises_is_shown_and_kept():
    explorer = Explorer()
    broken, explorer._parts._find = explorer._parts._find, lambda config: 1 / 0
    put(explorer, target=0.7)
    assert live(explorer).settings["values"]["target"] == 0.7  # the page is answered all the same
    assert answer(explorer)["problems"][0]["message"].startswith("Something went wrong")
    assert [type(error) for error in explorer.errors] == [ZeroDivisionError]
    assert is_shown(explorer._parts.banner)
    assert "ZeroDivisionError" in explorer._parts.banner.message.value
    explorer._parts.banner.children[1].click()
    assert not is_shown(explorer._parts.banner)
    explorer._parts._find = broken
    put(explorer, target=0.8)
    assert (answer(explorer)["problems"], explorer.config.target_sparsity) == ([], 0.8)
    explorer.close()


# Weights -------------------------------------------------------------------------------------------------------------


def test_every_layer_of_every_sample_can_be_shown(explorer):
    for name in SAMPLES:
        explorer._parts.masks.source.value = name
        assert explorer._parts.masks.layer.value in load_weights(sample(name)).names
        assert explorer._parts.masks.matrix().ndim == 2


def test_each_sample_shows_its_own_weights():
    explorer = Explorer()
    seen = set()
    for name in SAMPLES:
        explorer._parts.masks.source.value = name
        assert SAMPLES[name] in explorer._parts.live.layer["note"]
        seen.add(explorer._parts.live.layer["ranks"])
    assert len(seen) == len(SAMPLES)
    explorer.close()


def test_weights_that_are_read_again_are_shown_again(tmp_path):
    path = tmp_path / "net.npy"
    np.save(path, np.eye(6))
    explorer = Explorer(weights=path)
    np.save(path, np.ones((8, 8)))
    explorer._parts.masks.path.value = str(path)
    explorer._parts.masks.open_path.click()
    assert explorer._parts.live.layer["rows"] == 8
    explorer.close()


def test_what_changes_while_there_is_a_problem_is_shown_once_it_is_fixed():
    explorer = Explorer()
    put(explorer, start_step=5000, end_step=5000)
    put(explorer, pattern="row")
    explorer._parts.masks.source.value = "gaussian"
    assert explorer._parts.live.layer["units"] == 128 * 64
    put(explorer, start_step=1000, end_step=5000)
    assert explorer._parts.live.layer["units"] == 256
    assert "Kaiming" in explorer._parts.live.layer["note"]
    explorer.close()


def test_one_change_sends_one_layer_and_one_finding():
    explorer = Explorer()
    sent = []
    explorer._parts.live.observe(lambda change: sent.append(change.new), "layer")
    explorer.load(replace(explorer.config, pattern=Block(height=8, width=8), method="wanda"))
    assert len(sent) == 1
    put(explorer, target=0.6)
    put(explorer, m=8)
    assert len(sent) == 1
    explorer.close()


def test_the_users_weights_come_first(tmp_path):
    np.savez(tmp_path / "net.npz", a=np.eye(6), b=np.ones((4, 4)))
    explorer = Explorer(weights=tmp_path / "net.npz")
    assert explorer._parts.masks.source.value.endswith("net.npz")
    assert [name for _, name in explorer._parts.masks.layer.options] == ["a", "b"]
    assert explorer._parts.live.layer["rows"] == 6
    explorer._parts.masks.layer.value = "b"
    assert explorer._parts.live.layer["rows"] == 4
    explorer.close()
    for weights in (np.eye(3), {"layer": np.eye(3)}):
        explorer = Explorer(weights=weights)
        assert explorer._parts.live.layer["rows"] == 3
        explorer.close()
    with pytest.raises(WeightsError):
        Explorer(weights=np.eye(3, dtype=int))


def test_a_model_file_that_cannot_be_opened_leaves_the_weights_as_they_were(explorer, tmp_path):
    explorer._parts.masks.path.value = str(tmp_path / "none.safetensors")
    explorer._parts.masks.open_path.click()
    assert "none.safetensors" in explorer._parts.masks.rows["path"].problem.value
    assert explorer._parts.masks.source.value == "digits network"
    np.save(tmp_path / "some.npy", np.eye(8))
    explorer._parts.masks.path.value = str(tmp_path / "some.npy")
    explorer._parts.masks.open_path.click()
    assert explorer._parts.masks.rows["path"].problem.value == ""
    assert explorer._parts.masks.source.value.endswith("some.npy")


def test_a_layer_that_the_pattern_does_not_fit_has_a_note_instead_of_a_mask():
    explorer = Explorer(weights=np.eye(7))
    put(explorer, pattern="block")
    assert explorer._parts.live.layer == {"note": explorer._parts.live.layer["note"]}
    assert explorer._parts.live.layer["note"].startswith("No mask: ")
    put(explorer, pattern="row")
    assert explorer._parts.live.layer["units"] == 7
    assert explorer.errors == []
    explorer.close()


def test_other_methods_say_that_magnitude_is_previewed():
    explorer = Explorer()
    put(explorer, method="wanda")
    assert "Previewed by magnitude: wanda needs calibration data." in explorer._parts.live.layer["note"]
    explorer.close()


# Display and life ----------------------------------------------------------------------------------------------------


def test_the_bundle_carries_a_picture_for_where_widgets_cannot_run(explorer):
    bundle = explorer._repr_mimebundle_()
    assert ElementTree.fromstring(bundle["image/svg+xml"]).tag.endswith("svg")
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer._parts.root.model_id
    assert bundle["text/plain"] == repr(explorer)


def test_the_picture_of_the_fallback_follows_the_controls():
    explorer = Explorer(view="matplotlib")
    picture = explorer._parts.picture
    schedules, masks = picture.schedules.value, picture.masks.value
    put(explorer, cursor=4500)
    assert picture.schedules.value != schedules
    assert picture.masks.value != masks
    put(explorer, pattern="block", height=7)
    assert picture.note.value.startswith("No mask")
    assert explorer.errors == []
    explorer.close()


def test_closing_frees_every_widget():
    gc.collect()
    before = widgets_alive()
    for view in ("canvas", "matplotlib"):
        explorer = Explorer(view=view)
        put(explorer, frequency=300)
        assert explorer._parts.root.model_id
        explorer._parts.tabs.fill()
        assert widgets_alive() > before + 150
        explorer.close()
        assert widgets_alive() == before
        gone = weakref.ref(explorer)
        del explorer
        gc.collect()
        assert gone() is None


def test_after_closing_there_is_a_picture_left(explorer):
    explorer.close()
    explorer.close()
    assert set(explorer._repr_mimebundle_()) == {"text/plain", "image/svg+xml"}


def test_widgets_are_sent_when_they_are_shown_and_as_they_are_then(explorer):
    parts = all_widgets(explorer._parts.root, *explorer._parts.tabs.panels.values())
    assert all(part.comm is not None for part in parts)
    fresh = Explorer()
    assert fresh._parts.exchange.comm is fresh._parts.picture.comm is None
    assert fresh._parts.root.model_id
    assert fresh._parts.picture.comm is not None
    assert fresh._parts.exchange.comm is None  # the tabs come once the picture is seen
    before = widgets_alive()
    row = plain.HBox([plain.Button(description="Go")])
    row.add_class("row")
    assert (row.comm, row.layout, row.children[0].style) == (None, None, None)
    assert widgets_alive() == before
    assert row._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"] == row.model_id
    assert None not in (row.comm, row.children[0].comm)
    assert widgets_alive() == before + 2
    row.children[0].close()
    row.close()
    fresh.close()
    assert fresh._parts.exchange.comm is None


def test_nothing_is_drawn_by_matplotlib_before_the_widgets_are_sent():
    send = "import sys; from entrenar_viz import Explorer; Explorer()._repr_mimebundle_()"
    program = f"{send}; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_what_cannot_be_made_leaves_no_widgets():
    before = widgets_alive()
    for arguments in ({"weights": "/none.npy"}, {"config": {"a": 1}}, {"total_steps": -1}):
        with pytest.raises(EntrenarVizError):
            Explorer(**arguments)
    assert widgets_alive() == before


def test_labels_do_not_typeset_mathematics():
    assert text("costs $x^2$ and \\(y\\)").value == "costs $\u200bx^2$\u200b and \\\u200b(y\\)"


def test_before_the_first_update_the_fallback_shows_no_mask_of_nm():
    explorer = Explorer(view="matplotlib")
    put(explorer, cursor=10)
    assert set(applied_now(explorer._parts.state.settings, explorer.config).values()) == {None}
    figure = mask_figure(np.eye(8), {"Gradual": None}, pattern=NM(n=2, m=4))
    assert figure.axes[0].get_xlabel() == "no update yet"
    explorer.close()


def test_a_thousand_changes_make_no_more_widgets():
    explorer = Explorer()
    put(explorer, frequency=300)
    assert explorer._parts.root.model_id
    before = widgets_alive()
    for i in range(1000):
        put(explorer, target=0.3 + 0.0005 * i)
    assert explorer.config.target_sparsity == 0.3 + 0.0005 * 999
    assert widgets_alive() <= before + 40  # rows for the findings that appeared on the way
    assert explorer.errors == []
    explorer.close()


def test_the_canvas_knows_the_share_that_a_pattern_fixes(explorer):
    for pattern, share in ((NM(n=1, m=4), 0.75), (Block(height=2, width=2), None)):
        explorer.load(replace(explorer.config, pattern=pattern))
        assert answer(explorer)["fixed"] == share


def test_the_cursor_stays_inside_a_training_that_becomes_shorter(explorer):
    put(explorer, cursor=9000)
    explorer.load(replace(explorer.config, schedule=OneShot(step=1)), 700)
    assert explorer._parts.state.settings.shown_cursor == 700
    put(explorer, total_steps=10_000)
    assert explorer._parts.state.settings.shown_cursor == 9000


def test_it_opens_the_file_of_a_configuration(tmp_path):
    path = PruningConfig(method="wanda", schedule=OneShot(step=12)).save(tmp_path / "pruning.json")
    explorer = Explorer(str(path))
    assert explorer.config == PruningConfig.load(path)
    explorer.load(PruningConfig().save(tmp_path / "other.json"), 500)
    assert (explorer.config, explorer.total_steps) == (PruningConfig(), 500)
    explorer.close()
    with pytest.raises(ConfigError, match=r"none\.json: cannot be read"):
        Explorer(tmp_path / "none.json")


def test_what_it_cannot_show_is_refused():
    with pytest.raises(EntrenarVizError, match='use "canvas" or "matplotlib"'):
        Explorer(view="bokeh")
    explorer = Explorer(PruningConfig(schedule=OneShot(step=3)), total_steps=50)
    assert replay(explorer.config, explorer.total_steps).num_updates == 1
    assert repr(explorer).endswith("total_steps=50)")
    explorer.close()
