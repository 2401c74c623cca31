"""What the name of a tensor says about its place in a model. Names are from outside and follow no standard."""

from collections.abc import Iterable
from functools import lru_cache

EMBEDDINGS = ("wte", "wpe", "emb", "token_embd")  # parts of a name that are embeddings without saying "embed"
HEADS = ("lm_head", "embed_out", "output_projection")
TOP_LEVEL_HEADS = ("output", "head", "proj_out")  # of Llama's own files, of RWKV and ViT, of Whisper
_DIGITS = 18  # of a number in a name: what is longer is text
_TENSORS = ("weight", "kernel", "w")  # how a layer calls its matrix: it says nothing of the layer


@lru_cache(maxsize=1 << 14)  # asked again and again while a slider moves
def left_whole(name: str, kind: str = "") -> str:
    """The part of ``name`` for which ``skip_embed_layers`` is taken to mean this tensor, an empty text if none does.

    The trainer's file has the switch but no rule, and nothing there reads it, so this is a choice by the usual names:
    embeddings and output heads, which other tools leave whole by default. An embedding has a part between dots that
    contains "embed" or is one of EMBEDDINGS, or is ``shared.weight`` (T5). An output head has one of HEADS, or is a
    layer by itself that is called one of TOP_LEVEL_HEADS, or BERT's ``predictions.decoder``. Case does not matter.
    Where ``kind``, the class of its module, says that it is an embedding, that is the answer (``why_left_whole``).

    >>> [left_whole(name) for name in ("model.embed_tokens.weight", "lm_head.weight", "model.layers.0.mlp.up.weight")]
    ['embed_tokens', 'lm_head', '']
    """
    if "Embedding" in kind:
        return kind
    *layer, last = name.split(".")
    parts = [part.lower() for part in (*layer, last)]
    for part, lower in zip((*layer, last), parts, strict=True):
        if "embed" in lower or lower in EMBEDDINGS or lower in HEADS:
            return part
    if parts[-2:-1] == ["shared"] or (len(layer) == 1 and parts[0] in TOP_LEVEL_HEADS):
        return layer[-1]
    return ".".join(layer[-2:]) if parts[-3:-1] == ["predictions", "decoder"] else ""


def why_left_whole(name: str, kind: str = "") -> str:
    """The same in words, with where it was found.

    >>> why_left_whole("lm_head.weight"), why_left_whole("tokens.weight", "Embedding"), why_left_whole("fc.weight")
    ("'lm_head' is in its name", 'its layer is an Embedding', '')
    """
    word = left_whole(name, kind)
    return word and (f"its layer is an {kind}" if word == kind else f"{word!r} is in its name")


def reason_left_whole(name: str, kind: str = "") -> str:
    """The same as the reason to tell, where ``skip_embed_layers`` is on.

    >>> reason_left_whole("lm_head.weight")
    "left whole: 'lm_head' is in its name, and skip_embed_layers is on"
    """
    why = why_left_whole(name, kind)
    return why and f"left whole: {why}, and skip_embed_layers is on"


def place_of(name: str) -> tuple[str, str]:
    """The block that a tensor belongs to, and its role there: what comes up to the first number in its name, and what
    comes after it. Without a number there is no block, and where nothing comes after, the role is what comes before.

    >>> place_of("model.layers.12.mlp.up_proj.weight"), place_of("fc1.weight"), place_of("features.3.weight")
    (('model.layers.12', 'mlp.up_proj'), ('', 'fc1'), ('features.3', 'features'))
    >>> place_of("layers.0.experts.7.up.weight"), place_of("layers.0.experts.up[7]")
    (('layers.0', 'experts.up'), ('layers.0', 'experts.up'))
    """
    parts = name.partition("[")[0].split(".")
    if len(parts) > 1 and parts[-1].lower() in _TENSORS:
        parts = parts[:-1]
    first = next((place for place, part in enumerate(parts) if part.isdigit()), None)
    if first is None:
        return "", ".".join(parts)
    after = [part for part in parts[first + 1 :] if not part.isdigit()]
    return ".".join(parts[: first + 1]), ".".join(after or parts[:first] or parts)


def in_block_order(names: Iterable[str]) -> list[str]:
    """``names`` with their blocks by number: files of safetensors are sorted by letters, so that 10 comes before 2.

    What comes first of names that differ in more than numbers comes first in all blocks; a list that is in the order of
    its blocks stays as it is.

    >>> in_block_order(["head", "h.0.up", "h.10.up", "h.2.mlp.up", "h.2.up", "norm"])
    ['head', 'h.0.up', 'h.2.up', 'h.2.mlp.up', 'h.10.up', 'norm']
    """
    first: dict[str, int] = {}

    def key(name: str) -> list[int]:
        stem, found = "", []
        for part in name.split("."):
            is_number = part.isdecimal() and len(part) <= _DIGITS
            if is_number:
                found += [first.setdefault(stem, len(first)), int(part)]
            stem += ".#" if is_number else f".{part}"
        return [*found, first.setdefault(stem, len(first))]

    return sorted(names, key=key)
