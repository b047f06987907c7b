"""nslib.infer: closed forms, recomputation with SciPy, derivatives, batches, bad input."""

from dataclasses import replace
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from nslib import crust, infer, stars
from nslib.matter import metamodel
from nslib.nuclei import experiment
from nslib.stars import Family, Status
from nslib.tables.observations import DEFAULT, NAMES, Mass, MassRadius, Split, Tides, observation, read_samples

NICER = [name for name in NAMES if isinstance(observation(name), MassRadius)]
#: columns of a family that say what its stars are
COLUMNS = ("p_c", "mass", "radius", "tidal")
GW = observation("GW170817 Abbott 2019")


def stack(*members):
    return jax.tree.map(lambda *a: jnp.stack(a), *members)


def density(x, split):
    """Split normal density from SciPy's normal: each half rescaled to meet the other at the mode."""
    value, minus, plus = split
    sigma = np.where(x < value, minus, plus)
    return 2 * sigma / (minus + plus) * norm.pdf(x, value, sigma)


def made(M_max=2.2, R=12.0, M_min=0.3, status=Status.OK, n=64, Lambda=None):
    """A family that bends over at M_max, of constant radius; Lambda falls steeply unless it is given."""
    u = jnp.linspace(0.0, 1.0, n)
    mass = M_min + (M_max - M_min) * u * (2 - u)
    tidal = 400 * (1.4 / mass) ** 6 if Lambda is None else jnp.full(n, Lambda)
    nothing = jnp.asarray(jnp.inf), jnp.asarray(1), jnp.asarray(int(status)), jnp.asarray(0.9)
    return Family(2 * 500.0**u, mass, jnp.full(n, R), tidal, jnp.zeros(n, int), *nothing)


def solve(L):
    return stars.family(crust.join(metamodel.eos(L=L, K_sym=-100.0), n_join=0.08))


@pytest.fixture(scope="module")
def family():
    return solve(58.7)


# ---- densities -------------------------------------------------------------------------------------------------


def test_split_normal():
    split = Split(12.49, 0.88, 1.28)
    x = np.linspace(7, 20, 14)
    np.testing.assert_allclose(infer.split_normal_logpdf(x, *split), np.log(density(x, split)), rtol=1e-12)
    total = sum(quad(density, *ends, args=(split,))[0] for ends in ((5, 12.49), (12.49, 22)))
    assert total == pytest.approx(1, abs=1e-9)
    inside = sum(
        quad(density, *ends, args=(split,))[0] for ends in ((12.49 - 0.88, 12.49), (12.49, 12.49 + 1.28))
    )
    assert inside == pytest.approx(norm.cdf(1) - norm.cdf(-1), abs=1e-9)


# ---- branches ---------------------------------------------------------------------------------------------------


def twins():
    """Two stable branches: to 1.5 Msun with 13 km and Lambda 700, from 1.3 to 2.2 Msun with 11 km and 200."""
    return made(M_max=1.5, R=13.0, Lambda=700.0), made(M_max=2.2, R=11.0, M_min=1.3, Lambda=200.0)


def test_twins_of_a_pulsar():
    """Each stable star is as probable: integrals of both branches over the sum of their lengths, by SciPy."""
    seen = observation("J0437 Choudhury 2024")
    parts = [density(R, seen.radius) * mass_part(seen.mass, lo, hi) for R, lo, hi in ((13.0, 1.0, 1.5), (11.0, 1.3, 2.2))]
    assert float(infer.mass_radius(twins(), seen)) == pytest.approx(np.log(sum(parts) / (0.5 + 0.9)), abs=1e-6)
    seen = observation("J1614 Agazie 2023")
    inside = norm.cdf(2.2, seen.mass, seen.error) - norm.cdf(1.3, seen.mass, seen.error)
    inside += norm.cdf(1.5, seen.mass, seen.error) - norm.cdf(1.0, seen.mass, seen.error)
    assert float(infer.maximum_mass(twins(), seen)) == pytest.approx(np.log(inside / 1.4), rel=1e-6)


def test_twins_of_a_binary():
    """Companions that may lie on either branch do so with equal probability; both of 1.36 Msun: four pairs."""
    seen = GW._replace(q_min=1.0)
    M = 2**0.2 * GW.chirp_mass
    pairs = [density(float(stars.lambda_tilde(M, M, a, b)), GW.lambda_tilde) for a in (700.0, 200.0) for b in (700.0, 200.0)]
    assert float(infer.gravitational_wave(twins(), seen)) == pytest.approx(np.log(np.mean(pairs)), rel=1e-12)
    # a gap between the branches, from 1.2 to 1.6 Msun, in which both companions would lie
    apart = made(M_max=1.2), made(M_max=2.2, M_min=1.6)
    assert float(infer.gravitational_wave(apart, seen)) == -np.inf


def test_branches_of_a_batch():
    """A member without a second branch counts its first alone; one branch in a tuple is the branch."""
    light, heavy = twins()
    none = replace(jax.tree.map(lambda a: jnp.full_like(a, jnp.nan) if a.dtype == float else a, heavy), status=jnp.asarray(int(Status.NO_SUCH_BRANCH)))
    batch = stack(light, light), stack(heavy, none)
    for name, values in infer.log_likelihoods(batch, (*DEFAULT[:3], GW, "J1614 Agazie 2023")).items():
        seen = GW if name == GW.name else observation(name)
        one = infer._LIKELIHOODS[type(seen)]
        assert float(values[0]) == pytest.approx(float(one((light, heavy), seen)), rel=1e-12)
        assert float(values[1]) == pytest.approx(float(one(light, seen)), rel=1e-12)
        assert float(one((light,), seen)) == float(one(light, seen))
    slope = jax.grad(lambda R: infer.log_likelihoods(tuple(replace(f, radius=f.radius + R) for f in batch), DEFAULT[:3])[DEFAULT[0]].sum())(0.0)
    assert np.isfinite(slope)


def test_branch_without_length():
    """A second branch of one mass, as a scan may find at the edge of what it resolves, counts nothing."""
    light, heavy = twins()
    point = replace(heavy, mass=jnp.full_like(heavy.mass, 1.7))
    for name in (*DEFAULT, "J1614 Agazie 2023"):
        both, one = (infer.log_likelihoods(f, (name,))[name] for f in ((light, point), light))
        assert float(both) == pytest.approx(float(one), rel=1e-12)


def test_branches_must_match():
    light, heavy = twins()
    with pytest.raises(ValueError, match="branches of one batch"):
        infer.mass_radius((light, stack(heavy, heavy)), DEFAULT[0])
    with pytest.raises(ValueError, match="branches of one batch, got 0"):
        infer.mass_radius((), DEFAULT[0])


# ---- closed forms ----------------------------------------------------------------------------------------------


def mass_part(mass, M_low, M_max):
    """Integral of the split normal density of a mass, by SciPy."""
    knots = np.clip(
        [M_low, mass.value - 8 * mass.minus, mass.value, mass.value + 8 * mass.plus, M_max], M_low, M_max
    )
    knots = np.sort(knots)
    return sum(quad(density, a, b, args=(mass,), epsrel=1e-11, epsabs=0)[0] for a, b in pairwise(knots))


@pytest.mark.parametrize("name", NICER)
@pytest.mark.parametrize("M_max, M_low", [(2.2, 1.0), (1.7, 1.1), (3.0, 1.3)])
def test_constant_radius(name, M_max, M_low):
    """The radius factors out of the integral, and what remains is the probability of the mass."""
    seen = observation(name)
    expected = density(12.0, seen.radius) * mass_part(seen.mass, M_low, M_max) / (M_max - M_low)
    found = infer.mass_radius(made(M_max=M_max), seen, M_low)
    assert float(found) == pytest.approx(np.log(expected), abs=2e-7)


def test_pulsar_far_above_the_family():
    """M_max 10 standard deviations below: the tail of the normal, neither -inf nor NaN."""
    seen = observation("J0740 Salmi 2024")
    M_max = seen.mass.value - 10 * seen.mass.minus
    expected = np.log(density(12.0, seen.radius)) + norm.logcdf(-10) - np.log(M_max - 1.0)
    assert float(infer.mass_radius(made(M_max=M_max), seen)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("M_max", [1.1, 1.5, 1.9, 1.937, 2.0, 2.5])
def test_maximum_mass(M_max):
    seen = observation("J1614 Agazie 2023")
    a, b = (1.0 - seen.mass) / seen.error, (M_max - seen.mass) / seen.error
    expected = norm.logcdf(b) + np.log1p(-np.exp(norm.logcdf(a) - norm.logcdf(b))) - np.log(M_max - 1.0)
    assert float(infer.maximum_mass(made(M_max=M_max), seen)) == pytest.approx(expected, rel=1e-12)


def test_pulsar_lighter_than_the_lightest():
    """Both ends of the interval in the upper tail, where the distribution function rounds to one."""
    seen = Mass("light", "star", 1.0, 0.02, "made here")
    expected = norm.logsf(25) + np.log1p(-np.exp(norm.logsf(60) - norm.logsf(25))) - np.log(0.7)
    assert float(infer.maximum_mass(made(), seen, M_low=1.5)) == pytest.approx(expected, rel=1e-11)


def test_equal_companions():
    """q = 1 only: Lambda-tilde is the Lambda of a star of 2^(1/5) chirp masses."""
    seen = GW._replace(q_min=1.0)
    family = made()
    Lambda = family.Lambda(2**0.2 * GW.chirp_mass)
    expected = np.log(density(float(Lambda), GW.lambda_tilde))
    assert float(infer.gravitational_wave(family, seen)) == pytest.approx(expected, rel=1e-12)


def test_companions_above_the_maximum_mass_are_black_holes():
    """M_max below both companions: Lambda-tilde = 0; between them: the lighter one alone has tides."""
    assert float(infer.gravitational_wave(made(M_max=1.1), GW)) == pytest.approx(
        np.log(density(0.0, GW.lambda_tilde)), rel=1e-12
    )

    def one_star(q):
        M_1 = GW.chirp_mass * (1 + q) ** 0.2 / q**0.6
        return density(float(stars.lambda_tilde(M_1, q * M_1, 0.0, 500.0)), GW.lambda_tilde)

    seen = GW._replace(q_min=0.8, q_max=0.95)
    expected = quad(one_star, 0.8, 0.95)[0] / 0.15
    found = infer.gravitational_wave(made(M_max=1.36, Lambda=500.0), seen)
    assert float(found) == pytest.approx(np.log(expected), rel=1e-9)


# ---- a real equation of state, recomputed with SciPy -----------------------------------------------------------


@pytest.fixture(scope="module")
def curves(family):
    """ln M, R and ln Lambda over ln p_c by SciPy's monotone cubic, and the ends of ln p_c."""
    x = np.log(family.p_c)
    columns = (np.log(family.mass), np.asarray(family.radius), np.log(family.tidal))
    return [PchipInterpolator(x, y) for y in columns], x[0], x[-1]


@pytest.mark.parametrize("name", NICER)
def test_mass_and_radius(name, family, curves):
    (ln_M, R, _), begin, end = curves
    x = np.linspace(brentq(ln_M, begin, end), end, 200_001)  # ln M = 0
    M, middle = np.exp(ln_M(x)), (x[1:] + x[:-1]) / 2
    seen = observation(name)
    integrand = density(np.exp(ln_M(middle)), seen.mass) * density(R(middle), seen.radius)
    expected = np.log(np.sum(integrand * np.diff(M)) / (M[-1] - 1.0))
    assert float(infer.mass_radius(family, name)) == pytest.approx(expected, abs=1e-5)


def test_tides(family, curves):
    (ln_M, _, ln_Lambda), begin, end = curves

    def Lambda(M):
        return np.exp(ln_Lambda(brentq(lambda x: ln_M(x) - np.log(M), begin, end, xtol=1e-12)))

    def at(q):
        M_1 = GW.chirp_mass * (1 + q) ** 0.2 / q**0.6
        M_2 = q * M_1
        both = (M_1 + 12 * M_2) * M_1**4 * Lambda(M_1) + (M_2 + 12 * M_1) * M_2**4 * Lambda(M_2)
        return density(16 / 13 * both / (M_1 + M_2) ** 5, GW.lambda_tilde)

    expected = quad(at, GW.q_min, GW.q_max, epsrel=1e-8)[0] / (GW.q_max - GW.q_min)
    assert float(infer.gravitational_wave(family, GW)) == pytest.approx(np.log(expected), abs=1e-6)


def test_sum_of_the_parts(family):
    parts = infer.log_likelihoods(family)
    assert tuple(parts) == DEFAULT
    assert float(infer.log_likelihood(family)) == pytest.approx(float(sum(parts.values())), rel=1e-14)
    assert float(parts["GW170817 Abbott 2019"]) == float(infer.gravitational_wave(family, GW))
    more = infer.log_likelihoods(family, [*DEFAULT, "J1614 Agazie 2023"], M_low=1.1)
    assert float(more["J1614 Agazie 2023"]) == float(infer.maximum_mass(family, "J1614 Agazie 2023", 1.1))
    assert float(more["J0030 Riley 2019"]) == float(infer.mass_radius(family, "J0030 Riley 2019", 1.1))


# ---- derivatives -----------------------------------------------------------------------------------------------


def test_derivative_along_the_stars_of_an_equation_of_state(family):
    """With the stars' own change with L as the direction: against differences of the whole log-likelihood in L."""
    h, names = 0.05, [*DEFAULT, "J1614 Agazie 2023"]
    up, down = solve(58.7 + h), solve(58.7 - h)
    direction = {k: (getattr(up, k) - getattr(down, k)) / (2 * h) for k in COLUMNS}
    columns = {k: getattr(family, k) for k in COLUMNS}

    def parts(columns):
        return jnp.stack(list(infer.log_likelihoods(replace(family, **columns), names).values()))

    slopes = jax.jvp(parts, (columns,), (direction,))[1]
    both = np.stack(list(infer.log_likelihoods(stack(up, down), names).values()))
    np.testing.assert_allclose(slopes, (both[:, 0] - both[:, 1]) / (2 * h), rtol=1e-3, atol=1e-6)
    reverse = jax.grad(lambda columns: parts(columns).sum())(columns)
    found = sum(float(jnp.vdot(reverse[k], direction[k])) for k in COLUMNS)
    assert found == pytest.approx(float(slopes.sum()), rel=1e-8)


def test_derivative_as_the_maximum_mass_passes_a_pulsar():
    """On a family whose masses are stretched so that M_max runs across the mass of J0740, and meets it."""
    names = ("J0740 Salmi 2024", "GW170817 Abbott 2019")

    def total(s):
        family = made(M_max=2.0)
        u = jnp.linspace(0.0, 1.0, 64)
        return infer.log_likelihood(replace(family, mass=family.mass * s, radius=12.5 - 2 * u**2), names)

    meets = 2.073 / 2.0
    s = jnp.append(jnp.linspace(0.95, 1.1, 13), jnp.array([meets * (1 - 1e-12), meets, meets * (1 + 1e-12)]))
    h = 1e-3  # the sum over masses has rounding of its own of about 1e-5
    ends = jnp.concatenate([s + h, s - h])
    slope, total_at = jax.vmap(jax.grad(total))(s), jax.vmap(total)(ends)
    np.testing.assert_allclose(slope, (total_at[:16] - total_at[16:]) / (2 * h), atol=0.03)
    np.testing.assert_allclose(slope[-3:], slope[-2], rtol=1e-4)


def test_unsolved_neighbour_spoils_no_derivative():
    good, bad = made(), made(status=Status.NO_SURFACE)
    bad = replace(bad, **{name: jnp.full(64, jnp.nan) for name in COLUMNS})

    def total(radius):
        batch = stack(good, bad)
        return infer.log_likelihood(replace(batch, radius=batch.radius + radius[:, None]))[0]

    slope = jax.grad(total)(jnp.zeros(2))
    assert np.isfinite(float(slope[0])) and float(slope[0]) != 0 and float(slope[1]) == 0


# ---- batches ---------------------------------------------------------------------------------------------------


def test_batch_is_its_members(family):
    names = [*DEFAULT, "J1614 Agazie 2023"]
    members = [made(M_max=2.4), family, made(R=11.0)]
    nan = {name: jnp.full(64, jnp.nan) for name in COLUMNS}
    odd = [replace(made(status=Status.P_FALLS), **nan), made(M_max=0.9), made(M_min=1.2)]
    batch = stack(members[0], odd[0], members[1], odd[1], odd[2], members[2])
    found = np.asarray(infer.log_likelihood(batch, names))
    each = [float(infer.log_likelihood(member, names)) for member in members]
    np.testing.assert_allclose(found[[0, 2, 5]], each, rtol=1e-12)
    assert found[1] == found[3] == -np.inf and np.isnan(found[4])
    under_vmap = jax.jit(jax.vmap(lambda one: infer.log_likelihood(one, names)))(batch)
    np.testing.assert_allclose(under_vmap, found, rtol=1e-12)


def test_family_that_ends_below_the_lightest_pulsar():
    """It can hold none of the pulsars; no error, for the equation of state is not at fault."""
    light = made(M_max=0.9)
    assert float(infer.mass_radius(light, "J0030 Riley 2019")) == -np.inf
    assert float(infer.maximum_mass(light, "J1614 Agazie 2023")) == -np.inf


# ---- samples of a posterior ------------------------------------------------------------------------------------

#: mass and radius of a pulsar that go together: their mean and covariance [Msun, km]
MEAN, COVARIANCE = np.array([1.6, 12.3]), np.array([[0.04, 0.16], [0.16, 1.0]])


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """100,000 samples with a correlation of 0.8, drawn too wide and weighted back, as read from a file of text."""
    rng, wide = np.random.default_rng(4), 1.5 * COVARIANCE
    x = rng.multivariate_normal(MEAN, wide, 100_000)
    w = multivariate_normal(MEAN, COVARIANCE).pdf(x) / multivariate_normal(MEAN, wide).pdf(x)
    path = tmp_path_factory.mktemp("samples") / "mine.csv"
    np.savetxt(path, np.column_stack([x, w]), delimiter=",", header="mass, radius, weight")
    return read_samples(path, "PSR J0000+0000")


@pytest.mark.parametrize("M_max, R", [(2.2, 12.0), (2.2, 14.0), (1.7, 12.5)])
def test_samples_against_the_density_they_are_of(samples, M_max, R):
    """Of constant radius: the integral of the normal density with correlation, as wide as the kernel makes it.

    100,000 samples scatter by 0.01 (four seeds, SciPy's estimate itself).
    """
    wider = multivariate_normal(MEAN, COVARIANCE * (1 + samples.n_effective ** (-1 / 3)))
    expected = np.log(quad(lambda M: wider.pdf([M, R]), 1.0, M_max, points=[1.6])[0] / (M_max - 1.0))
    family = made(M_max, R)
    found = float(infer.mass_radius_samples(family, samples))
    assert found == pytest.approx(expected, abs=0.04)
    batch = stack(family, made(M_max, R, status=Status.NO_SURFACE))
    np.testing.assert_allclose(infer.log_likelihood(batch, [samples]), [found, -np.inf], rtol=1e-12)


def test_correlation_of_samples_counts(samples):
    """Large radii go with large masses: without them a large radius is less likely by far than two independent normals say."""
    apart = pulsar(1.6, 0.2, R=12.3)._replace(mass=Split(1.6, 0.2, 0.2))
    family = made(1.6, 14.0)
    assert float(infer.mass_radius_samples(family, samples)) < float(infer.mass_radius(family, apart)) - 1


def test_samples_where_no_star_is(samples):
    assert float(infer.mass_radius_samples(made(R=30.0), samples)) == -np.inf
    assert np.isfinite(jax.grad(lambda R: infer.mass_radius_samples(made(R=R), samples))(12.0))


def test_samples_of_a_family_that_begins_too_heavy(samples):
    """NaN in a batch, as for summary values, and not minus infinity."""
    late = made(M_min=1.2)
    batch = stack(made(), late)
    assert np.isnan(infer.mass_radius_samples(batch, samples)[1]) and np.isfinite(infer.mass_radius_samples(batch, samples)[0])
    with pytest.raises(ValueError, match="begins at 1.2000 Msun, above 1.0000"):
        infer.mass_radius_samples(late, samples)


@pytest.mark.parametrize("change", [
    lambda s: {"density": s.density[:50]}, lambda s: {"density": -s.density}, lambda s: {"density": 100 * s.density}, lambda s: {"mass": s.mass**2},
    lambda s: {"mass": s.mass[::-1]}, lambda s: {"mass": s.mass * np.nan}, lambda s: {"density": s.density[0]},
])  # fmt: skip
def test_samples_that_are_no_density(samples, change):
    with pytest.raises(ValueError, match="seen must hold a density >= 0 of integral 1 on nodes that rise in equal steps"):
        infer.mass_radius_samples(made(), samples._replace(**change(samples)))


def test_samples_of_a_star_that_counts_already(samples):
    with pytest.raises(ValueError, match="different stars and names, got J0740 Salmi 2024 and mine"):
        infer.log_likelihoods(made(), ["J0740 Salmi 2024", samples._replace(star="PSR J0740+6620")])


# ---- bad input -------------------------------------------------------------------------------------------------


def pulsar(M=1.4, M_minus=0.1, R=12.0, R_plus=1.0):
    return MassRadius("mine", "star", Split(M, M_minus, 0.1), Split(R, 1.0, R_plus), "made here")


@pytest.mark.parametrize("pair", [
    ("J0740 Salmi 2024", "J0740 Fonseca 2021"), ("J0030 Riley 2019", "J0030 Miller 2019"), (GW, GW),
])  # fmt: skip
def test_a_star_counts_once(pair):
    """The radio mass of J0740 is in its NICER posterior; two analyses are of the same photons."""
    with pytest.raises(ValueError, match="must be of different stars and names, got .* and "):
        infer.log_likelihood(made(), pair)


@pytest.mark.parametrize("observations, message", [
    ((), "at least one observation, got none"),
    (["J0030 Riley"], "name must be one of"),
    ([GW, 1.4], "must be names, or MassRadius, Samples, Mass or Tides; got 1.4"),
    ([pulsar(), pulsar()._replace(star="other")], "different stars and names, got mine and mine"),
])  # fmt: skip
def test_observations_that_are_none(observations, message):
    with pytest.raises(ValueError, match=message):
        infer.log_likelihoods(made(), observations)


@pytest.mark.parametrize("call, message", [
    (lambda f: infer.mass_radius(f, "J1614 Agazie 2023"), "seen must be MassRadius or the name of one, got Mass"),
    (lambda f: infer.maximum_mass(f, GW), "seen must be Mass "),
    (lambda f: infer.gravitational_wave(f, "J0030 Riley 2019"), "seen must be Tides "),
    (lambda f: infer.mass_radius(f, pulsar(M_minus=0.0)), "errors must be finite and above 0"),
    (lambda f: infer.mass_radius(f, pulsar(R_plus=-1.0)), "errors must be finite and above 0"),
    (lambda f: infer.mass_radius(f, pulsar(R=np.nan)), "radius must be finite"),
    (lambda f: infer.maximum_mass(f, Mass("mine", "star", 2.0, 0.0, "made here")), "error must be finite"),
    (lambda f: infer.gravitational_wave(f, GW._replace(q_min=0.0)), "q_min must be finite and above 0"),
    (lambda f: infer.gravitational_wave(f, GW._replace(q_max=1.2)), "q_min <= q_max <= 1 must hold"),
    (lambda f: infer.mass_radius(f, pulsar(), M_low=0.2), r"begins at 0\.3000 Msun, above 0\.2000"),
    (lambda f: infer.mass_radius(f, pulsar(), M_low=np.nan), "M_low must be finite"),
    (lambda f: infer.mass_radius_samples(f, pulsar()), "seen must be Samples, got MassRadius"),
    (lambda f: infer.maximum_mass(f, "J1614 Agazie 2023", M_low=-1.0), "M_low must be finite and above 0"),
])  # fmt: skip
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(made())


def test_single_family_without_stars():
    with pytest.raises(ValueError, match="family has no stars: .* crust"):
        infer.log_likelihood(made(status=Status.NO_SURFACE))
    with pytest.raises(ValueError, match="family begins at 1.2000 Msun, above 1.1"):
        infer.gravitational_wave(made(M_min=1.2), Tides(*GW))


# ---- nuclei ----------------------------------------------------------------------------------------------------

PAIR = ("40Ca", "208Pb")
#: binding energies [MeV] and charge radii [fm] of the two, near to those of NL3
NL3 = np.array([[342.02, 1639.54], [3.469, 5.520]])


def normal(B, r_ch, seen, relative=0.02):
    """The sum over nuclei, from SciPy."""
    parts = [norm.logpdf(a, mu, relative * mu) for a, mu in ((B, seen.B), (r_ch, seen.r_ch))]
    return np.sum(parts, axis=(0, -1))


def test_finite_nuclei_is_a_product_of_normal_densities():
    seen = experiment(PAIR)
    assert float(infer.finite_nuclei(*NL3, PAIR)) == pytest.approx(normal(*NL3, seen), rel=1e-12)
    assert infer.finite_nuclei(*NL3, seen).shape == ()
    batch = NL3[:, None, None] * np.linspace(0.9, 1.1, 6).reshape(2, 3, 1)
    for relative in (0.02, 0.005):
        found = infer.finite_nuclei(*batch, seen, relative)
        np.testing.assert_allclose(found, normal(*batch, seen, relative), rtol=1e-12)
        assert found.shape == (2, 3)
    energies = norm.logpdf(NL3[0], seen.B, 0.02 * seen.B).sum()
    assert float(infer.finite_nuclei(NL3[0], None, seen, radii=False)) == pytest.approx(energies, rel=1e-12)


def test_finite_nuclei_that_are_not_solved():
    """One NaN is no solution, and changes nothing beside it; a nucleus far off is only unlikely."""
    B, r_ch = np.broadcast_to(NL3[:, None], (2, 5, 2)).copy()
    B[1, 0], r_ch[2, 1], r_ch[3], B[4] = np.nan, np.nan, np.inf, 0.0
    found = infer.finite_nuclei(B, r_ch, PAIR)
    assert found[0] == infer.finite_nuclei(*NL3[:, None], PAIR)[0]
    assert np.all(found[1:4] == -np.inf) and np.isfinite(found[4])
    single = infer.finite_nuclei(B[2], r_ch[2], PAIR)
    assert single.shape == () and single == -np.inf
    assert infer.finite_nuclei(B[2], None, PAIR, radii=False) > -np.inf


def test_finite_nuclei_under_transformations():
    """The derivative is -(y - mu) / sigma^2, and zero, not NaN, for a member that is not solved."""
    seen = experiment(PAIR)
    B, r_ch = np.broadcast_to(NL3[:, None], (2, 3, 2)).copy()
    B[1] = np.nan
    one = lambda B, r_ch: infer.finite_nuclei(B, r_ch, seen)
    np.testing.assert_allclose(jax.jit(jax.vmap(one))(B, r_ch), one(B, r_ch), rtol=1e-14)
    slopes = jax.jit(jax.vmap(jax.grad(one, argnums=(0, 1))))(B, r_ch)
    for slope, y, mu in zip(slopes, NL3, (seen.B, seen.r_ch)):
        np.testing.assert_allclose(slope[0], (mu - y) / (0.02 * mu) ** 2, rtol=1e-12)
        np.testing.assert_array_equal(slope[1], 0.0)
        np.testing.assert_array_equal(slope[2], slope[0])
    total = jax.grad(lambda s: one(B + s, r_ch + s)[::2].sum())(0.0)  # beside the NaN
    assert float(total) == pytest.approx(2 * float(sum(slope[0].sum() for slope in slopes)), rel=1e-12)


def test_estimated_energy_counts_but_a_radius_that_is_missing_does_not():
    seen = experiment(["78Ni"])
    assert seen.estimated[0]
    found = infer.finite_nuclei([640.0], None, seen, radii=False)
    assert float(found) == pytest.approx(norm.logpdf(640.0, seen.B[0], 0.02 * seen.B[0]), rel=1e-12)
    with pytest.raises(ValueError, match="no charge radius has been measured of 78Ni; give radii=False"):
        infer.finite_nuclei([342.0, 640.0], [3.47, 3.9], ("40Ca", "78Ni"))


@pytest.mark.parametrize("call, message", [
    (lambda: infer.finite_nuclei(*NL3, "40Ca"), r"B must have shape \(\.\.\., 1\), the same as B, got \(2,\)"),
    (lambda: infer.finite_nuclei(342.0, 3.47, ["40Ca"]), r"B must have shape \(\.\.\., 1\), .* got \(\)"),
    (lambda: infer.finite_nuclei(NL3, NL3[1], PAIR), r"r_ch must have shape \(\.\.\., 2\), .* got \(2,\)"),
    (lambda: infer.finite_nuclei(NL3[0], None, PAIR), "r_ch must be given, unless radii=False"),
    (lambda: infer.finite_nuclei(*NL3, PAIR, 0.0), "relative must be finite and above 0, got 0.0"),
    (lambda: infer.finite_nuclei(*NL3, PAIR, -0.02), "relative must be finite and above 0"),
    (lambda: infer.finite_nuclei(*NL3, PAIR, np.nan), "relative must be finite and above 0"),
    (lambda: infer.finite_nuclei(*NL3, PAIR, np.inf), "relative must be finite and above 0"),
    (lambda: infer.finite_nuclei(*NL3, PAIR, [0.02, 0.01]), "relative must be one number"),
    (lambda: infer.finite_nuclei(*NL3, ("40Ca", "41Ca")), "nuclei: no filling for '41Ca'"),
    (lambda: infer.finite_nuclei(*NL3, [(20, 20), (82, 125.5)]), "Z and N must be whole numbers"),
    (lambda: infer.finite_nuclei(*NL3, ()), "at least one nucleus"),
    (lambda: infer.finite_nuclei(*NL3, experiment(PAIR)._replace(B=np.array([342.0, np.nan]))), "B must be finite"),
])  # fmt: skip
def test_finite_nuclei_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
