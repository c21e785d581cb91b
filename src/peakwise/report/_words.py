"""Numbers as people read them: as many digits as they are worth, and never a probability of 1."""

from __future__ import annotations

import math

__all__ = ["amount", "percent", "plain", "probability", "signed", "significant"]


def significant(value: float | None, digits: int = 4) -> str:
    """Return `value` with so many significant digits, without an exponent where that is readable.

    >>> significant(1234.567), significant(0.00012345), significant(-2.5), significant(None), significant(1e9)
    ('1235', '0.0001234', '−2.5', '–', '1e+09')
    """
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.0f}" if 10 ** (digits - 1) <= abs(value) < 1e7 else f"{value:.{digits}g}"
    return "−" + text[1:] if text.startswith("-") else text


def probability(value: float | None) -> str:
    """Return a probability that is not rounded to certainty.

    >>> [probability(p) for p in (0.5, 0.973, 0.9968, 0.99996, 1, 0.004, 0.0001, 0, None)]
    ['0.50', '0.97', '0.997', '> 0.999', '> 0.999', '0.004', '< 0.001', '< 0.001', '–']
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value > 0.9994:
        return "> 0.999"
    if value < 0.0005:
        return "< 0.001"
    return f"{value:.2f}" if 0.01 <= value < 0.99 else f"{value:.3f}"


def amount(fraction: float | None, error: float | None = None) -> str:
    """Return a weight fraction in percent, with as many decimals as its uncertainty is worth.

    >>> amount(0.787, 0.021), amount(0.787, 0.004), amount(0.787), amount(0.004), amount(None)
    ('79 ± 2 wt%', '78.7 ± 0.4 wt%', '79 wt%', '0.4 wt%', '')
    """
    if fraction is None or not math.isfinite(fraction):
        return ""
    if error is not None and math.isfinite(error) and error > 0:
        places = 0 if error >= 0.0095 else 1 if error >= 0.00095 else 2
        return f"{100 * fraction:.{places}f} ± {max(100 * error, 0.01):.{places}f} wt%"
    return f"{100 * fraction:.{0 if fraction >= 0.0095 or fraction == 0 else 1}f} wt%"


def signed(value: float, places: int) -> str:
    """Return a change with its sign.

    >>> signed(0.5, 2), signed(-0.4, 1)
    ('+0.50', '−0.4')
    """
    return f"{value:+.{places}f}".replace("-", "−")


def percent(fraction: float | None) -> str:
    """Return a profile residual in percent.

    >>> percent(0.0493), percent(None)
    ('4.9 %', '–')
    """
    return "–" if fraction is None or not math.isfinite(fraction) else f"{100 * fraction:.1f} %"


def plain(value: object) -> str:
    """Return a setting as text: numbers short, everything else as it prints.

    >>> plain(0.30000000000000004), plain(True), plain(None), plain([1, 2])
    ('0.3', 'yes', 'none', '1, 2')
    """
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    return str(value)
