"""A mask request in words, for the line below the masks."""

from collections import Counter

from entrenar_viz.explorer.preview.mask_request import MaskRequest
from entrenar_viz.models.weights import SAMPLES, Tensors

NAME_LENGTH = 120  # of a layer on screen
REASONS = 3  # why tensors are not offered: the first ones


def note(request: MaskRequest) -> str:
    """What is shown, and what of it is not the trainer's."""
    parts = [about(request)]
    if request.no_scores:
        parts.append(f"Previewed by magnitude: {request.no_scores}")
    elif request.calibration and request.method != "magnitude":
        parts.append(f"Scored by {request.method} with {request.calibration.source}.")
    if request.within == "row":
        parts.append("Each row by itself, as in Wanda's paper: preview only, not what the trainer does.")
    return " ".join(parts)


def about(request: MaskRequest) -> str:
    """Source, layer, shape, and which tensors of the source are not offered."""
    tensors = request.tensors
    shape, short = tensors.shape(request.layer), f"{request.layer:.{NAME_LENGTH}}"
    own = tensors.source == request.source
    name = f"{request.source}, {short}" if own else f"{short}: {SAMPLES[request.source]}"
    viewed = f", {len(shape)}-D viewed as (out, rest): {by(shape)}" if len(shape) > 2 else ""
    how = tensors.notes.get(request.layer, "")
    return f"{name}. {by(request.shape)} weights{viewed}{how and ', '}{how}.{_not_offered(tensors)}"


def by(shape: tuple[int, ...]) -> str:
    """``4,096 × 4,096``."""
    return " × ".join(f"{length:,}" for length in shape)


def _not_offered(tensors: Tensors) -> str:
    """How many tensors cannot be pruned, and the first reasons."""
    if not tensors.skipped:
        return ""
    reasons = Counter(tensors.skipped.values())
    first = "; ".join(f"{reason} ({count:,})" for reason, count in list(reasons.items())[:REASONS])
    more = "; and for other reasons" if len(reasons) > REASONS else ""
    return f" Tensors not offered: {len(tensors.skipped):,}. {first}{more}."
