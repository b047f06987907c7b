"""nslib.tables.observations: numbers against another transcription of the papers, conversion of GW170817, names."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from nslib.tables.observations import DEFAULT, NAMES, Mass, MassRadius, Tides, observation, read_samples

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


# ---- a user's own samples --------------------------------------------------------------------------------------


def written(path, x, **how):
    np.savetxt(path, x, **how)
    return path


def cloud(n=200, seed=1):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.normal(1.4, 0.1, n), rng.normal(12.0, 1.0, n), rng.uniform(0.5, 1.0, n)])


def test_samples_make_a_density(tmp_path):
    """Its integral is 1, its means those of the weighted samples; text with blanks, with commas and .npy agree."""
    x = cloud()
    read = [read_samples(written(tmp_path / f"a{i}.txt", x, **how), "PSR J0437-4715") for i, how in enumerate(({}, {"delimiter": ","}))]
    np.save(tmp_path / "a.npy", x)
    read.append(read_samples(tmp_path / "a.npy", "PSR J0437-4715", name="mine"))
    seen = read[-1]
    dM, dR = seen.mass[1] - seen.mass[0], seen.radius[1] - seen.radius[0]
    assert seen.density.sum() * dM * dR == pytest.approx(1, abs=1e-12)
    assert (seen.density.sum(1) @ seen.mass) * dM * dR == pytest.approx(np.average(x[:, 0], weights=x[:, 2]), abs=1e-3)
    assert seen.name == "mine" and read[0].name == "a0" and "200 samples of a.npy" in seen.source
    assert seen.n_effective == pytest.approx(x[:, 2].sum() ** 2 / np.sum(x[:, 2] ** 2))
    for other in read[:2]:
        np.testing.assert_allclose(other.density, seen.density, rtol=1e-9)


@pytest.mark.parametrize("change, message", [
    (lambda x: x[:, :2], r"three columns, mass \[Msun\], radius \[km\], weight; got shape \(200, 2\) of float64; the weights are missing"),
    (lambda x: np.column_stack([x, x]), r"got shape \(200, 6\) of float64$"),
    (lambda x: x[:, [1, 0, 2]], r"mass must be finite and in \[0.3, 4\] Msun; row 1 has 1"),
    (lambda x: x * [1, 1e3, 1], r"radius must be finite and in \[4, 25\] km; row 1"),
    (lambda x: x * [1, 1, -1], "weight must be finite and in"),
    (lambda x: np.where(np.arange(600).reshape(200, 3) == 7, np.nan, x), "radius must be finite .* row 3 has nan"),
    (lambda x: x * [1, 1, 0], "0.0 effective samples of 200; at least 50"),
    (lambda x: x[:20], "effective samples of 20; at least 50"),
    (lambda x: np.column_stack([x[:, 0], 12 + x[:, 0] * 0, x[:, 2]]), "lie on one line"),
    (lambda x: np.column_stack([x[:, 0], 12 + x[:, 0] + 0.003 * (x[:, 1] - 12), x[:, 2]]), "lie on one line"),
])  # fmt: skip
def test_samples_that_are_none(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        read_samples(written(tmp_path / "bad.txt", change(cloud())), "PSR J0437-4715")


def test_files_without_samples(tmp_path):
    (tmp_path / "words.txt").write_text("mass radius weight\n")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "broken.npy").write_bytes(b"no array")
    for name in ("words.txt", "broken.npy", "not_there.csv"):
        with pytest.raises(ValueError, match=f"{name}: no samples can be read"):
            read_samples(tmp_path / name, "PSR J0437-4715")
    np.save(tmp_path / "none.npy", np.zeros((0, 3)))
    np.save(tmp_path / "text.npy", cloud().astype(str))
    np.savez(tmp_path / "several.npz", x=cloud())
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    for name in ("empty.txt", "none.npy", "text.npy", "several.npy"):
        with pytest.raises(ValueError, match=f"{name}: samples must be three columns"):
            read_samples(tmp_path / name, "PSR J0437-4715")


def test_commas_and_marks_that_are_no_data(tmp_path):
    """Blanks between numbers and a comma in the header; a byte order mark; a byte in a comment that is no UTF-8."""
    x = cloud()
    plain = read_samples(written(tmp_path / "plain.txt", x), "PSR J0437-4715")
    headed = written(tmp_path / "headed.txt", x, header="mass, radius, weight")
    (tmp_path / "marked.csv").write_bytes(b"\xef\xbb\xbf" + written(tmp_path / "c.csv", x, delimiter=",").read_bytes())
    (tmp_path / "odd.txt").write_bytes(b"# \xe9\n" + (tmp_path / "plain.txt").read_bytes())
    for path in (headed, tmp_path / "marked.csv", tmp_path / "odd.txt"):
        np.testing.assert_allclose(read_samples(path, "PSR J0437-4715").density, plain.density, rtol=1e-9)


@pytest.mark.parametrize("star, message", [
    ("J0437", "star is 'J0437'; that pulsar is called 'PSR J0437-4715' here"), ("", "star must be the name of a pulsar"), (None, "star must be the name of a pulsar, got None"),
])  # fmt: skip
def test_stars_without_a_name(tmp_path, star, message):
    with pytest.raises(ValueError, match=message):
        read_samples(written(tmp_path / "a.txt", cloud()), star)


def test_rows_without_weight_do_not_coarsen_the_grid(tmp_path):
    """A far row of weight 1e-9: the same nodes to a hundredth of a step, where they would be three times as wide."""
    x = cloud()
    far = np.vstack([x, [3.9, 24.0, 1e-9]])
    a, b = (read_samples(written(tmp_path / f"{i}.txt", x_), "PSR J0437-4715") for i, x_ in enumerate((x, far)))
    for name in ("mass", "radius"):
        p, q = getattr(a, name), getattr(b, name)
        np.testing.assert_allclose(p, q, atol=0.01 * (p[1] - p[0]))
