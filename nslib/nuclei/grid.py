r"""Radial grid and difference operators of eighth order, as tables for the solver.

The upper component G and the fields live at :math:`r_i = ih`, the lower component F at :math:`r_k =
(k - 1/2)h`. With (D G)_k = G' + kappa G / r at r_k and the fields' reflection at the origin built in, the
operator :math:`D^T B^{-1} D + U` is symmetric, has seven off-diagonals and no spurious states.
"""

from typing import NamedTuple

import numpy as np

#: half the number of points of the stencils
HALF = 4
#: largest off-diagonal of the Dirac operator
BAND = 2 * HALF - 1
#: weights of the m-th pair of neighbours: first derivative and value half-way between two points
_SLOPE = np.array([1225 / 1024, -245 / 3072, 49 / 5120, -5 / 7168])
MIDDLE = np.array([1225, -245, 49, -5]) / 2048
#: -h^2 d^2/dr^2 at distance 0, 1, ... 4
_CURVATURE = np.array([205 / 72, -8 / 5, 1 / 5, -8 / 315, 1 / 560])


class Grid(NamedTuple):
    """Spacing h [fm] and number of points of the grid, which ends at n h, where the fields vanish."""

    h: float = 0.5
    n: int = 32

    @property
    def r(self):
        """Radii of G and of the fields, (n,) array [fm]."""
        return self.h * np.arange(1, self.n + 1)

    @property
    def r_half(self):
        """Radii of F, (n + 4,) array [fm]."""
        return self.h * (np.arange(1, self.n + HALF + 1) - 0.5)


def _stencil(grid, pair, even, sign):
    """(n + 4, n) matrix to the half-way points, pair[m] (G_right + sign G_left); G(-r) = +-G(r)."""
    out = np.zeros((grid.n + HALF, grid.n + 1))
    for k in range(1, grid.n + HALF + 1):
        for m in range(1, HALF + 1):
            for i, weight in ((k - 1 + m, pair[m - 1]), (k - m, sign * pair[m - 1])):
                if abs(i) <= grid.n:
                    out[k - 1, abs(i)] += weight if i > 0 or even else -weight
    return out[:, 1:]


def interpolation(grid):
    """(n + 4, n) matrix from phi at r_i to phi at r_k, by way of r phi, which is odd."""
    return _stencil(grid, MIDDLE, False, 1) * grid.r / grid.r_half[:, None]


def derivative(grid, kappa, l):
    """(n + 4, n) matrix D of :math:`G' + \\kappa G/r`."""
    even = l % 2 == 1
    value = _stencil(grid, MIDDLE, even, 1) / grid.r_half[:, None]
    return _stencil(grid, _SLOPE, even, -1) / grid.h + kappa * value


def products(grid, D):
    """D_ki D_kj for i <= j = i + d and k = i + d - 3, ... i + 4: list over d of (n, 8 - d) arrays."""
    n = grid.n
    padded = np.zeros((n + 2 * HALF + BAND, n + BAND))
    padded[BAND : BAND + n + HALF, :n] = D
    out = []
    for d in range(BAND + 1):
        i = np.arange(n)[:, None]
        k = i + np.arange(d - HALF + 1, HALF + 1) + BAND
        out.append(padded[k, i] * padded[k, i + d])
    return out


def lower(grid, D):
    """D_ki with i = k - 4, ... k + 3, as (n + 4, 8) array."""
    k = np.arange(grid.n + HALF)[:, None]
    padded = np.zeros((grid.n + HALF, grid.n + 2 * HALF + BAND))
    padded[:, HALF : HALF + grid.n] = D
    return padded[k, k + np.arange(2 * HALF)]


def laplacian(grid):
    """-d^2/dr^2 on odd functions that vanish beyond the grid: (n, 5) array, entry d couples i and i + d.

    Also (n,), what a function that is 1 beyond the grid adds to the product.
    """
    c = _CURVATURE / grid.h**2
    i = np.arange(1, grid.n + 1)[:, None]
    d = np.arange(HALF + 1)
    image = 2 * i + d
    band = c[d] - np.where(image <= HALF, c[np.minimum(image, HALF)], 0.0)
    beyond = [sum(c[m] for m in range(1, HALF + 1) if k + m > grid.n) for k in range(1, grid.n + 1)]
    return np.where(i + d <= grid.n, band, 0.0), np.array(beyond)
