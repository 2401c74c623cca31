"""Keeps the masks those of the mask request: at once where the layer is small, in the background where it is large."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from entrenar_viz.explorer.background_job import BackgroundJob, no_report
from entrenar_viz.explorer.preview.mask_request import MaskRequest
from entrenar_viz.explorer.preview.preparation import ReadyMasks, make_ready

Corner = tuple[int, int]  # row and column at which the window on a large layer starts
Guard = Callable[[Callable[..., Any]], Callable[..., None]]  # a callback to the same with a banner for what it raises


class Picture(Protocol):
    """What masks are shown on."""

    def show_masks(self, ready: ReadyMasks, window: dict[str, Any]) -> None:
        """Show masks, and the weights in the window on them."""

    def show_window(self, window: dict[str, Any]) -> None:
        """Show the weights in the window, which has moved."""

    def show_progress(self, message: str, share: float) -> None:
        """Tell what is being prepared, and the share that is done; nothing is with an empty message."""


class MaskPresenter:
    """What is shown, what is being prepared, and the way from one to the other.

    While a layer is being prepared the one before stays. Once the last view is gone, weights and prune orders are let
    go; when a view comes back they are made again, and the picture before is there meanwhile.
    """

    def __init__(self, picture: Picture, guarded: Guard, told: Callable[[], None]) -> None:
        self.picture = picture
        self.job = BackgroundJob(guarded(self._tell))
        self.shown: ReadyMasks | None = None
        self.coming: MaskRequest | None = None
        self.corner: Corner = (0, 0)
        self.told = told  # of masks that come later than what asked for them
        self.views: dict[str, int] = {}  # of each page that has some
        self.unseen = False  # not before there has been a view: a script may never show one
        self._done = guarded(self._finish)

    def show(self, request: MaskRequest, corner: Corner) -> None:
        """Bring masks and window up to ``request``, unless they are shown or on their way already."""
        moved, self.corner = corner != self.corner, corner
        if self.shown and request == self.shown.request and not self._missed:
            self.stop()
        elif request != self.coming:
            self._prepare(request)
        if moved:
            self._show_window()

    def stop(self) -> None:
        """Drop what is being prepared, if anything is."""
        self.job.cancel()
        self._settle()

    def let_go(self) -> None:
        """Give up weights and prune orders: all of the layer that is large. What is drawn already stays."""
        self.unseen = True
        if self.shown:
            self.shown = self.shown.lighter()

    def seen_by(self, page: str, views: int) -> None:
        """Hear how many views a page has now; one that fell silent counts as it was."""
        if views > 0:
            self.views[page] = views
            self._seen()
            return
        self.views.pop(page, None)
        if not self.views:
            self.let_go()

    def failure_of(self, request: MaskRequest) -> str:
        """Why there is no mask of that layer; empty if there is one, or if that is not known yet."""
        shown = self.shown
        same = shown and (shown.request.tensors, shown.request.layer) == (request.tensors, request.layer)
        return shown.failure if shown and same else ""

    def _prepare(self, request: MaskRequest) -> None:
        shown = self.shown
        if not request.large:
            self.stop()
            self._present(make_ready(request, no_report, shown))
            return
        self.coming = request
        self._tell("waiting", 0.0)
        self.job.start(lambda report: make_ready(request, report, shown), self._done)

    def _tell(self, stage: str, share: float) -> None:
        if self.coming:
            message = f"Preparing {self.coming.layer:.60}: {stage}. {self._meanwhile(self.coming)}"
            self.picture.show_progress(message, share)

    def _meanwhile(self, coming: MaskRequest) -> str:
        if not self.shown:
            return ""
        shown = self.shown.request
        same = (shown.source, shown.layer) == (coming.source, coming.layer)
        return f"Until then the masks are {'the ones before' if same else f'those of {shown.layer:.60}'}."

    def _finish(self, future: "Future[ReadyMasks]") -> None:
        self._settle()
        self._present(future.result())
        self.told()

    def _settle(self) -> None:
        if self.coming:
            self.coming = None
            self.picture.show_progress("", 0.0)

    def _present(self, ready: ReadyMasks) -> None:
        self.shown = ready
        self.picture.show_masks(ready, self._window())
        if self.unseen:
            self.shown = ready.lighter()

    @property
    def _missed(self) -> bool:
        """Whether what is shown was let go and somebody looks at it again."""
        return bool(self.shown and self.shown.let_go and not self.unseen)

    def _seen(self) -> None:
        self.unseen = False
        if self._missed and self.shown and not self.coming:
            self._prepare(self.shown.request)

    def _window(self) -> dict[str, Any]:
        prepared = self.shown and self.shown.prepared
        return prepared.window(*self.corner) if prepared else {}

    def _show_window(self) -> None:
        """Show the weights in the window; not while another layer is on its way."""
        self._seen()  # by whoever moves it
        if not self.coming and self.shown and self.shown.prepared:
            self.picture.show_window(self._window())
