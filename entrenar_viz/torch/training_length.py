"""How many batches a training has, where a tool counts the steps of its optimizer."""


def batches_of(updates: int, in_epoch: int | None, accumulation: int) -> int:
    """The batches of a training with ``updates`` steps of the optimizer.

    Each step takes ``accumulation`` batches, but the last of an epoch takes what is left of its ``in_epoch`` batches,
    None if nobody knows how many there are.

    >>> batches_of(6, in_epoch=10, accumulation=4)  # 4 + 4 + 2, twice
    20
    >>> batches_of(5, in_epoch=None, accumulation=4)
    20
    """
    if in_epoch is None:
        return updates * accumulation
    epochs, rest = divmod(updates, -(-in_epoch // accumulation))
    return epochs * in_epoch + rest * accumulation
