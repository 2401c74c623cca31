"""Where to start from: the chapter's scenarios, presets of one's own, and a recommendation after three questions."""

from collections.abc import Callable

import ipywidgets as w

from entrenar_viz.analysis.advice import SCENARIOS, recommend
from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import ConfigError, EntrenarVizError
from entrenar_viz.explorer import plain
from entrenar_viz.explorer.canvas import Field
from entrenar_viz.explorer.entries import entry
from entrenar_viz.explorer.panels import Guard, about_name, named, show, text
from entrenar_viz.workspace import presets

NOTHING = "Start from …"
CHAPTER, OWN = "chapter", "own"
NONE = ""  # not None, which a list shows as nothing


class PresetsPanel:
    """A list of presets for the top bar (``picker``), a button that unfolds ``more``, and ``more`` itself.

    ``present`` is what to save as a preset, ``load`` shows a configuration in a training of some steps,
    ``own`` says whether the user's presets are offered: they are files of whoever runs the kernel. ``live`` says
    whether typed entries can be shown.
    """

    def __init__(
        self,
        present: Callable[[str | None], Pin],
        total_steps: Callable[[], int],
        load: Callable[[PruningConfig, int], None],
        guarded: Guard,
        *,
        own: bool,
        live: bool,
    ) -> None:
        self.present, self.load, self.own, self.live = present, load, own, live
        self.total_steps = total_steps
        self._own: dict[str, Pin] = {}
        picker = plain.Dropdown(tooltip="A preset to start from", layout=w.Layout(width="140px"))
        self.picker = named(picker, "Preset")
        self.unfold = plain.ToggleButton(description="More")
        self.unfold.tooltip = "A recommendation after three questions" + ("; save presets of your own" if own else "")
        self.status = text()
        self._build_questions()
        self._build_own()
        self.more = plain.VBox([self.questions, *([self.saving] if own else [])])
        self.more.add_class("entrenar-viz-more")
        self.said = plain.HBox([self.status])
        self.said.add_class("entrenar-viz-said")
        show(self.more, False)
        self.fill()
        self._listen(guarded)

    @property
    def above(self) -> tuple[w.Widget, ...]:
        """What stands in the top bar, the wide ones last."""
        return self.picker, self.unfold, self.more, self.said

    def fill(self) -> None:
        """List the presets as they are now; a broken file is reported, and the chapter's ones stay."""
        self.say("")
        try:
            self._own = presets.load() if self.own else {}
        except (ConfigError, OSError) as error:
            self._own = {}
            self.say(f"Your presets cannot be read: {error}")
        chapter = [(f"{name}: {_shortly(name)}", (CHAPTER, name)) for name in presets.BUILT_IN]
        own = [(f"mine: {name}", (OWN, name)) for name in self._own]
        self.picker.options = [(NOTHING, NONE), *chapter, *own]
        self.picker.value = NONE
        self.mine.options = [("your presets", NONE), *((name, name) for name in self._own)]

    def say(self, message: str) -> None:
        """Tell what was loaded and why, or what went wrong."""
        self.status.value = message
        show(self.said, bool(message))

    def _build_questions(self) -> None:
        self.target = entry("fraction", 0.5, "Sparsity to recommend for", step=0.05, typed=self.live)
        self.trained = plain.Checkbox(description="it is trained already", indent=False)
        scenarios = [("something else", NONE), *((name, name) for name in SCENARIOS)]
        scenario = plain.Dropdown(options=scenarios, tooltip="What it is for", layout=w.Layout(width="160px"))
        self.scenario = named(scenario, "What it is for")
        self.ask = plain.Button(description="Recommend")
        self.ask.tooltip = "Show the configuration that the chapter recommends"
        about = [
            text("Prune how much?" if self.live else "Prune how much, 0 to 1?"),
            self.target,
            self.trained,
            text("What is it for?"),
            self.scenario,
        ]
        self.questions = plain.HBox([*about, self.ask])
        self.questions.add_class("entrenar-viz-buttons")

    def _build_own(self) -> None:
        name = plain.Text(placeholder="name of a preset", tooltip="Name of a preset", layout=w.Layout(width="200px"))
        self.name = named(name, "Name of a preset")
        self.save = plain.Button(description="Save as preset")
        self.replace = plain.Button(description="Replace", button_style="warning")
        mine = plain.Dropdown(options=[("your presets", NONE)], tooltip="Your presets", layout=w.Layout(width="140px"))
        self.mine = named(mine, "Your presets")
        self.delete = plain.Button(description="Delete", tooltip="Delete this preset")
        self.saving = plain.HBox([self.name, self.save, self.replace, self.mine, self.delete])
        self.saving.add_class("entrenar-viz-buttons")
        show(self.replace, False)

    def _listen(self, guarded: Guard) -> None:
        self.picker.observe(guarded(lambda change: self._pick(change.new)), "value")
        self.unfold.observe(lambda change: show(self.more, change.new), "value")
        self.ask.on_click(guarded(lambda _: self._recommend()))
        if self.own:  # a visitor can press buttons that are not shown
            self.save.on_click(guarded(lambda _: self._save(overwrite=False)))
            self.replace.on_click(guarded(lambda _: self._save(overwrite=True)))
            self.delete.on_click(guarded(lambda _: self._delete()))
            self.name.observe(lambda _: show(self.replace, False), "value")

    def _pick(self, picked: tuple[str, str] | str) -> None:
        if isinstance(picked, str):
            return
        kind, name = picked
        self.picker.value = NONE  # so that the same one can be picked again
        try:
            if kind == CHAPTER:
                total = self.total_steps()
                self.load(presets.BUILT_IN[name].config(total), total)
                self.say(f"{name}: {presets.BUILT_IN[name].description}.")
            else:
                self.load(self._own[name].config, self._own[name].total_steps)
                self.say(f"Loaded your preset {name}.")
        except EntrenarVizError as error:
            self.say(str(error))

    def _recommend(self) -> None:
        if isinstance(self.target, Field) and self.target.problem:
            self.say(f"Nothing was recommended: {self.target.problem}.")
            return
        try:
            total = self.total_steps()
            trained, scenario = self.trained.value, self.scenario.value or None
            advice = recommend(float(self.target.value), total, post_training=trained, scenario=scenario)
            self.load(advice.config, total)
        except EntrenarVizError as error:
            self.say(str(error))
        else:
            self.say(f"Recommended: {advice.reason}.")

    def _save(self, *, overwrite: bool) -> None:
        name = self.name.value.strip()
        try:
            pin = self.present(name)
            exists = name in presets.load()
            presets.save(name, pin.config, pin.total_steps, overwrite=overwrite)
        except (EntrenarVizError, OSError) as error:
            taken = not overwrite and isinstance(error, ConfigError) and name in self._names()
            self.say(f"You have a preset {name} already." if taken else f"Nothing was saved: {about_name(error)}")
            show(self.replace, taken)
        else:
            self.fill()
            show(self.replace, False)
            self.say(f"{'Replaced' if exists else 'Saved'} your preset {name}.")

    def _names(self) -> set[str]:
        try:
            return set(presets.load())
        except (ConfigError, OSError):
            return set()

    def _delete(self) -> None:
        name = self.mine.value
        if name == NONE:
            self.say("Pick the preset to delete.")
            return
        try:
            presets.delete(name)
        except (ConfigError, OSError) as error:
            self.say(f"Nothing was deleted: {about_name(error)}")
        else:
            self.fill()
            self.say(f"Deleted your preset {name}.")


def _shortly(name: str) -> str:
    """The schedule of a scenario, for the list."""
    return SCENARIOS[name][0].__name__
