"""The reliability diagram as SVG: confidence to the right, the share that is right upward, the diagonal the ideal."""

from captchad.recognition.evaluation.reliability import Reliability, ReliabilityBin

PLOT_SIZE = 280.0
MARGIN = 48.0
_SIZE = PLOT_SIZE + 2 * MARGIN
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_LARGEST_RADIUS = 7.0
_LEAST_RADIUS = 2.0


def draw_reliability_diagram(reliability: Reliability) -> str:
    """Return one `svg` element of its own colours: a dot for each bin, as large as its pictures are many."""
    most = max(one.right.total for one in reliability.bins)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE:.0f} {_SIZE:.0f}" width="{_SIZE:.0f}" '
        f'height="{_SIZE:.0f}" role="img" aria-label="Reliability diagram" '
        'font-family="sans-serif" font-size="11" fill="#333">',
        f'<rect width="{_SIZE:.0f}" height="{_SIZE:.0f}" fill="#fff"/>',
        *(_draw_tick(tick) for tick in _TICKS),
        _draw_line((0.0, 0.0), (1.0, 1.0), "#999", 'stroke-dasharray="4 4"'),
        *(_draw_bin(one, most) for one in reliability.bins),
        f'<text x="{_SIZE / 2:.1f}" y="{_SIZE - 10:.1f}" text-anchor="middle">confidence</text>',
        f'<text x="14" y="{_SIZE / 2:.1f}" text-anchor="middle" '
        f'transform="rotate(-90 14 {_SIZE / 2:.1f})">share that is right</text>',
        "</svg>",
    ]
    return "\n".join(parts)


def _draw_tick(value: float) -> str:
    label = f"{value:.1f}"
    return "\n".join(
        (
            _draw_line((value, 0.0), (value, 1.0), "#e4e4e4"),
            _draw_line((0.0, value), (1.0, value), "#e4e4e4"),
            f'<text x="{_right(value):.1f}" y="{_up(0.0) + 16:.1f}" text-anchor="middle">{label}</text>',
            f'<text x="{_right(0.0) - 6:.1f}" y="{_up(value) + 4:.1f}" text-anchor="end">{label}</text>',
        )
    )


def _draw_bin(one: ReliabilityBin, most: int) -> str:
    radius = max(_LEAST_RADIUS, _LARGEST_RADIUS * (one.right.total / most) ** 0.5)
    x, share = one.mean_confidence, one.right.share
    title = f"{one.right.right} of {one.right.total} right at {x:.3f}"
    return "\n".join(
        (
            _draw_line((x, one.right.low), (x, one.right.high), "#1f6feb"),
            f'<circle cx="{_right(x):.1f}" cy="{_up(share):.1f}" r="{radius:.1f}" fill="#1f6feb">'
            f"<title>{title}</title></circle>",
        )
    )


def _draw_line(start: tuple[float, float], end: tuple[float, float], colour: str, more: str = "") -> str:
    return (
        f'<line x1="{_right(start[0]):.1f}" y1="{_up(start[1]):.1f}" x2="{_right(end[0]):.1f}" '
        f'y2="{_up(end[1]):.1f}" stroke="{colour}" {more}/>'
    )


def _right(value: float) -> float:
    return MARGIN + value * PLOT_SIZE


def _up(value: float) -> float:
    return MARGIN + (1 - value) * PLOT_SIZE
