"""The equation of state as one frozen object: columns, batch first, with its jumps."""

import warnings
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from nslib.interpolate import pchip, pchip_slopes

#: largest first-law error of a table that passes without a warning
FIRST_LAW_TOLERANCE = 1e-4


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EOS:
    """Cold matter in equilibrium as a table, one row a state, pressure rising; leading axes are a batch.

    Two neighbouring rows with equal p and rising eps are a first-order jump. Between rows, ln eps is the
    monotone cubic interpolant of ln p, one-sided at jumps.

    Attributes
    ----------
    eps, p : (..., n_row) arrays [MeV fm^-3]
    n_b : (..., n_row) array or None [fm^-3]
    mu_b : (..., n_row) array or None [MeV]
    cs2 : (..., n_row) array or None [c^2], equilibrium sound speed carried from the model;
        None: :meth:`sound_speed` takes the slope of the interpolant
    n_join : (...) array or None [fm^-3], density of the first core row where a crust was joined
    delta_mu : (...) array or None [MeV], step of mu_b there, core minus crust at equal pressure
    status : (...) int array or None, what its maker says of each member; 0 is good
    """

    eps: jax.Array
    p: jax.Array
    n_b: jax.Array | None = None
    mu_b: jax.Array | None = None
    cs2: jax.Array | None = None
    n_join: jax.Array | None = None
    delta_mu: jax.Array | None = None
    status: jax.Array | None = None

    @classmethod
    def from_table(cls, *, eps, p, n_b=None, mu_b=None, cs2=None, require_causal=False):
        """Checked EOS from the columns of one table.

        Parameters
        ----------
        eps, p : (n_row,) arrays [MeV fm^-3]
        n_b : (n_row,) array, optional [fm^-3]
        mu_b : (n_row,) array, optional [MeV]; (eps + p) / n_b if n_b is given alone
        cs2 : (n_row,) array, optional [c^2]
        require_causal : bool, refuse a sound speed above that of light

        Returns
        -------
        EOS

        Raises
        ------
        ValueError
            naming column, row and value: not finite, not positive, p falling, eps not rising other than
            at a jump, three equal pressures, fewer than four rows, shapes that differ, values that
            cannot be MeV fm^-3, cs2 > 1 where ``require_causal``.

        Warns
        -----
        UserWarning
            when the columns break the first law, d eps = mu_b d n_b, by more than 1e-4.
        """
        columns = {"eps": eps, "p": p, "n_b": n_b, "mu_b": mu_b, "cs2": cs2}
        columns = {k: _numbers(k, v) for k, v in columns.items() if v is not None or k in ("eps", "p")}
        _check_columns(columns)
        if "n_b" in columns and "mu_b" not in columns:
            columns["mu_b"] = (columns["eps"] + columns["p"]) / columns["n_b"]
        eos = cls(**{k: jnp.asarray(v) for k, v in columns.items()})
        if require_causal and not eos.is_causal():
            raise ValueError(f"cs2 reaches {float(jnp.max(eos.sound_speed())):.4g} c^2; at most 1 is allowed")
        if n_b is not None and (error := float(eos.first_law_error())) > FIRST_LAW_TOLERANCE:
            warnings.warn(f"columns break the first law by {error:.1e} (allowed {FIRST_LAW_TOLERANCE:.0e})", stacklevel=2)
        return eos

    @property
    def n_row(self):
        """Number of rows."""
        return self.p.shape[-1]

    @property
    def is_batch(self):
        """Whether there is a leading axis."""
        return self.p.ndim > 1

    def __len__(self):
        """Number of members of a batch."""
        if not self.is_batch:
            raise TypeError("this EOS is not a batch: it has one member")
        return self.p.shape[0]

    def __getitem__(self, i):
        """Member i of a batch, or several by a slice or an array of indices."""
        if not self.is_batch:
            raise TypeError("this EOS is not a batch: it has one member")
        if not isinstance(i, slice):
            k, n = np.asarray(i), len(self)
            if k.dtype != bool and np.any((k < -n) | (k >= n)):
                raise IndexError(f"member {i} of a batch of {n}")
        return jax.tree.map(lambda a: a[i], self)

    def need(self, *names):
        """The named columns; ValueError where one is absent."""
        for name in names:
            if getattr(self, name) is None:
                raise ValueError(f"{name} is absent from this EOS; build it with {name}=... to use this call")
        return tuple(getattr(self, name) for name in names)

    def jumps(self):
        """First-order jumps of one EOS: list of (p, eps below, eps above) [MeV fm^-3]."""
        p, eps = np.asarray(self.p), np.asarray(self.eps)
        return [(float(p[i]), float(eps[i]), float(eps[i + 1])) for i in np.flatnonzero(np.diff(p) == 0)]

    def sound_speed(self):
        """Equilibrium cs2 at the rows [c^2]: the carried column, else the slope of the interpolant.

        Where the interpolant has none, at the end of a table, that of the row next to it.
        """
        return _sloped_speed(self.p, self.eps) if self.cs2 is None else self.cs2

    def is_causal(self):
        """Whether cs2 <= 1 in every row, per member."""
        return jnp.all(self.sound_speed() <= 1, axis=-1)

    def first_law_error(self):
        """Largest relative error of eps + p = mu_b n_b and of d ln eps = (1 + p/eps) d ln n_b over one EOS [1].

        Jumps, and the interval between crust and core, are exempt.
        """
        n_b, mu_b = self.need("n_b", "mu_b")
        euler = jnp.abs(self.eps + self.p - mu_b * n_b) / self.eps
        rate = 1 + self.p / self.eps
        dn = jnp.diff(jnp.log(n_b), axis=-1)
        d1, d2 = (pchip_slopes(jnp.log(n_b), rate)[..., s] for s in (slice(None, -1), slice(1, None)))
        predicted = dn * (rate[..., 1:] + rate[..., :-1]) / 2 + dn**2 * (d1 - d2) / 12
        error = jnp.abs(jnp.diff(jnp.log(self.eps), axis=-1) - predicted)
        exempt = jnp.diff(self.p, axis=-1) == 0
        if self.n_join is not None:
            exempt = exempt | (n_b[..., 1:] == jnp.asarray(self.n_join)[..., None])
        return jnp.maximum(euler.max(axis=-1), jnp.where(exempt, 0.0, error).max(axis=-1))

    def at_density(self, n_b):
        """Columns of one EOS at densities inside the table, as an EOS with those rows.

        Interpolated in ln n_b. Raises ValueError for a batch, or outside the table.

        Parameters
        ----------
        n_b : (m,) array [fm^-3]
        """
        (grid,) = self.need("n_b")
        if self.is_batch:
            raise ValueError("at_density takes one EOS; take a member with eos[i]")
        n_b = jnp.atleast_1d(jnp.asarray(n_b, dtype=float))
        lo, hi = float(grid[0]), float(grid[-1])
        if not bool(jnp.all((n_b >= lo) & (n_b <= hi))):
            raise ValueError(f"n_b must lie in [{lo:.4g}, {hi:.4g}] fm^-3, got {n_b}")
        return _rows_at(self, n_b)


@jax.jit
def _rows_at(eos, n_b):
    """The columns of one EOS at the densities n_b (m,) [fm^-3]."""
    x, xp = jnp.log(n_b), jnp.log(eos.n_b)
    at = lambda a: None if a is None else pchip(x, xp, a)  # noqa: E731
    eps, p = (jnp.exp(at(jnp.log(a))) for a in (eos.eps, eos.p))
    return replace(eos, eps=eps, p=p, n_b=n_b, mu_b=at(eos.mu_b), cs2=at(eos.cs2))


@jax.jit
def _sloped_speed(p, eps):
    """dp / d eps of the interpolant at the rows, of a neighbouring interval where its slope is zero [c^2]."""
    x, y = jnp.log(p), jnp.log(eps)
    step = jnp.diff(x, axis=-1)
    secant = jnp.where(step > 0, jnp.diff(y, axis=-1) / jnp.where(step > 0, step, 1.0), 0.0)
    edge = jnp.zeros_like(x[..., :1])
    secant = jnp.maximum(*(jnp.concatenate(a, axis=-1) for a in ((edge, secant), (secant, edge))))
    slope = pchip_slopes(x, y)
    return p / eps / jnp.where(slope > 0, slope, secant)


def _numbers(name, column):
    """A column as floats; ValueError for text, complex or masked values, or None."""
    a = np.asarray(column)
    if a.dtype.kind not in "fiu" or np.ma.isMaskedArray(column):
        raise ValueError(f"{name} must be an array of real numbers, got {type(column).__name__} of dtype {a.dtype}")
    return a.astype(float)


def _check_columns(columns):
    """ValueError for columns that are not a table of matter, naming column, row and value."""
    shape = columns["eps"].shape
    for name, a in columns.items():
        if a.ndim != 1 or a.shape != shape:
            raise ValueError(f"{name} must be one column of {shape} values, got shape {a.shape}")
        if len(a) < 4:
            raise ValueError(f"{name} has {len(a)} rows; at least 4 are needed")
        if not np.all(np.isfinite(a)):
            i = int(np.flatnonzero(~np.isfinite(a))[0])
            raise ValueError(f"{name}[{i}] = {a[i]}: every value must be finite")
        if np.any(a <= 0) and name != "cs2":
            i = int(np.flatnonzero(a <= 0)[0])
            raise ValueError(f"{name}[{i}] = {a[i]:.4g}: every value must be > 0")
    eps, p = columns["eps"], columns["p"]
    for name, a in (("eps", eps), ("p", p)):
        if not 1e-3 < np.max(a) < 1e6:
            raise ValueError(f"{name} reaches {np.max(a):.3g}, outside (1e-3, 1e6): not MeV fm^-3 (Pa? erg cm^-3? m^-2?)")
    step = np.diff(p)
    if np.any(step < 0):
        i = int(np.flatnonzero(step < 0)[0])
        raise ValueError(f"p falls from {p[i]:.6g} to {p[i + 1]:.6g} at row {i + 1}; it must not fall (rows swapped?)")
    if np.any((step[1:] == 0) & (step[:-1] == 0)):
        i = int(np.flatnonzero((step[1:] == 0) & (step[:-1] == 0))[0])
        raise ValueError(f"p = {p[i]:.6g} stands in rows {i} to {i + 2}; a jump is two equal pressures, not three")
    for name in ("eps", "n_b"):
        if name in columns and np.any(np.diff(columns[name]) <= 0):
            i = int(np.flatnonzero(np.diff(columns[name]) <= 0)[0])
            a = columns[name]
            raise ValueError(f"{name} goes from {a[i]:.6g} to {a[i + 1]:.6g} at row {i + 1}; it must rise")
    if p[0] > eps[0]:
        raise ValueError(f"p[0] = {p[0]:.4g} exceeds eps[0] = {eps[0]:.4g}; are eps and p swapped?")
    if "n_b" in columns and not 500 < (mu := (eps[0] + p[0]) / columns["n_b"][0]) < 2000:
        raise ValueError(f"(eps + p) / n_b is {mu:.4g} MeV in row 0, outside (500, 2000): n_b is not in fm^-3")
    if "cs2" in columns and np.any(columns["cs2"] < 0):
        i = int(np.flatnonzero(columns["cs2"] < 0)[0])
        raise ValueError(f"cs2[{i}] = {columns['cs2'][i]:.4g}: it must be >= 0")
