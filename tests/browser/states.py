"""The states of the explorer that the documents show: how each is reached, and which part of the page tells it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from jupyter_browser.notebook import Notebook
from tests.browser.camera import around
from tests.browser.cells import (
    CALIBRATED,
    EXPLORER,
    FOUND,
    HELD_MODEL,
    LARGE,
    LAYERS,
    LOGGED,
    MANY,
    MANY_LAYERS,
    MODEL,
    PATTERNS,
    PINNED,
    PLANNED,
    REHEARSED,
)

Clip = dict[str, float]


@dataclass(frozen=True)
class State:
    """A picture: the cell, what is done then, and the part of the page to show."""

    name: str
    act: Callable[[Notebook], None]
    part: Callable[[Notebook], Clip]
    cell: str = EXPLORER
    size: dict[str, float] = field(default_factory=dict)


def whole(notebook: Notebook) -> Clip:
    return around(notebook.page.locator(".entrenar-viz").first)


def shown(*selectors: str) -> Callable[[Notebook], Clip]:
    """The part with the first element of each selector."""
    return lambda notebook: around(*(notebook.page.locator(one).first for one in selectors))


def the_plot(notebook: Notebook) -> Clip:
    """From the buttons above the plot to the names of its axis."""
    clip = around(notebook.page.locator(".entrenar-viz-tools"))
    stage = notebook.page.locator(".entrenar-viz-canvas").bounding_box()
    return clip | {"height": stage["y"] + notebook.drawn["plot"]["bottom"] + 42 - clip["y"]}


def top_of(height: float) -> Callable[[Notebook], Clip]:
    """The explorer as far down as that."""
    return lambda notebook: whole(notebook) | {"height": height}


CANVAS = shown(".entrenar-viz-canvas")
MASKS = shown(".entrenar-viz-body", ".entrenar-viz-tabs")
EXPORT = shown(".entrenar-viz-menu")
TABS = shown(".entrenar-viz-tabs")


def nothing(_: Notebook) -> None:
    pass


def missed(notebook: Notebook) -> None:
    notebook.type("Steps between updates", "300")
    notebook.page.get_by_text("300 does not divide the window of 4,000 steps").wait_for()
    notebook.wait("drawn.staircase.at(-1)[0] === 4900")


def masks_drawn(count: int) -> Callable[[Notebook], None]:
    return lambda notebook: notebook.wait(
        f"drawn.panels.length === {count} && drawn.panels.some((panel) => panel.got > 0)"
    )


def detailed(notebook: Notebook) -> None:
    masks_drawn(3)(notebook)
    notebook.wait("details.thresholds && details.thresholds.cubic !== null")


def windowed(notebook: Notebook) -> None:
    masks_drawn(3)(notebook)
    notebook.wait("details.window !== null && details.window !== undefined")


def refused(notebook: Notebook) -> None:
    notebook.type("Target sparsity", "0,5")
    notebook.page.get_by_text("is no percentage: write 0.5% or 50%").wait_for()


def in_the_wrong_order(notebook: Notebook) -> None:
    notebook.type("Start step", "5000")
    notebook.page.get_by_text("end_step (5000) must be greater than start_step (5000)").wait_for()


def export_opened(notebook: Notebook) -> None:
    notebook.page.get_by_role("button", name="More ways to export").click()
    notebook.page.locator(".entrenar-viz-menu").wait_for()


def export_blocked(notebook: Notebook) -> None:
    in_the_wrong_order(notebook)
    export_opened(notebook)


def pointed_at(notebook: Notebook) -> None:
    missed(notebook)
    box, plot = notebook.page.locator(".entrenar-viz-canvas").bounding_box(), notebook.drawn["plot"]
    x = plot["left"] + 0.38 * (plot["right"] - plot["left"])
    notebook.page.mouse.move(box["x"] + x, box["y"] + 90)
    notebook.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")


def counted(notebook: Notebook) -> None:
    notebook.wait("drawn.plot.to === 7820")


def epochs_opened(notebook: Notebook) -> None:
    counted(notebook)
    notebook.page.get_by_role("button", name="Total steps from the size of the dataset").click()


def recommended(notebook: Notebook) -> None:
    page = notebook.page
    notebook.tab("Start from")
    page.get_by_label("Sparsity to recommend for").fill("80")
    page.get_by_role("button", name="Recommend").click()
    page.get_by_text("Recommended: ").wait_for()
    notebook.until("explorer.config.target_sparsity", 0.8)


def pinned(notebook: Notebook) -> None:
    notebook.wait("drawn.ghosts.length === 2")
    notebook.tab("Compare")
    notebook.page.locator(".entrenar-viz-pin").filter(has_text="first idea").wait_for()


def logged(notebook: Notebook) -> None:
    notebook.wait("drawn.log && drawn.log.marks.length === 2")
    notebook.page.get_by_text("The log ends at step").wait_for()


def surveyed(notebook: Notebook) -> None:
    notebook.tab("Whole model")
    notebook.page.get_by_role("button", name="Survey the model").click()
    notebook.page.get_by_role("link", name="Download CSV").wait_for(timeout=60_000)
    notebook.page.get_by_role("rowheader", name="layers.1.v_proj").click()
    notebook.page.locator("tr[aria-current=true] th", has_text="layers.1.v_proj").wait_for()


def allotted(notebook: Notebook) -> None:
    notebook.tab("Layers")
    notebook.page.get_by_role("button", name="Allot", exact=True).click()
    notebook.wait("bars.bars.length > 0")
    notebook.page.mouse.move(0, 0)


def layers_measured(notebook: Notebook) -> None:
    allotted(notebook)
    notebook.page.get_by_role("button", name="Measure sensitivity").click()
    notebook.page.locator(".entrenar-viz-plan-findings", has_text="beyond the knee").wait_for()
    notebook.page.locator(".entrenar-viz-plan > .entrenar-viz-progress").wait_for(state="hidden")
    notebook.page.mouse.move(0, 0)
    notebook.page.wait_for_function("document.querySelector('.entrenar-viz-bar-mask').drawn.note === ''")


def layers_by_block(notebook: Notebook) -> None:
    notebook.tab("Layers")
    notebook.page.get_by_label("Method of the plan").select_option("one threshold")
    notebook.until("explorer._parts.layers.form.method.value", "global_magnitude")
    layers_measured(notebook)
    notebook.page.get_by_label("Bars", exact=True).select_option("block")
    notebook.wait("bars.bars.length > 20 && bars.bars.length < 40")


def layers_refused(notebook: Notebook) -> None:
    allotted(notebook)
    notebook.type("Target sparsity", "90")
    notebook.page.get_by_text("The schedule ends with 90%, the plan").wait_for()
    notebook.type("Highest sparsity of a layer", "50")
    notebook.until("explorer._parts.layers.form.most.entry.value", "50%")
    notebook.page.get_by_role("button", name="Allot", exact=True).click()
    notebook.page.get_by_text("the bounds of the layers allow at most").wait_for()


def rehearsal_begun(notebook: Notebook) -> None:
    notebook.tab("Accuracy")
    notebook.page.get_by_role("button", name="Rehearse", exact=True).click()


def growing(notebook: Notebook) -> None:
    rehearsal_begun(notebook)
    notebook.wait("accuracy.curves.length === 4 && accuracy.curves[0].points.at(-1)[0] >= 4000")


def rehearsed(notebook: Notebook) -> None:
    rehearsal_begun(notebook)
    notebook.page.locator(".entrenar-viz-outcomes").wait_for(timeout=120_000)
    notebook.page.get_by_role("button", name="Choose Cubic").wait_for()
    notebook.type("Cursor step", "7000")
    notebook.wait("accuracy.cursor === 7000 && accuracy.curves[0].points.at(-1)[0] === 10_000")


def rehearsal_outdated(notebook: Notebook) -> None:
    rehearsed(notebook)
    notebook.type("Target sparsity", "90")
    notebook.wait("accuracy.outdated")


def rehearsal_cancelled(notebook: Notebook) -> None:
    growing(notebook)
    notebook.page.locator(".entrenar-viz-accuracy").get_by_role("button", name="Cancel").click()
    notebook.page.get_by_text("Cancelled at step").wait_for()


def rehearsal_refused(notebook: Notebook) -> None:
    notebook.page.get_by_label("Method", exact=True).select_option("minitron_depth")
    rehearsal_begun(notebook)
    notebook.page.locator(".entrenar-viz-accuracy .entrenar-viz-problem", has_text="minitron_depth").wait_for()


def being_prepared(notebook: Notebook) -> None:
    notebook.page.get_by_placeholder(".safetensors .npz .npy .pt .onnx .h5 .keras").fill("q_proj.npy")
    notebook.row("Model file").get_by_role("button", name="Open").click()
    notebook.page.locator(".entrenar-viz-progress", has_text="putting them in order").first.wait_for()


def pickle_refused(notebook: Notebook) -> None:
    notebook.python("open('model.pkl', 'wb').close()")
    notebook.page.get_by_placeholder(".safetensors .npz .npy .pt .onnx .h5 .keras").fill("model.pkl")
    notebook.row("Model file").get_by_role("button", name="Open").click()
    notebook.page.locator(".entrenar-viz-problem", has_text="model.pkl: .pkl is a pickle").wait_for()


def searched(notebook: Notebook) -> None:
    notebook.row("Layer").get_by_placeholder("search").fill("3 q_proj")
    notebook.row("Layer").get_by_text("1 of 24 layers.").wait_for()


def without_calibration(notebook: Notebook) -> None:
    notebook.page.get_by_label("Method", exact=True).select_option("wanda")
    notebook.page.locator(".entrenar-viz-note", has_text="magnitude").wait_for()


def in_language(name: str) -> Callable[[Notebook], None]:
    def choose(notebook: Notebook) -> None:
        export_opened(notebook)
        notebook.page.get_by_role("button", name=f"Export as {name}", exact=True).click()
        notebook.page.get_by_label(f"Configuration as {name}").wait_for()

    return choose


def refused_file(notebook: Notebook) -> None:
    notebook.tab("Export & import")
    notebook.page.get_by_placeholder("or paste JSON or YAML here").fill(
        '{"method": "magnitud", "target_sparsity": 1.5}'
    )
    notebook.page.get_by_role("button", name="Load pasted").click()
    notebook.page.get_by_text("Nothing was loaded").wait_for()


def figure_made(notebook: Notebook) -> None:
    notebook.tab("Figure")
    notebook.page.get_by_label("What to draw").select_option("masks")
    notebook.page.get_by_role("button", name="Make download").click()
    notebook.page.get_by_text("as the screen was when it was made").wait_for()


def colours_forced(notebook: Notebook) -> None:
    missed(notebook)
    notebook.page.emulate_media(forced_colors="active")
    notebook.wait("drawn.forced")


def kernel_gone(notebook: Notebook) -> None:
    restart = "jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart().then(() => true)"
    notebook.page.evaluate(restart)
    notebook.page.get_by_text("run the cell again").wait_for()


REHEARSAL = shown(".entrenar-viz-rehearsal")
PLAN = shown(".entrenar-viz-plan")
CONTROLS, PICKERS = ".entrenar-viz-controls", ".entrenar-viz-pickers"
STATES = (
    State("explorer", missed, whole),
    State("masks", detailed, MASKS, CALIBRATED + "explorer"),
    State("large-layer", windowed, MASKS, LARGE),
    State("patterns", masks_drawn(5), CANVAS, f"{CALIBRATED}{PATTERNS}\nexplorer"),
    State("hover", pointed_at, the_plot),
    State("epochs", epochs_opened, shown(".entrenar-viz-popover:popover-open"), MANY),
    State("epochs-plot", counted, the_plot, MANY),
    State("pins-plot", pinned, the_plot, PINNED),
    State("pins", pinned, shown(".entrenar-viz-pins"), PINNED),
    State("log", logged, whole, f'{LOGGED}\nexplorer = Explorer(log="run.jsonl")\nexplorer'),
    State("findings", nothing, shown(".entrenar-viz-findings"), FOUND),
    State("entry-refused", refused, shown(CONTROLS, ".entrenar-viz-field .entrenar-viz-problem:not(:empty)")),
    State("problem", in_the_wrong_order, shown(CONTROLS, ".entrenar-viz-findings")),
    State("export-blocked", export_blocked, EXPORT),
    State("file-refused", pickle_refused, shown(PICKERS)),
    State("search", searched, shown(PICKERS), LAYERS),
    State("without-calibration", without_calibration, shown(".entrenar-viz-foot", ".entrenar-viz-findings")),
    State("preparing", being_prepared, shown(".entrenar-viz-foot"), HELD_MODEL),
    State("survey", surveyed, shown(".entrenar-viz-survey"), MODEL),
    State("rehearsal", rehearsed, shown(".entrenar-viz-body", ".entrenar-viz-rehearsal"), REHEARSED),
    State("rehearsal-growing", growing, REHEARSAL, REHEARSED),
    State("rehearsal-outdated", rehearsal_outdated, REHEARSAL, REHEARSED),
    State("rehearsal-cancelled", rehearsal_cancelled, REHEARSAL, REHEARSED),
    State("rehearsal-refused", rehearsal_refused, REHEARSAL, REHEARSED),
    State("layers", layers_measured, PLAN, PLANNED),
    State("layers-many", layers_by_block, PLAN, MANY_LAYERS),
    State("layers-error", layers_refused, shown(".entrenar-viz-allot", ".entrenar-viz-plan-notes"), PLANNED),
    State("recommendation", recommended, TABS),
    State("figure", figure_made, TABS),
    State("python", in_language("Python"), EXPORT),
    State("rust", in_language("Rust"), EXPORT),
    State("markdown", in_language("Markdown"), EXPORT),
    State("import-refused", refused_file, shown(".entrenar-viz-importing")),
    State("kernel-gone", kernel_gone, top_of(420)),
    State("high-contrast", colours_forced, shown(".entrenar-viz-top", ".entrenar-viz-body")),
    State("narrow", missed, shown(".entrenar-viz-top", ".entrenar-viz-picture"), size={"width": 600, "height": 3200}),
    State("wide", missed, whole, size={"width": 2000, "scale": 1}),
)
