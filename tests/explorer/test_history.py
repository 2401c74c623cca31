"""Undo, redo, reset: one entry for each gesture, and back to exactly what there was."""

from hypothesis import given, settings
from hypothesis import strategies as st

from entrenar_viz import NM, Cubic, Explorer, OneShot, PruningConfig
from entrenar_viz.explorer.controls.history import MAX_ENTRIES, History
from tests.explorer.hands import press_fix, put, tell
from tests.strategies import configs

SHARED: list[Explorer] = []


def drag(explorer, name, gesture, *values):
    """What the page tells during a drag."""
    for value in values:
        put(explorer, gesture=gesture, **{name: value})


def entries(explorer, name):
    """What there was of a control in each entry."""
    return [getattr(entry, name) for entry in explorer._parts.state.history.entries]


class Model:
    """The history as two lists: the naive reference."""

    def __init__(self, first):
        self.first = self.now = first
        self.past, self.future, self.gesture = [], [], None

    def record(self, state, gesture):
        if state == self.now:
            return
        if gesture is None or gesture != self.gesture:
            self.past.append(self.now)
        self.now, self.future, self.gesture = state, [], gesture
        if self.past and self.past[-1] == state:
            self.past.pop()
            self.gesture = None

    def undo(self):
        if not self.past:
            return None
        self.future.insert(0, self.now)
        self.now, self.gesture = self.past.pop(), None
        return self.now

    def redo(self):
        if not self.future:
            return None
        self.past.append(self.now)
        self.now, self.gesture = self.future.pop(0), None
        return self.now

    def reset(self):
        if self.now == self.first:
            return None
        self.gesture = None
        self.record(self.first, None)
        return self.now


RECORDS = st.tuples(st.just("record"), st.integers(0, 3), st.sampled_from([None, 1, 2]))
ACTS = st.one_of(RECORDS, st.sampled_from([("undo",), ("redo",), ("reset",)]))


@given(st.lists(ACTS, max_size=60), st.integers(0, 3))
def test_the_history_is_two_lists(acts, first):
    history, model = History[int](), Model(first)
    history.record(first)
    for name, *arguments in acts:
        assert getattr(history, name)(*arguments) == getattr(model, name)(*arguments)
        assert history.entries == [*model.past, model.now, *model.future]
        assert history.present == model.now
        assert (history.can_undo, history.can_redo) == (bool(model.past), bool(model.future))
        assert history.can_reset == (model.now != first)


def test_the_oldest_entries_go_and_reset_still_knows_the_first():
    history = History[int]()
    for state in range(1000):
        history.record(state)
    assert len(history.entries) == MAX_ENTRIES == 200
    assert [history.undo() for _ in range(199)][-1] == 800
    assert history.undo() is None
    assert history.reset() == 0


def test_an_empty_history_has_nowhere_to_go():
    history = History[int]()
    assert (history.present, history.undo(), history.redo(), history.reset()) == (None, None, None, None)


def test_a_drag_is_one_entry_and_two_drags_are_two():
    explorer = Explorer()
    opened = explorer.config
    drag(explorer, "target", 11.5, 0.55, 0.6, 0.65)
    between = explorer.config
    drag(explorer, "target", 12.5, 0.7, 0.8)
    explorer.undo()
    assert explorer.config == between
    explorer.undo()
    assert explorer.config == opened
    assert not explorer._parts.state.can["undo"]
    explorer.redo()
    explorer.redo()
    assert explorer.config.target_sparsity == 0.8
    assert not explorer._parts.state.can["redo"]
    assert explorer.errors == []
    explorer.close()


def test_a_drag_that_comes_back_is_no_entry():
    explorer = Explorer()
    drag(explorer, "target", 3.0, 0.6, 0.5)
    assert not explorer._parts.state.can["undo"]
    drag(explorer, "target", 3.0, 0.7)
    explorer.undo()
    assert explorer.config.target_sparsity == 0.5
    explorer.close()


def test_drags_that_a_busy_kernel_heard_of_together_are_entries_of_their_own():
    explorer = Explorer()
    values = explorer._parts.state.values()
    ended = [[gesture, values | {"target": target}] for gesture, target in [(3.0, 0.6), (5.0, 0.7)]]
    drag(explorer, "target", 3.0, 0.51)  # at once
    tell(explorer, values=values | {"target": 0.8}, gesture=9.0, ended=ended)
    assert entries(explorer, "target") == [0.5, 0.6, 0.7, 0.8]
    values = explorer._parts.state.values()
    moved = [(9.0, values), (11.0, values | {"start_step": 5000}), (12.0, values | {"start_step": 2000})]
    tell(explorer, values=values | {"start_step": 3000}, gesture=13.0, ended=moved)
    assert entries(explorer, "start_step")[-3:] == [1000, 2000, 3000]  # and none that is no configuration
    for before in (2000, 1000):
        explorer.undo()
        assert explorer.config.schedule.start_step == before
    explorer.undo()
    assert explorer.config.target_sparsity == 0.7
    drag(explorer, "target", 20.0, 0.9)
    assert entries(explorer, "target") == [0.5, 0.6, 0.7, 0.9]
    assert explorer.errors == []
    explorer.close()


def test_gestures_that_were_told_already_are_not_entered_again():
    explorer = Explorer()
    values = explorer._parts.state.values()
    ended = [[3.0, values | {"target": 0.6}]]
    tell(explorer, values=values | {"target": 0.7}, gesture=5.0, ended=ended)
    tell(explorer, values=values | {"target": 0.8}, gesture=5.0, ended=ended)
    tell(explorer, values=values | {"target": 0.8, "method": "wanda"}, gesture=6.0, ended=ended)
    assert entries(explorer, "target") == [0.5, 0.6, 0.8, 0.8]
    explorer.close()


def test_what_is_looked_at_is_no_entry(explorer):
    put(explorer, cursor=77)
    put(explorer, window_row=5)
    assert not explorer._parts.state.can["undo"]
    put(explorer, target=0.7)
    put(explorer, cursor=99)
    explorer.undo()
    assert (explorer.config.target_sparsity, explorer._parts.state.settings.cursor) == (0.5, 99)


def test_a_bare_slider_is_one_entry_until_another_control_changes():
    explorer = Explorer(view="matplotlib")
    for value in (0.6, 0.7, 0.8):
        put(explorer, target=value)
    put(explorer, method="wanda")
    put(explorer, target=0.9)
    targets = []
    while explorer._parts.state.can["undo"]:
        explorer.undo()
        targets.append(explorer.config.target_sparsity)
    assert targets == [0.8, 0.8, 0.5]
    explorer.close()


def test_each_choice_is_an_entry(explorer):
    for method in ("wanda", "sparse_gpt"):
        put(explorer, method=method)
    explorer.undo()
    assert explorer.config.method == "wanda"
    explorer.undo()
    assert explorer.config.method == "magnitude"


def test_fixes_imports_and_loads_are_one_entry_each(explorer):
    put(explorer, frequency=300)
    press_fix(explorer)
    explorer._parts.exchange.importing.paste.value = PruningConfig(
        pattern=NM(n=2, m=4), schedule=OneShot(step=3)
    ).to_json()
    explorer._parts.exchange.importing.take.click()
    explorer.load(PruningConfig(schedule=Cubic(start_step=0, end_step=60_000, final_sparsity=0.5)))
    assert explorer.total_steps == 100_000
    explorer.undo()
    assert (explorer.total_steps, explorer.config.pattern) == (10_000, NM(n=2, m=4))
    explorer.undo()
    assert explorer.config.schedule.frequency == 250
    explorer.undo()
    assert explorer.config.schedule.frequency == 300
    explorer.undo()
    assert not explorer._parts.state.can["undo"]


def test_reset_goes_to_what_it_was_opened_with_and_can_be_undone():
    opened, later = PruningConfig(schedule=OneShot(step=7)), PruningConfig(method="wanda")
    explorer = Explorer(opened, total_steps=90)
    assert not explorer._parts.state.can["reset"]
    explorer.load(later, 70)
    explorer.reset()
    assert (explorer.config, explorer.total_steps) == (opened, 90)
    explorer.undo()
    assert (explorer.config, explorer.total_steps) == (later, 70)
    explorer.close()


def test_what_is_drawn_and_not_exported_comes_back_too(explorer):
    put(explorer, one_shot_step=77)
    put(explorer, schedule="one_shot")
    explorer.undo()
    explorer.undo()
    assert explorer._parts.state.settings.one_shot_step == 2000


def test_undo_after_a_mistake_goes_back_to_the_last_configuration(explorer):
    put(explorer, frequency=250)
    good = explorer.config
    put(explorer, start_step=5000, end_step=5000)
    assert explorer.problems
    explorer.undo()
    assert (explorer.problems, explorer.config) == ((), good)
    assert explorer._parts.state.settings.start_step == 1000
    put(explorer, start_step=5000, end_step=5000)
    explorer.reset()
    assert explorer.config.schedule.frequency == 500
    explorer.undo()
    assert explorer.config == good


def test_an_entry_that_was_not_understood_is_forgotten_by_undo():
    explorer = Explorer()
    tell(explorer, unread={"target": "x is no percentage"})
    assert explorer._parts.state.can["undo"]
    explorer.undo()
    assert (explorer.problems, explorer._parts.live.settings["unread"]) == ((), {})
    explorer.undo()
    assert not explorer._parts.state.can["undo"]
    explorer.close()


def test_what_a_page_asks_for_goes_with_its_settings():
    explorer = Explorer()
    values = explorer._parts.state.values()
    put(explorer, method="wanda")
    tell(explorer, values=values | {"method": "sparse_gpt"}, gesture=7.0, ask={"do": "undo"})
    assert explorer.config.method == "wanda"
    tell(explorer, ask={"do": "redo"})
    assert explorer.config.method == "sparse_gpt"
    assert explorer.errors == []
    for ask in ("undo", {"do": "close"}, {"do": "undo()"}, {"do": "language", "name": 3}, {"do": "open", "name": "x"}):
        tell(explorer, ask=ask)
    assert len(explorer.errors) == 5
    assert explorer.config.method == "sparse_gpt"
    explorer.close()


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(configs(st.integers(0, 200_000)), st.integers(1, 10**6)), min_size=1, max_size=5))
def test_undo_and_redo_restore_exactly(loads):
    explorer = SHARED[0] if SHARED else Explorer()
    SHARED[:] = [explorer]
    seen = [(explorer.config, explorer.total_steps)]
    for config, total_steps in loads:
        explorer.load(config, total_steps)
        now = (config, total_steps)
        if now != seen[-1]:
            seen.append(now)
    for before in seen[-2::-1]:
        explorer.undo()
        while (explorer.config, explorer.total_steps) != before:  # the same seen, and other curves beside it
            explorer.undo()
    for after in seen[1:]:
        explorer.redo()
        while (explorer.config, explorer.total_steps) != after:
            explorer.redo()
    assert explorer.errors == []
    assert (explorer.config, explorer.total_steps) == seen[-1]
