"""The states of the explorer that the documents show: how each is reached, and which part of the page tells it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from jupyter_browser.notebook import Notebook
from tests.browser.camera import around
from tests.browser.cells import CALIBRATED, EXPLORER, FOUND, HELD_MODEL, LARGE, LAYERS, MANY, MODEL, PATTERNS, PINNED

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


def the_figure(notebook: Notebook) -> Clip:
    """The choice of what to draw, and how it went."""
    what = notebook.page.get_by_label("What to draw")
    return around(notebook.page.locator(".entrenar-viz > .widget-vbox").filter(has=what))


def the_plot(notebook: Notebook) -> Clip:
    """From the buttons above the plot to the names of its axis."""
    clip = around(notebook.page.locator(".entrenar-viz-tools"))
    stage = notebook.page.locator(".entrenar-viz-canvas").bounding_box()
    return clip | {"height": stage["y"] + notebook.drawn["plot"]["bottom"] + 42 - clip["y"]}


def head(notebook: Notebook) -> Clip:
    """The top bar, and below it the schedule and the plot."""
    clip, plot = around(notebook.page.locator(".entrenar-viz-top")), the_plot(notebook)
    return clip | {"height": plot["y"] + plot["height"] - clip["y"]}


def top_of(height: float) -> Callable[[Notebook], Clip]:
    """The explorer as far down as that."""
    return lambda notebook: whole(notebook) | {"height": height}


CANVAS = shown(".entrenar-viz-canvas")
EXPORT = shown(".entrenar-viz-export")


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


def windowed(notebook: Notebook) -> None:
    masks_drawn(3)(notebook)
    notebook.wait("drawn.window !== null")


def refused(notebook: Notebook) -> None:
    notebook.type("Target sparsity", "0,5")
    notebook.page.get_by_text("is no percentage: write 0.5% or 50%").wait_for()


def in_the_wrong_order(notebook: Notebook) -> None:
    notebook.type("Start step", "5000")
    notebook.page.get_by_text("end_step (5000) must be greater than start_step (5000)").wait_for()


def pointed_at(notebook: Notebook) -> None:
    missed(notebook)
    box, plot = notebook.page.locator(".entrenar-viz-canvas").bounding_box(), notebook.drawn["plot"]
    x = plot["left"] + 0.38 * (plot["right"] - plot["left"])
    notebook.page.mouse.move(box["x"] + x, box["y"] + 90)
    notebook.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")


def counted(notebook: Notebook) -> None:
    notebook.wait("drawn.plot.to === 7820")


def recommended(notebook: Notebook) -> None:
    page = notebook.page
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_label("Sparsity to recommend for").fill("80")
    page.get_by_role("button", name="Recommend").click()
    page.get_by_text("Recommended: ").wait_for()
    notebook.until("explorer.config.target_sparsity", 0.8)


def pinned(notebook: Notebook) -> None:
    notebook.wait("drawn.ghosts.length === 2")
    notebook.page.locator(".entrenar-viz-pin").filter(has_text="first idea").wait_for()


def surveyed(notebook: Notebook) -> None:
    notebook.page.get_by_text("Whole model", exact=True).click()
    notebook.page.get_by_role("button", name="Survey the model").click()
    notebook.page.get_by_role("link", name="Download CSV").wait_for(timeout=60_000)
    notebook.page.get_by_role("rowheader", name="layers.3.q_proj").click()
    notebook.page.locator("tr[aria-current=true] th", has_text="layers.3.q_proj").wait_for()


def being_prepared(notebook: Notebook) -> None:
    notebook.page.get_by_placeholder(".safetensors .npz .npy").fill("q_proj.npy")
    notebook.row("Model file").get_by_role("button", name="Open").click()
    notebook.page.locator(".entrenar-viz-progress", has_text="putting them in order").first.wait_for()


def no_such_file(notebook: Notebook) -> None:
    notebook.page.get_by_placeholder(".safetensors .npz .npy").fill("model.pt")
    notebook.row("Model file").get_by_role("button", name="Open").click()
    notebook.page.locator(".entrenar-viz-problem", has_text="model.pt").wait_for()


def searched(notebook: Notebook) -> None:
    notebook.row("Layer").get_by_placeholder("search").fill("3 q_proj")
    notebook.row("Layer").get_by_text("1 of 24 layers.").wait_for()


def without_calibration(notebook: Notebook) -> None:
    notebook.row("Method").locator("select").select_option("wanda")
    notebook.page.locator(".entrenar-viz-note", has_text="magnitude").wait_for()


def in_language(name: str) -> Callable[[Notebook], None]:
    def choose(notebook: Notebook) -> None:
        notebook.page.get_by_role("button", name=name, exact=True).click()
        notebook.page.get_by_label(f"Configuration as {name}").wait_for()

    return choose


def refused_file(notebook: Notebook) -> None:
    notebook.page.get_by_placeholder("or paste the JSON here").fill('{"method": "magnitud", "target_sparsity": 1.5}')
    notebook.page.get_by_role("button", name="Load pasted").click()
    notebook.page.get_by_text("Nothing was loaded").wait_for()


def figure_made(notebook: Notebook) -> None:
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


SECTION_1 = ".entrenar-viz-controls > .widget-vbox:nth-child(1)"
SECTION_3 = ".entrenar-viz-controls > .widget-vbox:nth-child(3)"
STATES = (
    State("explorer", missed, whole),
    State("masks", masks_drawn(3), CANVAS, CALIBRATED + "explorer"),
    State("large-layer", windowed, CANVAS, LARGE),
    State("patterns", masks_drawn(5), CANVAS, f"{CALIBRATED}{PATTERNS}\nexplorer"),
    State("hover", pointed_at, the_plot),
    State("epochs", counted, shown(SECTION_1), MANY),
    State("epochs-plot", counted, the_plot, MANY),
    State("pins-plot", pinned, the_plot, PINNED),
    State("pins", pinned, shown(".entrenar-viz > .widget-vbox:has(.entrenar-viz-pins)"), PINNED),
    State("findings", nothing, shown(".entrenar-viz-findings"), FOUND),
    State("entry-refused", refused, shown(SECTION_1, ".entrenar-viz-field .entrenar-viz-problem:not(:empty)")),
    State("problem", in_the_wrong_order, shown(SECTION_1)),
    State("export-blocked", in_the_wrong_order, EXPORT),
    State("file-refused", no_such_file, shown(SECTION_3)),
    State("search", searched, shown(SECTION_3), LAYERS),
    State("without-calibration", without_calibration, shown(".entrenar-viz-note", ".entrenar-viz-findings")),
    State("preparing", being_prepared, shown(".entrenar-viz-note", ".entrenar-viz-progress"), HELD_MODEL),
    State("survey", surveyed, shown(".entrenar-viz-survey"), MODEL),
    State("recommendation", recommended, head),
    State("figure", figure_made, the_figure),
    State("python", in_language("Python"), EXPORT),
    State("rust", in_language("Rust"), EXPORT),
    State("markdown", in_language("Markdown"), EXPORT),
    State("import-refused", refused_file, shown(".entrenar-viz-import")),
    State("kernel-gone", kernel_gone, top_of(420)),
    State("high-contrast", colours_forced, shown(".entrenar-viz-top", ".entrenar-viz-body")),
    State("narrow", missed, shown(".entrenar-viz-top", ".entrenar-viz-picture"), size={"width": 600, "height": 3200}),
    State("wide", missed, whole, size={"width": 2000, "scale": 1}),
)
