"""Small pictures of figures, as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10, sqrt

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 520, 70, 220, 40, 60
OURS, THEIRS = "#0a6b5d", "#8a8a8a"
DOT = 5.0  # radius of a dot of size 1


@dataclass(frozen=True)
class Dot:
    """A point with its name; its area grows with `size`."""

    name: str
    x: float
    y: float
    size: float
    is_ours: bool


def scatter(dots: Sequence[Dot], x_says: str, y_says: str, title: str) -> str:
    """Dots over a logarithmic x axis and a y axis from 0."""
    low, high = log10(min(dot.x for dot in dots)), log10(max(dot.x for dot in dots))
    top = max(dot.y for dot in dots) * 1.1 or 1.0
    span = max(high - low, 0.1)

    def across(x: float) -> float:
        return LEFT + 20 + (log10(x) - low) / span * (WIDTH - LEFT - RIGHT - 20)

    def up(y: float) -> float:
        return HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM)

    floor, end = HEIGHT - BOTTOM, WIDTH - RIGHT + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="24">{escape(title)}</text>',
        f'<path d="M{LEFT} {TOP}V{floor}H{end}" fill="none" stroke="black"/>',
        f'<text x="{(LEFT + end) / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_says)} (logarithmic)</text>',
        f'<text transform="translate(16 {HEIGHT / 2:.0f}) rotate(-90)" text-anchor="middle">{escape(y_says)}</text>',
    ]
    for mark in _marks(10**low, 10**high):
        parts.append(f'<text x="{across(mark):.0f}" y="{floor + 18}" text-anchor="middle">{mark:,.0f}</text>')
    for step in range(6):
        value = top * step / 5
        parts.append(f'<text x="{LEFT - 6}" y="{up(value) + 4:.0f}" text-anchor="end">{value:.2f}</text>')
    for dot in dots:
        x, y, radius = across(dot.x), up(dot.y), DOT * sqrt(max(dot.size, 0.1))
        colour = OURS if dot.is_ours else THEIRS
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}" fill-opacity="0.6"/>'
            f'<text x="{x + radius + 4:.1f}" y="{y + 4:.1f}">{escape(dot.name)}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _marks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of every power of ten within the range."""
    powers = range(int(log10(low)) - 1, int(log10(high)) + 2)
    return [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high]
