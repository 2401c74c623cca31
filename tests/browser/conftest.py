"""A real JupyterLab and a real Chromium; without one these tests skip, or fail where a browser is required."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser.notebook import RUN_ALL, Notebook, ready, write_notebook
from tests.browser.servers import FLAGS, chromium, jupyter, shut_down_kernels

REQUIRED = os.environ.get("ENTRENAR_VIZ_BROWSER") == "required"


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The Chromium of all tests; no server is started where there is none."""
    if found := chromium():
        return found
    message = "no Chromium found: install it (Debian: apt-get install chromium) or name one in ENTRENAR_VIZ_CHROMIUM"
    if REQUIRED:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def browser(browser_path: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
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


def notebooks(open_page: Any, lab: tuple[str, Path]) -> Any:
    """``open_notebook(*cells or path)`` opens a notebook, runs it, and waits for the picture."""
    url, root = lab

    def open_notebook(*cells: str, path: Path | None = None, **size: float) -> Notebook:
        name = f"notebook-{len(list(root.iterdir()))}.ipynb"
        if path:
            shutil.copy(path, root / name)
        else:
            write_notebook(root / name, cells)
        notebook = open_page(f"{url}lab/tree/{name}?reset", **size)
        ready(notebook.page)
        notebook.page.evaluate(RUN_ALL)
        notebook.wait("drawn.frames > 0")
        if notebook.drawn["dark"]:  # a test before has chosen that theme, which JupyterLab remembers
            notebook.theme("JupyterLab Light")
        return notebook

    return open_notebook


@pytest.fixture
def open_page(browser: Any) -> Iterator[Any]:
    with pages(browser) as open_page:
        yield open_page


@pytest.fixture
def open_notebook(open_page: Any, lab: tuple[str, Path]) -> Iterator[Any]:
    yield notebooks(open_page, lab)
    shut_down_kernels(lab[0])


@pytest.fixture(scope="module")
def open_once(browser: Any, lab: tuple[str, Path]) -> Iterator[Any]:
    """As ``open_notebook``, for a notebook that all tests of a file share: opening one takes as long as most tests."""
    with pages(browser) as open_page:
        yield notebooks(open_page, lab)
    shut_down_kernels(lab[0])
