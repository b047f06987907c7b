"""Constants and conversions; every other room takes its numbers from here.

At every boundary of nslib: n_b [fm^-3], eps and p [MeV fm^-3], mu [MeV], M [Msun], R [km].
CODATA 2018 or 2022, as SciPy has it, through :mod:`scipy.constants`: they agree to 2e-9. The solar mass
parameter is the nominal value of IAU 2015 resolution B3 with the digits of the DE440 ephemeris, since G M_sun
is known far better than G.
"""

from math import pi

from scipy import constants as _c

#: speed of light [m s^-1]
C = _c.c
#: Newton's constant [m^3 kg^-1 s^-2]
G = _c.G
#: reduced Planck constant times c [MeV fm]
HBARC = _c.hbar * _c.c / _c.e * 1e9
#: fine-structure constant [1]
ALPHA = _c.fine_structure
#: electron charge squared, e^2 = alpha hbar c [MeV fm]
E2 = ALPHA * HBARC
#: electron mass [MeV]
M_E = _c.physical_constants["electron mass energy equivalent in MeV"][0]
#: muon mass [MeV]
M_MU = _c.physical_constants["muon mass energy equivalent in MeV"][0]
#: neutron mass [MeV]
M_N = _c.physical_constants["neutron mass energy equivalent in MeV"][0]
#: proton mass [MeV]
M_P = _c.physical_constants["proton mass energy equivalent in MeV"][0]
#: atomic mass unit [MeV]
M_U = _c.physical_constants["atomic mass constant energy equivalent in MeV"][0]
#: average nucleon mass, (m_n + m_p) / 2 rounded as in the literature on the metamodel [MeV]
M_NUCLEON = 938.918
#: reference density of the metamodel [fm^-3]
RHO_0 = 0.16

#: G M_sun [m^3 s^-2]
GM_SUN = 1.32712440041e20
#: half the Schwarzschild radius of the Sun, G M_sun / c^2 [km]
MSUN_KM = GM_SUN / C**2 / 1e3
#: 1 MeV fm^-3 as a pressure [Pa]
MEV_FM3_PA = _c.e * 1e6 * 1e45
#: 1 MeV fm^-3 as a mass density [g cm^-3]
MEV_FM3_G_CM3 = MEV_FM3_PA / C**2 * 1e-3
#: 1 MeV fm^-3 in geometric units, G / c^4 [km^-2]
MEV_FM3_KM2 = MEV_FM3_PA * G / C**4 * 1e6
#: 4 pi times the same, the combination in the structure equations [km^-2]
FOUR_PI_MEV_FM3_KM2 = 4 * pi * MEV_FM3_KM2
