"""The tab "Start from": a recommendation after three questions, and presets of one's own."""

from collections.abc import Callable

from entrenar_viz.analysis.advice import SCENARIOS, recommend
from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import ConfigError, EntrenarVizError
from entrenar_viz.explorer.controls.numbers import parsed
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import Guard, about_name, button, heading, line, named, show, text
from entrenar_viz.workspace import presets

CHAPTER, OWN = "chapter", "own"
NONE = ""  # not None, which a list shows as nothing


class StartPanel(plain.VBox):
    """``present`` is what to save as a preset, ``load`` shows a configuration in a training of some steps.

    ``own`` says whether the user's presets are offered: they are files of whoever runs the kernel. ``changed`` hears
    that there are other presets to ``pick``.
    """

    def __init__(
        self,
        present: Callable[[str | None], Pin],
        total_steps: Callable[[], int],
        load: Callable[[PruningConfig, int], None],
        changed: Callable[[], None],
        guarded: Guard,
        *,
        own: bool,
    ) -> None:
        self.present, self.total_steps, self.load, self.changed, self.own = present, total_steps, load, changed, own
        self._own: dict[str, Pin] = {}
        self.status = text()
        self._recommended: PruningConfig | None = None
        self._build_questions(guarded)
        self._build_own(guarded)
        saving = [heading("Presets of your own"), self.saving] if own else []
        super().__init__([heading("A recommendation"), self.questions, *saving, self.status])
        self._list()

    def _build_questions(self, guarded: Guard) -> None:
        share = plain.Text("50%", tooltip="A percentage, such as 50%")
        self.target = named(share, "Sparsity to recommend for")
        self.trained = plain.Checkbox(description="it is trained already", indent=False)
        scenarios = [("something else", NONE), *((name, name) for name in SCENARIOS)]
        self.scenario = named(plain.Dropdown(options=scenarios, tooltip="What it is for"), "What it is for")
        self.ask = button("Recommend", "Show the configuration that the chapter recommends", guarded(self._recommend))
        about = [text("Prune how much?"), self.target, self.trained, text("What is it for?"), self.scenario]
        self.questions = line(*about, self.ask)

    def _build_own(self, guarded: Guard) -> None:
        self.name = named(plain.Text(placeholder="name of a preset", tooltip="Name of a preset"), "Name of a preset")
        self.save = button("Save as preset", "Keep the present configuration", guarded(lambda: self._save(False)))
        self.replace = button("Replace", "Save over the preset of that name", guarded(lambda: self._save(True)))
        self.replace.button_style = "warning"
        mine = plain.Dropdown(options=[("your presets", NONE)], tooltip="Your presets")
        self.mine = named(mine, "Your presets")
        self.delete = button("Delete", "Delete this preset", guarded(self._delete))
        self.saving = line(self.name, self.save, self.replace, self.mine, self.delete)
        self.name.observe(lambda _: show(self.replace, False), "value")
        self.mine.observe(lambda _: self.say(""), "value")
        show(self.replace, False)

    def _list(self) -> None:
        """List the presets as they are now; a broken file is reported, and the chapter's ones stay."""
        try:
            self._own = presets.load() if self.own else {}
        except (ConfigError, OSError) as error:
            self._own = {}
            self.say(f"Your presets cannot be read: {error}")
        self.mine.options = [("your presets", NONE), *((name, name) for name in self._own)]

    @property
    def offered(self) -> list[dict[str, str]]:
        """What can be picked: the label of each, and the two words by which ``pick`` knows it."""
        chapter = [(f"{name}: {SCENARIOS[name][0].__name__}", CHAPTER, name) for name in presets.BUILT_IN]
        own = [(f"mine: {name}", OWN, name) for name in self._own]
        return [{"label": label, "kind": kind, "name": name} for label, kind, name in (*chapter, *own)]

    def pick(self, kind: str, name: str) -> str:
        """Show a preset, and say what it is; EntrenarVizError if there is none of that name any more."""
        if kind == CHAPTER and name in presets.BUILT_IN:
            total = self.total_steps()
            self.load(presets.BUILT_IN[name].config(total), total)
            return f"{name}: {presets.BUILT_IN[name].description}."
        if kind == OWN and name in self._own:
            self.load(self._own[name].config, self._own[name].total_steps)
            return f"Loaded your preset {name}."
        raise EntrenarVizError(f"there is no preset {name!r:.80}")

    def follow(self, config: PruningConfig) -> None:
        """Take back what was recommended once it is no more what is shown."""
        if self._recommended and config != self._recommended:
            self.say("")

    def say(self, message: str) -> None:
        """Tell what was recommended and why, or what went wrong."""
        self.status.value, self._recommended = message, None

    def _recommend(self) -> None:
        try:
            target = parsed("fraction", self.target.value)
        except EntrenarVizError as error:
            self.say(f"Nothing was recommended: {error}.")
            return
        try:
            total = self.total_steps()
            advice = recommend(target, total, post_training=self.trained.value, scenario=self.scenario.value or None)
            self.load(advice.config, total)
        except EntrenarVizError as error:
            self.say(str(error))
        else:
            self.say(f"Recommended: {advice.reason}.")
            self._recommended = advice.config

    def _save(self, overwrite: bool) -> None:
        if not self.own:  # a visitor can press buttons that are not shown
            return
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
            self._list()
            self.changed()
            show(self.replace, False)
            self.say(f"{'Replaced' if exists else 'Saved'} your preset {name}.")

    def _names(self) -> set[str]:
        try:
            return set(presets.load())
        except (ConfigError, OSError):
            return set()

    def _delete(self) -> None:
        name = self.mine.value
        if not self.own or name == NONE:
            self.say("Pick the preset to delete.")
            return
        try:
            presets.delete(name)
        except (ConfigError, OSError) as error:
            self.say(f"Nothing was deleted: {about_name(error)}")
        else:
            self._list()
            self.changed()
            self.say(f"Deleted your preset {name}.")
