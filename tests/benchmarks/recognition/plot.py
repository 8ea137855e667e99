"""The comparison as SVG: a row for each engine, a dot for each family, a bar at the mean of each group."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tests.benchmarks.recognition.summary import FamilyScore

_LEFT, _PLOT_WIDTH, _RIGHT = 170.0, 520.0, 30.0
_TOP, _ROW, _BOTTOM = 46.0, 54.0, 46.0
_WIDTH = _LEFT + _PLOT_WIDTH + _RIGHT
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_KNOWN_COLOUR, _HELD_OUT_COLOUR = "#1f6feb", "#d1570a"
_LANE = 10.0
_DOT_RADIUS, _BAR_HALF = 3.5, 9.0


@dataclass(frozen=True, slots=True)
class PlotRow:
    """An engine's shares by family, in the two groups."""

    name: str
    known: Sequence[FamilyScore]
    held_out: Sequence[FamilyScore]


def draw_comparison(rows: Sequence[PlotRow], title: str) -> str:
    """Return one `svg` element of its own colours."""
    height = _TOP + _ROW * len(rows) + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" width="{_WIDTH:.0f}" '
        f'height="{height:.0f}" role="img" aria-label="{escape(title)}" '
        'font-family="sans-serif" font-size="12" fill="#333">',
        f'<rect width="{_WIDTH:.0f}" height="{height:.0f}" fill="#fff"/>',
        f'<text x="{_LEFT:.0f}" y="20" font-size="14">{escape(title)}</text>',
        *(_draw_tick(tick, len(rows)) for tick in _TICKS),
        *(_draw_row(row, _TOP + _ROW * (place + 0.5)) for place, row in enumerate(rows)),
        _draw_legend(height - 10),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _draw_tick(share: float, rows: int) -> str:
    x, bottom = _across(share), _TOP + _ROW * rows
    return (
        f'<line x1="{x:.1f}" y1="{_TOP:.1f}" x2="{x:.1f}" y2="{bottom:.1f}" stroke="#e4e4e4"/>\n'
        f'<text x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{share:.0%}</text>'
    )


def _draw_row(row: PlotRow, y: float) -> str:
    name = f'<text x="{_LEFT - 12:.1f}" y="{y + 4:.1f}" text-anchor="end">{escape(row.name)}</text>'
    known = _draw_group(row.known, y - _LANE, _KNOWN_COLOUR)
    return "\n".join((name, *known, *_draw_group(row.held_out, y + _LANE, _HELD_OUT_COLOUR)))


def _draw_group(scores: Sequence[FamilyScore], y: float, colour: str) -> list[str]:
    if not scores:
        return []
    mean = sum(score.share for score in scores) / len(scores)
    dots = [
        f'<circle cx="{_across(score.share):.1f}" cy="{y:.1f}" r="{_DOT_RADIUS}" fill="{colour}" fill-opacity="0.35">'
        f"<title>{escape(score.family)}: {score.right} of {score.pictures}</title></circle>"
        for score in scores
    ]
    x = _across(mean)
    bar = (
        f'<line x1="{x:.1f}" y1="{y - _BAR_HALF:.1f}" x2="{x:.1f}" y2="{y + _BAR_HALF:.1f}" stroke="{colour}" '
        f'stroke-width="3"><title>mean {mean:.1%}</title></line>'
    )
    return [*dots, bar]


def _draw_legend(y: float) -> str:
    entries = ((_KNOWN_COLOUR, "generators in training"), (_HELD_OUT_COLOUR, "generators held out; bars: means"))
    return "\n".join(
        f'<circle cx="{_LEFT + 190 * place + 4:.1f}" cy="{y - 4:.1f}" r="{_DOT_RADIUS}" fill="{colour}"/>'
        f'<text x="{_LEFT + 190 * place + 14:.1f}" y="{y:.1f}">{label}</text>'
        for place, (colour, label) in enumerate(entries)
    )


def _across(share: float) -> float:
    return _LEFT + share * _PLOT_WIDTH
