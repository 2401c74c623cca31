"""What a finished rehearsal says beside its curves: the outcomes as a table, and what was trained, in words."""

from html import escape

from entrenar_viz.formatting import counted, sentence
from entrenar_viz.rehearsal.outcome import Rehearsal, RehearsedSchedule

CAVEAT = "This is evidence about the shape of the schedule, not about your model."
HEADS = ("", "accuracy", "95% interval", "points below dense")


def verdict_of(result: Rehearsal) -> str:
    """The verdict as a sentence."""
    return sentence(result.verdict)


def about(result: Rehearsal) -> str:
    """What was trained, how its steps were scaled, what was left whole, and what that is evidence of."""
    whole = [f"{name} was left whole: {reason}." for name, reason in result.left_whole.items()]
    trained = sentence(f"{result.trained}; {counted(len(result.seeds), 'seed')}")
    return "\n".join([CAVEAT, trained, sentence(result.scaling), *whole])


def outcome_table(result: Rehearsal) -> str:
    """A row for dense and for each schedule, as HTML: the names are ours, the rest is numbers."""
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    rows = "".join(_row(one) for one in (result.dense, *result.outcomes))
    return f'<table class="entrenar-viz-outcomes"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _row(one: RehearsedSchedule) -> str:
    number = one.metric.number
    interval = f"{number(one.low)} to {number(one.high)}" if len(one.per_seed) > 1 else ""
    drop = "" if one.drop is None else number(one.drop[0])
    cells = "".join(f"<td>{escape(text)}</td>" for text in (f"{number(one.accuracy)}%", interval, drop))
    return f'<tr><th scope="row">{escape(one.name)}</th>{cells}</tr>'
