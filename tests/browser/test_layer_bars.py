"""The bars of layers in JupyterLab, with made-up layers: dragged, typed, locked, searched, and told to the kernel."""

import pytest

from tests.browser.cells import BARS
from tests.browser.test_accessibility import OF_IPYWIDGETS, violations
from tests.browser.test_widths import CUT_OFF

pytestmark = pytest.mark.browser
UP_PROJ = 5  # of the first block


@pytest.fixture(scope="module")
def opened(open_once):
    return open_once(BARS)


@pytest.fixture
def notebook(opened):
    opened.page.get_by_label("Bars", exact=True).select_option("layer")
    show(opened, 24, uneven=0.15)
    opened.page.get_by_role("button", name="kept energy").click()
    opened.wait("bars.what === 'kept'")
    yield opened
    assert opened.python("[str(error) for error in explorer.errors]") == []
    assert opened.errors == []


def show(notebook, count, **how):
    """Other layers, of which none is picked and nothing told."""
    given = "".join(f", {name}={value}" for name, value in how.items())
    _, page = notebook.python(f"[bars.empty(), show({count}{given})]")
    notebook.wait("bars.bars.length > 0 && bars.plan.page === argument", page)


def middle(notebook, index):
    """The middle of a bar's filling's upper edge, and how many pixels all of a bar are, in the page."""
    bar, plot = notebook.bars["bars"][index], notebook.bars["plot"]
    box = notebook.page.locator(".entrenar-viz-bars-canvas").bounding_box()
    return box["x"] + bar["x"] + bar["width"] / 2, box["y"] + bar["top"], plot["bottom"] - plot["top"]


def drag(notebook, index, by):
    """Move a bar's filling by so much of the whole, and hold it."""
    x, y, whole = middle(notebook, index)
    mouse = notebook.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x, y - by * whole, steps=6)


def handle(notebook):
    return notebook.page.locator(".entrenar-viz-bar-handle")


def go_to(notebook, index):
    """Press a bar, so that it is the current one."""
    x, y, whole = middle(notebook, index)
    notebook.page.mouse.click(x, y + (notebook.bars["bars"][index]["share"] - 0.5) * whole)
    notebook.wait("bars.current === argument", index)


def budget(notebook, plan):
    """How many weights are to be pruned of all layers that are not skipped."""
    weights = notebook.python("[one['weights'] for one in bars.layers]")
    return int(plan["sparsity"] * sum(n for i, n in enumerate(weights) if i not in plan["skipped"]) + 0.5)


def test_the_others_give_way_while_a_bar_is_dragged_and_the_kernel_hears_of_its_end(notebook):
    before = notebook.bars
    drag(notebook, UP_PROJ, 0.1)
    notebook.wait("Math.abs(bars.bars[5].share - argument) < 0.01", before["bars"][UP_PROJ]["share"] + 0.1)
    held = notebook.bars
    assert held["pruned"] == before["pruned"] == budget(notebook, held["plan"])
    assert notebook.python("told") == []
    others = [i for i in range(24) if i != UP_PROJ]
    assert all(held["bars"][i]["share"] <= before["bars"][i]["share"] for i in others)
    assert [one["x"] for one in held["bars"]] == [one["x"] for one in before["bars"]]
    notebook.page.mouse.up()
    notebook.until("len(told)", 1)
    assert notebook.python("told[0]['pruned']") == held["plan"]["pruned"]
    assert notebook.python("sorted(told[0])") == ["locked", "page", "pruned", "skipped", "told"]
    notebook.python("answer(told[0])")
    notebook.wait("bars.plan.told > 0")
    assert notebook.bars["plan"]["pruned"] == held["plan"]["pruned"]


def test_a_drag_that_comes_back_leaves_everything_as_it_was(notebook):
    before = notebook.bars["plan"]["pruned"]
    x, y, whole = middle(notebook, UP_PROJ)
    drag(notebook, UP_PROJ, 10)
    notebook.wait("bars.bars[5].share === 1")
    for place in (y + 10 * whole, y - 3 * whole, y):
        notebook.page.mouse.move(x, place, steps=4)
    notebook.page.keyboard.down("Alt")  # as fine as the pointer
    notebook.page.mouse.move(x, y + 1)
    notebook.page.mouse.move(x, y)
    notebook.page.mouse.up()
    notebook.page.keyboard.up("Alt")
    notebook.wait("JSON.stringify(bars.plan.pruned) === JSON.stringify(argument)", before)
    assert notebook.python("told") == []


def test_a_locked_layer_keeps_its_number_and_a_skipped_one_leaves_the_budget(notebook):
    go_to(notebook, 4)
    notebook.page.get_by_label("Lock", exact=True).check()
    notebook.wait("bars.bars[4].locked")
    go_to(notebook, 3)
    notebook.page.keyboard.press("s")
    notebook.wait("bars.bars[3].skipped && bars.bars[3].share === 0")
    kept = notebook.bars["plan"]["pruned"][4]
    drag(notebook, UP_PROJ, 0.2)
    notebook.page.mouse.up()
    notebook.until("len(told)", 3)
    plan = notebook.bars["plan"]
    assert (plan["locked"], plan["skipped"], plan["pruned"][4]) == ([4], [3], kept)
    assert sum(plan["pruned"]) == budget(notebook, plan)
    drag(notebook, 4, -0.3)
    notebook.page.get_by_text("It is locked and keeps its sparsity: unlock it first.").wait_for()
    notebook.page.mouse.up()
    assert notebook.bars["plan"]["pruned"] == plan["pruned"]
    go_to(notebook, 3)
    notebook.page.get_by_label("Skip", exact=True).uncheck()
    notebook.wait("!bars.bars[3].skipped && Math.abs(bars.bars[3].share - 0.8) < 1e-3")


def test_where_the_others_cannot_give_way_it_stops(notebook):
    show(notebook, 3, sparsity=0.5, uneven=0.15)
    for index in (1, 2):
        go_to(notebook, index)
        handle(notebook).press("l")
    go_to(notebook, 0)
    before = notebook.bars["plan"]["pruned"]
    handle(notebook).press("ArrowUp")
    notebook.page.get_by_text("It goes no further: it or the other layers are locked or at their bounds.").wait_for()
    assert notebook.bars["plan"]["pruned"] == before
    handle(notebook).press("s")
    notebook.page.get_by_text("Nothing has changed: the other layers are locked or at their bounds").wait_for()
    assert (notebook.bars["plan"]["pruned"], notebook.bars["plan"]["skipped"]) == (before, [])
    notebook.python("answer(told[-1], locked=[])")
    notebook.page.get_by_text("Nothing has changed: ").wait_for(state="hidden")


def test_keys_move_the_current_bar(notebook):
    go_to(notebook, 0)
    slider = handle(notebook)
    assert slider.get_attribute("aria-label") == "model.layers.0.self_attn.q_proj.weight"
    slider.press("ArrowRight")
    slider.press("ArrowLeft")
    notebook.wait("bars.current === 0")
    notebook.page.get_by_label("Planned sparsity").fill("50")
    notebook.page.get_by_label("Planned sparsity").press("Enter")
    notebook.wait("bars.bars[0].share === 0.5")
    for key, share in [("ArrowUp", 0.51), ("Shift+ArrowUp", 0.6), ("Alt+ArrowDown", 0.599), ("End", 1), ("Home", 0)]:
        slider.press(key)
        notebook.wait("Math.abs(bars.bars[0].share - argument) < 2e-4", share)
        assert notebook.bars["pruned"] == budget(notebook, notebook.bars["plan"])
    assert slider.get_attribute("aria-valuenow") == "0"
    slider.press("l")
    assert slider.get_attribute("aria-valuetext") == "0% of 4,096 weights, locked"
    notebook.until("[one['told'] - told[0]['told'] for one in told]", [0, 1, 2, 3, 4, 5, 6])


def test_a_typed_number_is_read_strictly_and_set_as_nearly_as_weights_allow(notebook):
    go_to(notebook, UP_PROJ)
    entry = notebook.page.get_by_label("Planned sparsity")
    entry.fill("0,5")
    entry.press("Enter")
    notebook.page.get_by_text("is no percentage: write 0.5% or 50%").wait_for()
    entry.fill("71.25")
    entry.press("Enter")
    notebook.wait("bars.plan.pruned[5] === argument", round(0.7125 * 172 * 64))
    assert entry.input_value() == "71.25%"
    assert notebook.page.get_by_text("is no percentage").count() == 0


def test_undo_is_asked_for_with_the_plan_and_stays_inside(notebook):
    page = notebook.page
    undo = page.locator(".entrenar-viz-bars").get_by_role("button", name="Undo")
    assert undo.is_disabled()
    notebook.type("Target sparsity", "61")  # of the explorer, which has an undo of its own
    notebook.until("explorer.config.target_sparsity", 0.61)
    go_to(notebook, UP_PROJ)
    handle(notebook).press("ArrowUp")
    handle(notebook).press("Control+z")
    notebook.until("[one.get('ask') for one in told]", [None, {"do": "undo"}])
    assert notebook.python("told[0]['pruned'] == told[1]['pruned'] and told[1]['told'] == told[0]['told'] + 1")
    notebook.python("answer(told[1], redo=True, undo=False)")
    notebook.wait("bars.plan.redo")
    handle(notebook).press("Control+Shift+z")
    notebook.until("told[-1].get('ask')", {"do": "redo"})
    assert notebook.python("explorer.config.target_sparsity") == 0.61
    assert undo.is_enabled()
    notebook.python("explorer.reset()")


def test_a_plan_older_than_what_was_changed_here_is_left_alone(notebook):
    go_to(notebook, UP_PROJ)
    handle(notebook).press("ArrowUp")
    handle(notebook).press("ArrowUp")
    notebook.until("len(told)", 2)
    newest = notebook.bars["plan"]["pruned"]
    notebook.python("answer(told[0])")
    notebook.python("bars.tell(bars.plan | {'undo': False})")
    assert notebook.bars["plan"]["pruned"] == newest
    notebook.python("answer(told[1])")
    notebook.wait("bars.plan.told === argument", notebook.python("told[1]['told']"))
    assert notebook.bars["plan"]["pruned"] == newest
    notebook.python("bars.tell(bars.plan | {'pruned': told[0]['pruned']})")
    notebook.wait("JSON.stringify(bars.plan.pruned) === JSON.stringify(argument)", notebook.python("told[0]['pruned']"))


def test_a_plan_that_comes_during_a_drag_waits_for_its_end(notebook):
    drag(notebook, UP_PROJ, 0.1)
    notebook.wait("bars.bars[5].share > 0.7")
    held = notebook.bars["plan"]["pruned"]
    notebook.python("bars.tell(bars.plan | {'undo': True})")
    assert notebook.bars["plan"]["pruned"] == held
    notebook.page.mouse.up()
    notebook.until("told[0]['pruned']", held)


def test_layers_are_found_and_those_that_are_not_still_give_way(notebook):
    search = notebook.page.get_by_label("Search layers")
    search.fill("up_proj 1.")
    notebook.wait("bars.bars.length === 1 && bars.shown === 1")
    notebook.page.get_by_text("1 of 24 layers").wait_for()
    before = notebook.bars
    drag(notebook, 0, -0.3)
    notebook.page.mouse.up()
    notebook.until("len(told)", 1)
    assert notebook.bars["pruned"] == before["pruned"]
    assert notebook.bars["plan"]["pruned"] != before["plan"]["pruned"]
    search.fill("nothing like it")
    notebook.page.get_by_text("Nothing is found: search for another part of a name.").wait_for()
    search.press("Escape")
    notebook.wait("bars.bars.length === 24")


def test_a_group_is_moved_locked_and_opened(notebook):
    page = notebook.page
    page.get_by_label("Bars", exact=True).select_option("block")
    notebook.wait("bars.bars.length === 4 && bars.bars[1].name === 'model.layers.1' && bars.bars[1].label === '1'")
    before = notebook.bars
    drag(notebook, 1, -0.2)
    page.mouse.up()
    notebook.until("len(told)", 1)
    after = notebook.bars
    assert after["pruned"] == before["pruned"]
    assert after["bars"][1]["share"] == pytest.approx(before["bars"][1]["share"] - 0.2, abs=0.01)
    inside = range(7, 14)
    kept = [1 - after["plan"]["pruned"][i] / before["plan"]["most"][i] for i in inside]
    was = [1 - before["plan"]["pruned"][i] / before["plan"]["most"][i] for i in inside]
    assert [now / then for now, then in zip(kept, was, strict=True)] == pytest.approx([kept[4] / was[4]] * 7, rel=0.02)
    handle(notebook).press("l")
    notebook.wait("bars.bars[1].locked")
    handle(notebook).press("Enter")
    notebook.wait("bars.bars.length === 7 && bars.bars[0].label === 'self_attn.q_proj'")
    page.get_by_text("7 of 24 layers").wait_for()
    page.get_by_role("button", name="only 1").click()
    notebook.wait("bars.bars.length === 4 && bars.current === 1")
    page.get_by_label("Bars", exact=True).select_option("role")
    notebook.wait("bars.bars.length === 7 && bars.bars[5].name === 'mlp.up_proj'")
    page.get_by_role("button", name="Show its 4 layers").click()
    notebook.wait("bars.bars.length === 4 && bars.bars[3].label === '3'")


def test_a_pressed_layer_is_picked_and_its_mask_follows_the_drag(notebook):
    page = notebook.page
    mask = "(document.querySelector('.entrenar-viz-bar-mask').drawn ?? {})"
    go_to(notebook, UP_PROJ)
    notebook.until("bars.picked", UP_PROJ)
    notebook.wait(f"{mask}.note === 'Its masks are being prepared.'")
    notebook.python("setattr(bars, 'shown', 5)")
    notebook.wait(f"{mask}.note === '' && Math.abs({mask}.got - bars.bars[5].share) < 0.001")
    drag(notebook, UP_PROJ, 0.2)
    notebook.wait(f"bars.bars[5].share > 0.8 && Math.abs({mask}.got - bars.bars[5].share) < 0.001")
    page.mouse.up()
    handle(notebook).press("ArrowRight")
    notebook.wait(f"{mask}.note === 'Press the bar to see its mask.'")
    notebook.python("setattr(bars, 'picked', 2)")
    notebook.wait("bars.current === 2")


def test_three_hundred_layers_are_scrolled_and_stay_usable(notebook):
    show(notebook, 300)
    page = notebook.page
    assert min(bar["width"] for bar in notebook.bars["bars"]) == 14
    box = page.locator(".entrenar-viz-bars-canvas").bounding_box()
    go_to(notebook, 0)
    handle(notebook).press("ArrowLeft")
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    notebook.wait("bars.current === 60 && bars.scroll > 0")
    bar, plot = notebook.bars["bars"][60], notebook.bars["plot"]
    assert plot["left"] <= bar["x"] + 1
    assert bar["x"] + bar["width"] <= plot["right"] + 1
    assert page.locator(".entrenar-viz-bars-canvas").bounding_box() == box
    drag(notebook, 58, -0.3)
    page.mouse.up()
    notebook.until("len(told)", 1)
    assert notebook.bars["pruned"] == budget(notebook, notebook.bars["plan"])
    page.locator(".entrenar-viz-bars-scroller").evaluate("(scroller) => { scroller.scrollLeft = 1e6; }")
    notebook.wait("bars.bars[299].x + bars.bars[299].width <= bars.plot.right + 1")


def test_without_a_plan_there_is_only_a_note(notebook):
    notebook.python("bars.empty()")
    notebook.page.get_by_text("There is no plan of layers yet.").wait_for()
    notebook.wait("bars.bars.length === 0")
    assert handle(notebook).is_hidden()
    show(notebook, 3, error=False)
    assert notebook.page.get_by_role("button", name="output error").is_hidden()
    assert notebook.page.get_by_text("There is no plan of layers yet.").is_hidden()
    show(notebook, 3)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_there_is_no_serious_violation(notebook, theme):
    notebook.theme(theme)
    notebook.wait("bars.dark === argument", "Dark" in theme)
    assert violations(notebook, OF_IPYWIDGETS) == []
    notebook.page.get_by_label("Bars", exact=True).select_option("block")
    assert violations(notebook, OF_IPYWIDGETS) == []
    notebook.theme("JupyterLab Light")


def test_no_box_cuts_off_what_it_says(notebook):
    go_to(notebook, UP_PROJ)
    widths = [380, 500, 848, 1100]
    assert {width: notebook.page.evaluate(CUT_OFF, width) for width in widths} == {width: [] for width in widths}
    notebook.page.evaluate("document.querySelector('.entrenar-viz').style.width = ''")


def test_fewer_layers_come_in_the_place_of_more(notebook):
    go_to(notebook, 20)
    page = notebook.python("show(3)")
    notebook.wait("bars.bars.length === 3 && bars.current === 0 && bars.plan.page === argument", page)
