"""Draws lines as SVG: panels side by side, each line named at its end, readable by day and by night.

A picture is text of a few kilobytes that a browser shows by itself. Colours follow the reader's
scheme by a media query, and lines differ in shape as well, so that none needs colour to be told
apart.
"""

from collections.abc import Iterator, Sequence
from html import escape
from statistics import mean

import msgspec

from bench.axes import Axis, linear_axis, log_axis, told

WIDTH, HEIGHT = 408, 268
LEFT, RIGHT, TOP, BOTTOM = 50, 96, 46, 42
HEADING, FOOT = 84, 12
LABEL_GAP = 13
_MARKS = ("circle", "square", "diamond", "triangle", "ring")
_STYLE = """
svg { background: #ffffff; font: 12px system-ui, -apple-system, "Segoe UI", sans-serif }
text { fill: #1f2328 } .dim { fill: #59636e } .title { font-size: 19px; font-weight: 600 }
.panel { font-size: 13.5px; font-weight: 600 } .grid { stroke: #d9dee4 } .axis { stroke: #818b98 }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round }
.thin { stroke-width: 1.2; stroke-dasharray: 2 4; opacity: .85 } .end { font-weight: 600 }
.shade { fill: #818b98; opacity: .13 }
.c0 { --c: #0969da } .c1 { --c: #1a7f37 } .c2 { --c: #bc4c00 } .c3 { --c: #8250df } .c4 { --c: #bf3989 }
.line { stroke: var(--c) } .mark { fill: var(--c) } .ring { fill: none; stroke: var(--c); stroke-width: 1.8 }
.end { fill: var(--c) }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117 } text { fill: #e6edf3 } .dim { fill: #9198a1 }
.grid { stroke: #262c34 } .axis { stroke: #656c76 }
.c0 { --c: #58a6ff } .c1 { --c: #3fb950 } .c2 { --c: #f0883e } .c3 { --c: #bc8cff } .c4 { --c: #f778ba }
.end { fill: var(--c) } }
"""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn in one colour; a thin line accompanies another one and has no name at its end."""

    name: str
    color: int
    points: list[tuple[float, float]]
    is_thin: bool = False


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One pair of axes; `shaded_until` greys what is left of it out."""

    title: str
    x_label: str
    lines: list[Line]
    x_is_log: bool = False
    y_is_log: bool = False
    x_ticks: list[float] = []
    has_marks: bool = True
    shaded_until: float | None = None


def drawing(title: str, notes: Sequence[str], panels: Sequence[Panel], *, columns: int) -> str:
    """The whole picture."""
    rows = -(-len(panels) // columns)
    width, height = columns * WIDTH, HEADING + rows * HEIGHT + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="34">{escape(title)}</text>',
    ]
    parts += [
        f'<text class="dim" x="{LEFT}" y="{54 + 16 * row}">{escape(note)}</text>'
        for row, note in enumerate(notes)
    ]
    for place, panel in enumerate(panels):
        x, y = place % columns * WIDTH, HEADING + place // columns * HEIGHT
        parts.append(f'<g transform="translate({x} {y})">{"".join(_drawn(panel))}</g>')
    return "\n".join([*parts, "</svg>", ""])


def spread(wanted: Sequence[float], *, gap: float) -> list[float]:
    """Places near the wanted ones, in their order, none nearer to the next than `gap`."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    # Without their gaps the places only must not fall: neighbours that would share their mean.
    groups: list[list[float]] = []
    for rank, number in enumerate(order):
        groups.append([wanted[number] - rank * gap])
        while len(groups) > 1 and mean(groups[-2]) > mean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    levels = [mean(group) for group in groups for _ in group]
    placed = {number: levels[rank] + rank * gap for rank, number in enumerate(order)}
    return [placed[number] for number in range(len(wanted))]


class _Field:
    """Turns values into pixels of a panel."""

    def __init__(self, panel: Panel) -> None:
        points = [point for line in panel.lines for point in line.points]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        fitted = log_axis if panel.y_is_log else linear_axis
        self.x_axis = _x_axis(panel, xs)
        self.y_axis = fitted(ys)

    def x(self, value: float) -> float:
        return round(LEFT + self.x_axis.share(value) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - self.y_axis.share(value) * (HEIGHT - TOP - BOTTOM), 1)


def _x_axis(panel: Panel, xs: Sequence[float]) -> Axis:
    if len(panel.x_ticks) > 1:
        return Axis(ticks=panel.x_ticks, is_log=panel.x_is_log)
    return log_axis(xs) if panel.x_is_log else linear_axis(xs)


def _drawn(panel: Panel) -> Iterator[str]:
    field = _Field(panel)
    yield f'<text class="panel" x="{LEFT}" y="26">{escape(panel.title)}</text>'
    yield from _grid(panel, field)
    for line in panel.lines:
        yield from _line(line, field, has_marks=panel.has_marks)
    yield from _names(panel, field)


def _grid(panel: Panel, field: _Field) -> Iterator[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    if panel.shaded_until is not None:
        width = field.x(panel.shaded_until) - LEFT
        yield f'<rect class="shade" x="{LEFT}" y="{TOP}" width="{width:.1f}" height="{bottom - TOP}"/>'
    for tick in field.y_axis.ticks:
        y = field.y(tick)
        yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>'
        yield f'<text class="dim" x="{LEFT - 7}" y="{y + 4}" text-anchor="end">{told(tick)}</text>'
    yield f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>'
    for tick in field.x_axis.ticks:
        x = field.x(tick)
        yield f'<line class="axis" x1="{x}" x2="{x}" y1="{bottom}" y2="{bottom + 4}"/>'
        yield f'<text class="dim" x="{x}" y="{bottom + 17}" text-anchor="middle">{told(tick)}</text>'
    middle = (LEFT + right) / 2
    label = escape(panel.x_label)
    yield f'<text class="dim" x="{middle}" y="{bottom + 33}" text-anchor="middle">{label}</text>'


def _line(line: Line, field: _Field, *, has_marks: bool) -> Iterator[str]:
    places = [(field.x(x), field.y(y)) for x, y in line.points]
    kind = "line thin" if line.is_thin else "line"
    path = " ".join(f"{x},{y}" for x, y in places)
    yield f'<g class="c{line.color}"><polyline class="{kind}" points="{path}"/>'
    if has_marks and not line.is_thin:
        yield from (_mark(line.color, x, y) for x, y in places)
    yield "</g>"


def _mark(color: int, x: float, y: float) -> str:
    match _MARKS[color % len(_MARKS)]:
        case "circle":
            return f'<circle class="mark" cx="{x}" cy="{y}" r="3.6"/>'
        case "ring":
            return f'<circle class="ring" cx="{x}" cy="{y}" r="3.4"/>'
        case "square":
            return (
                f'<rect class="mark" x="{x - 3.2:.1f}" y="{y - 3.2:.1f}" width="6.4" height="6.4"/>'
            )
        case "diamond":
            outline = f"M{x} {y - 4.6:.1f}l4.6 4.6l-4.6 4.6l-4.6 -4.6z"
        case _:
            outline = f"M{x} {y - 4.4:.1f}l4.4 7.6h-8.8z"
    return f'<path class="mark" d="{outline}"/>'


def _names(panel: Panel, field: _Field) -> Iterator[str]:
    named = [line for line in panel.lines if line.points and not line.is_thin]
    ends = [(field.x(line.points[-1][0]), field.y(line.points[-1][1])) for line in named]
    heights = spread([y for _, y in ends], gap=LABEL_GAP)
    for line, (x, _), y in zip(named, ends, heights, strict=True):
        place = f'x="{x + 9:.1f}" y="{y + 4:.1f}"'
        yield f'<g class="c{line.color}"><text class="end" {place}>{escape(line.name)}</text></g>'
