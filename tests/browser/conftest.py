"""A real JupyterLab and a real Chromium; without one these tests skip, or fail where a browser is required."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyter_browser.notebook import Notebook, ready, write_notebook
from jupyter_browser.servers import FLAGS, chromium, jupyter, shut_down_kernels

REQUIRED = os.environ.get("ENTRENAR_VIZ_BROWSER") == "required"


@pytest.fixture(scope="package")
def browser_path() -> str:
    """The Chromium of all tests; no server is started where there is none."""
    if found := chromium():
        return found
    message = "no Chromium found: install it (Debian: apt-get install chromium) or name one in ENTRENAR_VIZ_CHROMIUM"
    if REQUIRED:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="package")
def browser(browser_path: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(browser_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a JupyterLab, and the folder that it serves."""
    with jupyter(tmp_path_factory.mktemp("lab")) as served:
        yield served


@contextmanager
def pages(browser: Any) -> Iterator[Any]:
    """``open_page(url)`` opens it in a page of its own that keeps its errors; all are closed in the end."""
    contexts = []

    def open_page(url: str, *, width: int = 1280, height: int = 1400, scale: float = 1) -> Notebook:
        context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=scale)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        return Notebook(page, errors)

    yield open_page
    for context in contexts:
        context.close()


class Desk:
    """Opens notebooks in a JupyterLab, each in a page of its own or in one that is shared: to open one takes longer
    than most tests."""

    def __init__(self, lab: tuple[str, Path], open_page: Any) -> None:
        (self.url, self.root), self.open_page = lab, open_page
        self.shared: Notebook | None = None

    def show(self, *cells: str) -> Notebook:
        """Run ``cells`` in the shared page and kernel, without what was there before."""
        if self.shared:
            self.shared.replace(*cells)
        else:
            self.shared = self.open(self.open_page, *cells)
        return self.shared

    def open(self, open_page: Any, *cells: str, path: Path | None = None, **size: float) -> Notebook:
        """Run ``cells``, or a copy of the notebook at ``path``, in a page and kernel of their own."""
        name = f"notebook-{len(list(self.root.iterdir()))}.ipynb"
        if path:
            shutil.copy(path, self.root / name)
        else:
            write_notebook(self.root / name, cells)
        notebook: Notebook = open_page(f"{self.url}lab/tree/{name}?reset", **size)
        ready(notebook.page)
        notebook.run()
        return notebook

    def clear(self) -> None:
        """Share no more what a failed test has left."""
        if self.shared:
            self.shared.page.close()
            self.shared = None


@pytest.fixture(scope="package")
def desk(browser: Any, lab: tuple[str, Path]) -> Iterator[Desk]:
    with pages(browser) as open_page:
        yield Desk(lab, open_page)
    shut_down_kernels(lab[0])


@pytest.fixture
def open_page(browser: Any) -> Iterator[Any]:
    with pages(browser) as open_page:
        yield open_page


@pytest.fixture
def open_notebook(desk: Desk, open_page: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """``open_notebook(*cells)`` runs cells, waits for the picture; with ``path``, a size or ``apart`` by itself."""

    def open_notebook(*cells: str, apart: bool = False, **how: Any) -> Notebook:
        return desk.open(open_page, *cells, **how) if apart or how else desk.show(*cells)

    failed = request.session.testsfailed
    yield open_notebook
    if request.session.testsfailed > failed:
        desk.clear()


@pytest.fixture(scope="module")
def open_once(desk: Desk) -> Any:
    """As ``open_notebook``, for a notebook that all tests of a file share."""
    return desk.show
