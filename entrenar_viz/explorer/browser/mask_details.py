"""What each mask costs, single weights, and how the scores are spread."""

from entrenar_viz.explorer.browser.module import module
from entrenar_viz.explorer.browser.second_view import SecondView


class MaskDetails(SecondView):
    """What each mask costs, the scores, and single weights, of the layer and at the cursor of a ``Live``."""

    _esm = module("mask_details.js")
