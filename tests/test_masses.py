"""Mass conversions and the joining of measured and calculated masses."""

import numpy as np
import pandas as pd
import pytest

from nslib.masses import atomic_mass, binding_energy, complete, electron_binding, mass_excess, nuclear_mass
from nslib.tables.ame import ame
from nslib.tables.mass_models import mass_model
from nslib.units import M_E, M_N, M_P, M_U


def test_proton_and_neutron():
    # CODATA masses against the mass excesses of AME2020, 7.288971064 and 8.07131806 MeV
    assert nuclear_mass(1, 0, 7.288971064) == pytest.approx(M_P, abs=2e-6)
    assert nuclear_mass(0, 1, 8.07131806) == pytest.approx(M_N, abs=2e-6)


def test_alpha_particle():
    # CODATA 2018: m_alpha = 3727.3794066(11) MeV; AME2020: mass excess 2.42491587 MeV
    assert nuclear_mass(2, 2, 2.42491587) == pytest.approx(3727.3794066, abs=3e-6)


def test_atomic_mass():
    # AME2020 prints 55.934935537 u for 56Fe
    assert atomic_mass(26, 30, -60.607163) / M_U == pytest.approx(55.934935537, abs=2e-9)


def test_electron_binding():
    # hydrogen 13.6 eV (the formula gives 14.4), iron 34.6 keV, lead 0.57 MeV
    # (K.-N. Huang et al., At. Data Nucl. Data Tables 18 (1976) 243: 34.60 keV and 0.5679 MeV)
    assert electron_binding(1) == pytest.approx(14.44e-6, rel=1e-3)
    assert electron_binding(26) == pytest.approx(0.0346, rel=0.02)
    assert electron_binding(82) == pytest.approx(0.5679, rel=0.02)


def test_binding_energy():
    # AME2020 prints 8.7903563 MeV a nucleon for 56Fe, against hydrogen atoms: 26 x 13.6 eV = 0.35 keV apart
    printed = binding_energy(26, 30, -60.607163, electrons=False)
    assert printed == pytest.approx(56 * 8.7903563, abs=1e-3)
    assert printed - binding_energy(26, 30, -60.607163) == pytest.approx(electron_binding(26), abs=1e-9)


@pytest.mark.parametrize("electrons", [True, False])
def test_binding_and_back(electrons):
    table = ame(2020)
    Z, N, excess = (table[c].to_numpy(dtype=float) for c in ("Z", "N", "mass_excess"))
    back = mass_excess(Z, N, binding_energy(Z, N, excess, electrons), electrons)
    np.testing.assert_allclose(back, excess, atol=1e-9)


def test_nuclear_mass_switch():
    assert nuclear_mass(82, 126, -21.7) - nuclear_mass(82, 126, -21.7, electrons=False) == pytest.approx(
        electron_binding(82)
    )
    assert nuclear_mass(82, 126, -21.7, electrons=False) == atomic_mass(82, 126, -21.7) - 82 * M_E


def test_complete():
    measured, model = ame(2012), mass_model("DZ")
    table = complete(measured, model)
    assert not table.duplicated(["Z", "N"]).any()
    assert table["measured"].sum() == 2438
    row = table.set_index(["Z", "N"])
    assert row.loc[(26, 30), "mass_excess"] == pytest.approx(-60.606422)  # measured
    estimate = row.loc[(28, 50)]  # 78Ni is an estimate in AME2012: the model's value counts
    expected = model[(model["Z"] == 28) & (model["N"] == 50)]["mass_excess"].iloc[0]
    assert estimate["mass_excess"] == expected
    assert not estimate["measured"]
    assert row.loc[(2, 2), "measured"]  # lighter than the model reaches


def test_complete_refuses():
    model = mass_model("DZ")
    with pytest.raises(ValueError, match=r"measured needs the columns .*extrapolated"):
        complete(model, model)
    twice = pd.concat([model, model.head(1)])
    with pytest.raises(ValueError, match="model has the nuclide Z = 8, N = 8 more than once"):
        complete(ame(2012), twice)
