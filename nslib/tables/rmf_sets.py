r"""Published parameter sets of the relativistic mean-field model, each in the convention of its authors.

Two ways of writing the same Lagrangian are in use, with :math:`\phi` the scalar, V the vector and b the
isovector field.

``"g2-g3"`` (Y. Sugahara and H. Toki, Nucl. Phys. A 579 (1994) 557): masses m_s, m_v, m_rho, m [MeV], couplings
g_s, g_v, g_rho to :math:`\tau` (not :math:`\tau/2`), and

.. math:: -\frac{g_2}{3}\phi^3 - \frac{g_3}{4}\phi^4 + \frac{c_3}{4}(V^2)^2, \qquad m^* = m + g_s\phi,

so :math:`\phi < 0`; g2 in [fm^-1], g3 and c3 [1].

``"kappa-lambda"`` (B. G. Todd-Rutel and J. Piekarewicz, Phys. Rev. Lett. 95 (2005) 122501): the same masses,
squared couplings g_s2, g_v2, g_rho2 (the last to :math:`\tau/2`), and

.. math:: -\frac{\kappa}{3!}(g_s\phi)^3 - \frac{\lambda}{4!}(g_s\phi)^4 + \frac{\zeta}{4!}(g_v^2V^2)^2
          + \Lambda_\mathrm{v}(g_\rho^2b^2)(g_v^2V^2), \qquad m^* = m - g_s\phi,

with kappa in [MeV], lambda, zeta and Lambda_v [1].
"""

_G = ("m_s", "m_v", "m_rho", "m", "g_s", "g_v", "g_rho", "g2", "g3", "c3")
_K = ("m_s", "m_v", "m_rho", "m", "g_s2", "g_v2", "g_rho2", "kappa", "lambda", "zeta", "Lambda_v")

#: name: (convention, numbers in the order above, reference)
_SETS = {
    "NL-SH": (
        "g2-g3",
        (526.059, 783.0, 763.0, 939.0, 10.444, 12.945, 4.383, -6.9099, -15.8337, 0.0),
        "M. M. Sharma, M. A. Nagarajan and P. Ring, Phys. Lett. B 312 (1993) 377",
    ),
    "TM1": (
        "g2-g3",
        (511.198, 783.0, 770.0, 938.0, 10.0289, 12.6139, 4.6322, -7.2325, 0.6183, 71.3075),
        "Y. Sugahara and H. Toki, Nucl. Phys. A 579 (1994) 557",
    ),
    "NL3": (
        "g2-g3",
        (508.194, 782.501, 763.0, 939.0, 10.217, 12.868, 4.474, -10.431, -28.885, 0.0),
        "G. A. Lalazissis, J. Koenig and P. Ring, Phys. Rev. C 55 (1997) 540",
    ),
    "NL3*": (
        "g2-g3",
        (502.5742, 782.600, 763.0, 939.0, 10.0944, 12.8065, 4.5748, -10.8093, -30.1486, 0.0),
        "G. A. Lalazissis et al., Phys. Lett. B 671 (2009) 36",
    ),
    "FSUGold": (
        "kappa-lambda",
        (491.5, 782.5, 763.0, 939.0, 112.1996, 204.5469, 138.4701, 1.4203, 0.023762, 0.06, 0.030),
        "B. G. Todd-Rutel and J. Piekarewicz, Phys. Rev. Lett. 95 (2005) 122501",
    ),
    "IU-FSU": (
        "kappa-lambda",
        (491.5, 782.5, 763.0, 939.0, 99.4266, 169.8349, 184.6877, 3.3808, 0.000296, 0.03, 0.046),
        "F. J. Fattoyev, C. J. Horowitz, J. Piekarewicz and G. Shen, Phys. Rev. C 82 (2010) 055803",
    ),
    "FSUGold2": (
        "kappa-lambda",
        (497.479, 782.5, 763.0, 939.0, 108.0943, 183.7893, 80.4656, 3.0029, -0.000533, 0.0256, 0.000823),
        "W.-C. Chen and J. Piekarewicz, Phys. Rev. C 90 (2014) 044305",
    ),
    "FSUGarnet": (
        "kappa-lambda",
        (496.939, 782.5, 763.0, 939.0, 110.349, 187.695, 192.927, 3.260, -0.003551, 0.0235, 0.043377),
        "W.-C. Chen and J. Piekarewicz, Phys. Lett. B 748 (2015) 284",
    ),
    "FSU2R": (
        "kappa-lambda",
        (497.479, 782.5, 763.0, 939.0, 107.5751, 182.3949, 206.4260, 3.0911, -0.001680, 0.024, 0.045),
        "L. Tolos, M. Centelles and A. Ramos, Publ. Astron. Soc. Aust. 34 (2017) e065",
    ),
    "FSU2H": (
        "kappa-lambda",
        (497.479, 782.5, 763.0, 939.0, 102.7200, 169.5315, 197.2692, 4.0014, -0.013298, 0.008, 0.045),
        "L. Tolos, M. Centelles and A. Ramos, Publ. Astron. Soc. Aust. 34 (2017) e065",
    ),
    "BigApple": (
        "kappa-lambda",
        (492.730, 782.5, 763.0, 939.0, 93.5074, 151.6839, 200.5562, 5.20326, -0.021739, 0.0007, 0.047471),
        "F. J. Fattoyev, C. J. Horowitz, J. Piekarewicz and B. Reed, Phys. Rev. C 102 (2020) 065805",
    ),
}

#: names that :func:`rmf_set` knows
NAMES = tuple(_SETS)


def rmf_set(name):
    """The numbers of one published set, in the convention of its authors.

    Parameters
    ----------
    name : str, one of ``NAMES``

    Returns
    -------
    dict: "convention" and "reference" (str), and the numbers that the convention has (see this module)

    Raises
    ------
    ValueError
        for another name
    """
    if name not in _SETS:
        raise ValueError(f"name must be one of {', '.join(NAMES)}, got {name!r}")
    convention, numbers, reference = _SETS[name]
    names = _G if convention == "g2-g3" else _K
    return {"convention": convention, "reference": reference} | dict(zip(names, numbers, strict=True))
