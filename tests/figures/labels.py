"""Where the labels of a figure may be."""

from itertools import combinations


def stay_inside_and_apart(figure, labels):
    """No label reaches beyond the figure, and none over another one."""
    boxes = {id(text): text.get_window_extent() for text in labels}
    for text in labels:
        box = boxes[id(text)]
        assert box.x0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y0 >= 0, text
        assert box.y1 <= figure.bbox.y1, text
    for one, other in combinations(labels, 2):  # a line box is taller than its letters
        assert not boxes[id(one)].padded(-2).overlaps(boxes[id(other)].padded(-2)), (one, other)
