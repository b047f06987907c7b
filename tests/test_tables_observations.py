"""nslib.tables.observations: numbers against another transcription of the papers, conversion of GW170817, names."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from nslib.tables.observations import DEFAULT, NAMES, Mass, MassRadius, Tides, observation

#: our name: (file of nucleardatapy 1.0.2 under data/astro, its row, columns)
FILES = {
    "J0030 Miller 2019": ("NICER/J0030+0451.dat", "1"),
    "J0030 Riley 2019": ("NICER/J0030+0451.dat", "2"),
    "J0030 Vinciguerra 2024 PDT-U": ("NICER/J0030+0451.dat", "3"),
    "J0030 Vinciguerra 2024 ST+PDT": ("NICER/J0030+0451.dat", "4"),
    "J0740 Miller 2021": ("NICER/J0740+6620.dat", "1"),
    "J0740 Riley 2021": ("NICER/J0740+6620.dat", "2"),
    "J0740 Salmi 2024": ("NICER/J0740+6620.dat", "3"),
    "J0437 Choudhury 2024": ("NICER/J0437-4715.dat", "1"),
    "J0614 Mauviard 2025": ("NICER/J0614-3329.dat", "1"),
    "J0740 Fonseca 2021": ("masses/J0740+6620.dat", "2"),
    "J1614 Agazie 2023": ("masses/J1614–2230.dat", "5"),
    "GW170817 Abbott 2019": ("GW/GW170817.dat", "4"),
}


def numbers(seen):
    """Numbers of an observation in the order of the files: value, +, -; Lambda-tilde with its 90 % errors."""
    if isinstance(seen, MassRadius):
        return [s for split in (seen.radius, seen.mass) for s in (split.value, split.plus, split.minus)]
    if isinstance(seen, Mass):
        return [seen.mass, seen.error, seen.error]
    value, minus, plus = seen.lambda_tilde
    z = norm.ppf(0.95)
    return [seen.chirp_mass, 0.001, 0.001, seen.q_min, seen.q_max, value, z * plus, z * minus]


@pytest.mark.skipif(
    find_spec("nucleardatapy") is None,
    reason="observations are not compared: the extra hfb21 (nucleardatapy) is not installed",
)
@pytest.mark.parametrize("name", NAMES)
def test_against_nucleardatapy(name):
    """Another transcription of the same papers; it prints one digit more of the radius of J0437."""
    file, row = FILES[name]
    folder = Path(find_spec("nucleardatapy").submodule_search_locations[0]) / "data" / "astro"
    lines = [line.split(",") for line in (folder / file).read_text(encoding="utf-8").splitlines()]
    found = next(line for line in lines if line[0].strip() == row)
    expected = numbers(observation(name))
    np.testing.assert_allclose(
        [float(x) for x in found[1 : 1 + len(expected)]], expected, atol=5.1e-3, rtol=1e-9
    )


def test_gw170817_is_a_split_normal_of_the_published_interval():
    """90 % lie between 70 and 720, and the density is the same at both ends."""
    mu, minus, plus = observation("GW170817 Abbott 2019").lambda_tilde
    below = 2 * minus / (minus + plus) * (0.5 - norm.cdf(70, mu, minus))
    above = 2 * plus / (minus + plus) * (norm.cdf(720, mu, plus) - 0.5)
    assert mu == 300 and below + above == pytest.approx(0.9, abs=1e-9)
    assert (70 - mu) / minus == pytest.approx(-(720 - mu) / plus, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_each_has_its_source(name):
    seen = observation(name)
    assert seen.name == name
    assert "summary value" in seen.source and ("doi:10." in seen.source or "arXiv:" in seen.source)
    assert seen.star.startswith(("PSR J", "GW")) and name.split()[0] in seen.star


def test_default_set_has_every_star_once():
    stars = [observation(name).star for name in DEFAULT]
    assert len(set(stars)) == len(stars) == 4
    assert [type(observation(name)) for name in DEFAULT] == [MassRadius, MassRadius, MassRadius, Tides]


@pytest.mark.parametrize("name", ["J0030", "", None, ["J0030 Riley 2019"]])
def test_unknown_name(name):
    with pytest.raises(ValueError, match="name must be one of J0030 Riley 2019, .*GW170817 Abbott 2019; got"):
        observation(name)
