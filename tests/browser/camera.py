"""Pictures of a page, still and moving, kept small: with few colours, and nothing twice."""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

BEAT = 80  # ms between two frames that differ
# A headless browser shows no pointer. It lets events through, so that it is never what is pressed.
POINTER = """(() => {
  const pointer = document.body.appendChild(document.createElement("div"));
  pointer.id = "pointer";
  pointer.style = "position: fixed; z-index: 99999; left: 0; top: 0; pointer-events: none";
  pointer.innerHTML = `<svg width="44" height="44" viewBox="-12 -12 32 32" style="margin: -16.5px; display: block">
    <circle r="9" fill="#f5b400" opacity="0"/>
    <path d="M0 0V15.5L3.7 12.2L6 17.6L8.6 16.5L6.3 11.2H11Z" fill="#111" stroke="#fff" stroke-width="1.3"/></svg>`;
})()"""
AT = """([x, y, held]) => {
  const pointer = document.getElementById("pointer");
  pointer.style.transform = `translate(${x}px, ${y}px)`;
  pointer.querySelector("circle").setAttribute("opacity", held ? 0.75 : 0);
}"""
SETTLED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
# From now on the time of the page's animations is what ``film.at`` says: a picture takes longer than a frame does.
OWN_TIME = """(() => {
  window.film = { at: performance.now() };
  const next = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) => next(() => draw(window.film.at));
  performance.now = () => window.film.at;
})()"""


PICTURES = "ENTRENAR_VIZ_PICTURES"
ASKED_FOR = [
    pytest.mark.browser,
    pytest.mark.skipif(PICTURES not in os.environ, reason=f"{PICTURES} names no folder for them"),
]


def folder(otherwise: Path) -> Path:
    """Where pictures are kept."""
    return Path(os.environ.get(PICTURES, otherwise))


def around(*locators: Any) -> dict[str, float]:
    """The part of the page that holds all of them, to clip a screenshot to; above and below the next are near."""
    boxes = [locator.bounding_box() for locator in locators]
    left, top = min(box["x"] for box in boxes) - 4, min(box["y"] for box in boxes) - 1
    right = max(box["x"] + box["width"] for box in boxes) + 4
    bottom = max(box["y"] + box["height"] for box in boxes)
    return {"x": max(left, 0), "y": max(top, 0), "width": right - left, "height": bottom - top}


def shot(page: Any, clip: dict[str, float]) -> Image.Image:
    """What the page shows there."""
    return Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")


def keep(picture: Image.Image, path: Path, colors: int = 128) -> None:
    """Save it as a PNG of few colours; the rare ones are those that tell something."""
    few = picture.quantize(colors, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


class Film:
    """Frames of a part of a page, each taken when the page has settled after a small step of the pointer."""

    def __init__(self, page: Any, clip: dict[str, float], start: tuple[float, float]) -> None:
        self.page, self.clip, self.place, self.held = page, clip, start, False
        self.frames: list[Image.Image] = []
        self.durations: list[int] = []
        page.evaluate(POINTER)
        self._point(start)

    def _point(self, place: tuple[float, float]) -> None:
        self.place = place
        self.page.mouse.move(*place)
        self.page.evaluate(AT, [*place, self.held])

    def take(self, duration: int = BEAT) -> None:
        """One frame that is shown for ``duration`` ms, or the one before for longer if nothing has changed."""
        self.page.evaluate(SETTLED)
        frame = shot(self.page, self.clip)
        if self.frames and np.array_equal(frame, self.frames[-1]):
            self.durations[-1] += duration
            return
        self.frames.append(frame)
        self.durations.append(duration)

    def go(self, to: tuple[float, float], frames: int = 6) -> None:
        """Move the pointer there, slower near both ends, as a hand does."""
        (x, y), (right, down) = self.place, to
        for share in np.linspace(0, 1, frames + 1)[1:]:
            eased = float(share * share * (3 - 2 * share))
            self._point((x + (right - x) * eased, y + (down - y) * eased))
            self.take()

    def go_to(self, locator: Any, frames: int = 6, *, across: float = 0.5, down: float = 0.5) -> None:
        """Move the pointer to an element, to its middle or to other shares of its size."""
        box = locator.bounding_box()
        self.go((box["x"] + across * box["width"], box["y"] + down * box["height"]), frames)

    def press(self) -> None:
        """Press and let go."""
        with self.pressed():
            pass

    @contextmanager
    def pressed(self) -> Iterator[None]:
        """Hold the button of the mouse."""
        self.held = True
        self._point(self.place)
        self.page.mouse.down()
        self.take()
        yield
        self.page.mouse.up()
        self.held = False
        self._point(self.place)

    def save(self, path: Path) -> None:
        """As an animation that starts again in the end.

        An animated WebP: all browsers show it, and with them GitHub and the site. Text stays as sharp as in a PNG, at
        a fraction of the bytes of a GIF, whose frames have 256 colours and whose masks would double it.
        """
        few = with_few_colors(self.frames)
        few[0].save(
            path, save_all=True, append_images=few[1:], duration=self.durations, loop=0, lossless=True, quality=80,
            method=4,
        )  # fmt: skip


def with_few_colors(frames: Sequence[Image.Image], common: int = 16, rare: int = 48) -> list[Image.Image]:
    """The frames in colours that they share, so that what rests is the same in each.

    The most frequent ones stay as they are, or grounds that differ by little would become one.
    """
    some = frames[:: max(1, len(frames) // 8)]
    width, height = some[0].size
    together = Image.new("RGB", (width, height * len(some)))
    for i, frame in enumerate(some):
        together.paste(frame, (0, i * height))
    counted = sorted(together.getcolors(1 << 24), reverse=True)
    kept = [color for _, color in counted[:common]]
    found = together.quantize(rare, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).getpalette()
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for color in kept for part in color] + found)
    return [_mapped(frame, palette, kept[:4]) for frame in frames]


def _mapped(frame: Image.Image, palette: Image.Image, grounds: Sequence[tuple[int, ...]]) -> Image.Image:
    """In the colours of ``palette``; Pillow takes a near one at times, which large grounds would show."""
    exact = np.asarray(frame)
    mapped = np.array(frame.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB"))
    for ground in grounds:
        mapped[(exact == ground).all(axis=-1)] = ground
    return Image.fromarray(mapped)
