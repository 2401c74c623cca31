"""Keeps the masks those of the picked layer: at once where it is small, in the background where it is large."""

from collections.abc import Callable
from concurrent.futures import Future

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.explorer.background_job import BackgroundJob
from entrenar_viz.explorer.canvas import Canvas
from entrenar_viz.explorer.controls import Controls, held
from entrenar_viz.explorer.fallback import Fallback
from entrenar_viz.explorer.layer import no_report
from entrenar_viz.explorer.mask_request import MaskRequest, ReadyMasks, for_canvas, for_fallback
from entrenar_viz.explorer.panels import Guard, Progress
from entrenar_viz.explorer.preview import Preview
from entrenar_viz.explorer.values import masking_values


class MaskPresenter:
    """What is shown, what is being prepared, and the way from one to the other.

    While a layer is being prepared the one before stays, and ``progress`` says so. Cancelling takes the pickers back to
    what is shown. Once the last view of the canvas is gone, weights and prune orders are let go; when a view comes back
    they are made again, and the picture before is there meanwhile.
    """

    def __init__(
        self,
        controls: Controls,
        preview: Preview,
        picture: Canvas | Fallback,
        guarded: Guard,
        told: Callable[[], None],
    ) -> None:
        self.controls, self.preview, self.picture = controls, preview, picture
        self.progress = Progress(guarded(self.cancel))
        self.job = BackgroundJob(guarded(self._tell))
        self.shown: ReadyMasks | None = None
        self.coming: MaskRequest | None = None
        self.told = told  # of masks that come later than what asked for them
        self.views: dict[str, int] = {}  # of each page that has some
        self.unseen = False  # not before there has been a view: a script may never show one
        self._done = guarded(self._finish)
        if isinstance(picture, Canvas):
            picture.observe(guarded(self._show_window), "corner")
            picture.on_msg(guarded(lambda _, content, __: self._hear(content)))

    def show(self, config: PruningConfig) -> None:
        """Bring the masks up to what is picked, unless they are shown or on their way already."""
        request = self.preview.request(config.pattern, config.method, self.controls.patterns)
        if isinstance(self.picture, Fallback):
            self.picture.draw(self.controls, config)
        if self.shown and request == self.shown.request and not self._missed:
            self.stop()
        elif request != self.coming:
            self._prepare(request)
        self._draw_masks()

    def stop(self) -> None:
        """Drop what is being prepared, if anything is."""
        self.job.cancel()
        self._settle()

    def let_go(self) -> None:
        """Give up weights and prune orders: all of the layer that is large. What is drawn already stays."""
        self.unseen = True
        if self.shown:
            self.shown = self.shown.lighter()

    def cancel(self, _: object = None) -> None:
        """Drop what is being prepared and go back to what is shown; if nothing is, to the first sample."""
        self.stop()
        back = self.shown.request if self.shown else None
        with held(*self.preview.pickers, *self.controls.mask_controls):
            if back:
                self.controls.put(masking_values(back.pattern, back.method))
            self.preview.go_back(back)

    def _prepare(self, request: MaskRequest) -> None:
        shown = self.shown
        make = for_canvas if isinstance(self.picture, Canvas) else for_fallback
        if not request.large:
            self.stop()
            self._present(make(request, no_report, shown))
            return
        self.coming = request
        self._tell("waiting", 0.0)
        self.job.start(lambda report: make(request, report, shown), self._done)

    def _tell(self, stage: str, share: float) -> None:
        if self.coming:
            self.progress.say(f"Preparing {self.coming.layer:.60}: {stage}. {self._meanwhile(self.coming)}", share)

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

    @property
    def failure(self) -> str:
        """Why there is no mask of the picked layer; empty if there is one, or if that is not known yet."""
        shown = self.shown
        same = shown and (shown.request.tensors, shown.request.layer) == self.preview.picked()
        return shown.failure if shown and same else ""

    def _settle(self) -> None:
        self.coming = None
        self.progress.hide()

    def _present(self, ready: ReadyMasks) -> None:
        if isinstance(self.picture, Canvas):
            with self.picture.hold_sync():  # the browser is told of all of it at once
                self.picture.layer, self.picture.patterns = ready.layer, ready.patterns
                self.picture.window_data = ready.prepared.window(*self.picture.corner) if ready.prepared else {}
        self.shown = ready.lighter() if self.unseen else ready
        self._draw_masks()

    def _draw_masks(self) -> None:
        if isinstance(self.picture, Fallback) and self.shown:
            self.picture.draw_masks(self.controls, self.shown)

    @property
    def _missed(self) -> bool:
        """Whether what is shown was let go and somebody looks at it again."""
        return bool(self.shown and self.shown.let_go and not self.unseen)

    def _hear(self, content: object) -> None:
        """Hear how many views a page has now; one that fell silent counts as it was."""
        match content:
            case {"page": str(page), "views": int(views)} if views > 0:
                self.views[page] = views
                self.unseen = False
                self._make_again()
            case {"page": str(page), "views": int()}:
                self.views.pop(page, None)
                if not self.views:
                    self.let_go()

    def _make_again(self) -> None:
        if self._missed and self.shown and not self.coming:
            self._prepare(self.shown.request)

    def _show_window(self, _: object) -> None:
        """Answer the browser, which has moved the window on the layer; not while another layer is on its way."""
        self.unseen = False  # somebody who moves it sees it
        self._make_again()
        if isinstance(self.picture, Canvas) and self.shown and self.shown.prepared and not self.coming:
            self.picture.window_data = self.shown.prepared.window(*self.picture.corner)
