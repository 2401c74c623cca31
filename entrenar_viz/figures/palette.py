"""The one palette, and the formats of figures: what the live picture knows of figures without drawing one."""

from entrenar_viz.errors import EntrenarVizError

FORMATS = (".png", ".svg", ".pdf")
# Okabe-Ito hues, darkened or lightened until text of the colour has a contrast of 4.5:1 on its background.
COLORS: dict[str, dict[str, str]] = {
    "light": {
        "one_shot": "#BD5300",
        "gradual": "#0072B2",
        "cubic": "#00805C",
        "other": "#8A4A7A",
        "happened": "#756800",
        "background": "#FFFFFF",
        "ink": "#1A1A1A",
        "muted": "#666666",
        "grid": "#E6E6E6",
        "window": "#EFEFF2",
        "recovery": "#F7F7F9",
        "over": "#FBEDEA",
        "warning": "#B3261E",
        "pruned": "#FFFFFF",
        "kept_low": "#BDB7DC",
        "kept_high": "#1F0A57",
        "fresh": "#D6278A",
        "bars": "#C4C4CA",
    },
    "dark": {
        "one_shot": "#E69F00",
        "gradual": "#56B4E9",
        "cubic": "#00B583",
        "other": "#CC79A7",
        "happened": "#F0E442",
        "background": "#111111",
        "ink": "#F2F2F2",
        "muted": "#A0A0A0",
        "grid": "#2C2C2C",
        "window": "#202026",
        "recovery": "#18181B",
        "over": "#2B1917",
        "warning": "#FF8A80",
        "pruned": "#111111",
        "kept_low": "#504888",
        "kept_high": "#E9E4FF",
        "fresh": "#FF7AC0",
        "bars": "#4C4C54",
    },
}


def schedule_color(colors: dict[str, str], kind: str) -> str:
    """The colour of the schedules of type ``kind``; those without one of their own share one."""
    return colors.get(kind, colors["other"])


def theme_colors(theme: str) -> dict[str, str]:
    """The colours of ``theme``, hex by name; EntrenarVizError if there is no such theme."""
    if theme not in COLORS:
        raise EntrenarVizError(f"theme {theme!r:.40} is unknown: use one of {', '.join(COLORS)}")
    return COLORS[theme]
