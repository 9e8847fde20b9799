"""Signs without rounding, for the few points so close to a border that plain arithmetic cannot tell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from layers.locate.edges import Floats

UNKNOWN = 2

_SMALLEST = 1e-280


def exact_side(ax: Floats, ay: Floats, bx: Floats, by: Floats, px: Floats, py: Floats) -> npt.NDArray[np.int8]:
    """Tell on which side of the edge from `a` to `b` a point lies: 1 left, -1 right, 0 exactly on its line.

    Returns
    -------
    numpy.ndarray
        `UNKNOWN` where differences of the coordinates are no floating-point numbers, so that more digits are needed,
        or products too small to be told from nothing.

    Source
    ------
    Dekker's product, 1971: a product of two doubles as an unevaluated sum of two.
    """
    dx, dx_rest = _difference(bx, ax)
    dy, dy_rest = _difference(by, ay)
    qx, qx_rest = _difference(px, ax)
    qy, qy_rest = _difference(py, ay)
    one, one_rest = _product(dx, qy)
    other, other_rest = _product(dy, qx)
    side = np.where(one != other, np.sign(one - other), np.sign(one_rest - other_rest)).astype(np.int8)
    lost = (np.abs(one) < _SMALLEST) & (dx != 0) & (qy != 0)
    lost |= (np.abs(other) < _SMALLEST) & (dy != 0) & (qx != 0)
    side[lost | (dx_rest != 0) | (dy_rest != 0) | (qx_rest != 0) | (qy_rest != 0)] = UNKNOWN
    return side


def _difference(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    d = a - b
    back = a - d
    return d, (a - (d + back)) + (back - b)


def _product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    p = a * b
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    return p, a_low * b_low - (((p - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _halves(a: Floats) -> tuple[Floats, Floats]:
    scaled = a * 134217729.0
    high = scaled - (scaled - a)
    return high, a - high
