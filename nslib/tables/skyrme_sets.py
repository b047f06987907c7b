"""Published parameters of standard Skyrme interactions.

Each set has the nine parameters of homogeneous matter and the paper it was published in. The numbers stand,
up to rounding, in at least two public lists, among them the data files of o2scl (github.com/awsteiner/o2scl)
and of Sky3D (github.com/manybody/sky3d); tests recompute the saturation point of each. Spin-orbit and pairing
terms are left out. Of SLy4 and SLy5 codes use two versions; here are the digits of the paper.
"""

PARAMETERS = ("t0", "t1", "t2", "t3", "x0", "x1", "x2", "x3", "alpha")

_BEINER = "M. Beiner et al., Nucl. Phys. A 238 (1975) 29"
_CHABANAT_1997 = "E. Chabanat et al., Nucl. Phys. A 627 (1997) 710"
_CHABANAT_1998 = "E. Chabanat et al., Nucl. Phys. A 635 (1998) 231"
_REINHARD_1995 = "P.-G. Reinhard and H. Flocard, Nucl. Phys. A 584 (1995) 467"
_REINHARD_1999 = "P.-G. Reinhard et al., Phys. Rev. C 60 (1999) 014316"
_FRIEDRICH = "J. Friedrich and P.-G. Reinhard, Phys. Rev. C 33 (1986) 335"
_KLUEPFEL = "P. Kluepfel et al., Phys. Rev. C 79 (2009) 034310"
_AGRAWAL = "B. K. Agrawal, S. Shlomo and V. Kim Au, Phys. Rev. C 68 (2003) 031304"

#: name: (t0, t1, t2, t3, x0, x1, x2, x3, alpha, reference)
_SETS = {
    "SIII": (-1128.75, 395.0, -95.0, 14000.0, 0.45, 0.0, 0.0, 1.0, 1.0, _BEINER),
    "SV": (-1248.29, 970.56, 107.22, 0.0, -0.17, 0.0, 0.0, 0.0, 1.0, _BEINER),
    "SGII": (
        *(-2645.0, 340.0, -41.9, 15595.0, 0.09, -0.0588, 1.425, 0.06044, 1 / 6),
        "Nguyen Van Giai and H. Sagawa, Phys. Lett. B 106 (1981) 379",
    ),
    "SkM*": (
        *(-2645.0, 410.0, -135.0, 15595.0, 0.09, 0.0, 0.0, 0.0, 1 / 6),
        "J. Bartel et al., Nucl. Phys. A 386 (1982) 79",
    ),
    "RATP": (
        *(-2160.0, 513.0, 121.0, 11600.0, 0.418, -0.36, -2.29, 0.586, 0.2),
        "M. Rayet et al., Astron. Astrophys. 116 (1982) 183",
    ),
    "SkP": (
        *(-2931.7, 320.618, -337.409, 18708.96, 0.29215, 0.65318, -0.53732, 0.18103, 1 / 6),
        "J. Dobaczewski, H. Flocard and J. Treiner, Nucl. Phys. A 422 (1984) 103",
    ),
    "SkT6": (
        *(-1794.2, 294.0, -294.0, 12817.0, 0.392, -0.5, -0.5, 0.5, 1 / 3),
        "F. Tondeur et al., Nucl. Phys. A 420 (1984) 297",
    ),
    "Rs": (-1798.0, 335.97, -84.81, 11083.9, -0.4036, 0.0, 0.0, -0.8705, 0.3, _FRIEDRICH),
    "Gs": (-1800.16, 336.23, -85.74, 11113.5, -0.4862, 0.0, 0.0, -1.0295, 0.3, _FRIEDRICH),
    "SkMP": (
        *(-2372.24, 503.623, 57.2783, 12585.3, -0.157563, -0.402886, -2.95571, -0.267933, 1 / 6),
        "L. Bennour et al., Phys. Rev. C 40 (1989) 2834",
    ),
    "SkI1": (-1913.62, 439.809, 2697.59, 10592.3, -0.9545, -5.7824, -1.2874, -1.5614, 0.25, _REINHARD_1995),
    "SkI2": (-1915.43, 438.449, 305.446, 10548.9, -0.2108, -1.7376, -1.5336, -0.178, 0.25, _REINHARD_1995),
    "SkI3": (-1762.88, 561.608, -227.09, 8106.2, 0.3083, -1.1722, -1.0907, 1.2926, 0.25, _REINHARD_1995),
    "SkI4": (
        *(-1855.827, 473.829, 1006.855, 9703.607, 0.405082, -2.889148, -1.32515, 1.145203, 0.25),
        _REINHARD_1995,
    ),
    "SkI5": (
        *(-1772.907, 550.84, -126.685, 8206.246, -0.117077, -1.308726, -1.04864, 0.341023, 0.25),
        _REINHARD_1995,
    ),
    "SLy230a": (-2490.23, 489.53, -566.58, 13803.0, 1.1318, -0.8426, -1.0, 1.9219, 1 / 6, _CHABANAT_1997),
    "SLy4": (-2488.91, 486.82, -546.39, 13777.0, 0.834, -0.344, -1.0, 1.354, 1 / 6, _CHABANAT_1998),
    "SLy5": (-2484.88, 483.13, -549.4, 13763.0, 0.778, -0.328, -1.0, 1.267, 1 / 6, _CHABANAT_1998),
    "SkX": (
        *(-1445.32, 246.867, -131.786, 12103.9, 0.34, 0.58, 0.127, 0.03, 0.5),
        "B. A. Brown, Phys. Rev. C 58 (1998) 220",
    ),
    "SkO": (
        *(-2103.653, 303.352, 791.674, 13553.252, -0.210701, -2.810752, -1.461595, -0.429881, 0.25),
        _REINHARD_1999,
    ),
    "SkO'": (
        *(-2099.419, 301.531, 154.781, 13526.464, -0.029503, -1.325732, -2.323439, -0.147404, 0.25),
        _REINHARD_1999,
    ),
    "SK255": (-1689.35, 389.3, -126.07, 10989.6, -0.1461, 0.116, 0.0012, -0.7449, 0.3563, _AGRAWAL),
    "SK272": (-1496.84, 397.66, -112.82, 10191.64, 0.0008, 0.0102, 0.002, -0.5519, 0.4492, _AGRAWAL),
    "NRAPR": (
        *(-2719.7, 417.64, -66.687, 15042.0, 0.16154, -0.047986, 0.02717, 0.13611, 0.14416),
        "A. W. Steiner et al., Phys. Rep. 411 (2005) 325",
    ),
    "LNS": (
        *(-2484.97, 266.735, -337.135, 14588.2, 0.06277, 0.65845, -0.95382, -0.03413, 1 / 6),
        "L. G. Cao et al., Phys. Rev. C 73 (2006) 014313",
    ),
    "SV-min": (
        *(-2112.248, 295.781, 142.268, 13988.567, 0.243886, -1.434926, -2.625899, 0.25807, 0.255368),
        _KLUEPFEL,
    ),
    "SV-bas": (
        *(-1879.640018, 313.7493427, 112.67627, 12527.38921, 0.2585452462, -0.3816889952),
        *(-2.823640993, 0.123228353, 0.3, _KLUEPFEL),
    ),
    "UNEDF0": (
        *(-1883.68781034, 277.50021224, 608.43090559, 13901.94834463, 0.00974375, -1.77784395),
        *(-1.67699035, -0.38079041, 0.32195599, "M. Kortelainen et al., Phys. Rev. C 82 (2010) 024313"),
    ),
    "UNEDF1": (
        *(-2078.32802326, 239.40081204, 1575.1195419, 14263.64624708, 0.05375692, -5.07723238),
        *(-1.36650561, -0.16249117, 0.27001801, "M. Kortelainen et al., Phys. Rev. C 85 (2012) 024304"),
    ),
}

#: names of the sets, by year of publication
NAMES = tuple(_SETS)


def skyrme_set(name):
    """Parameters of one published interaction.

    Parameters
    ----------
    name : str, one of ``NAMES``

    Returns
    -------
    dict with t0 [MeV fm^3], t1, t2 [MeV fm^5], t3 [MeV fm^(3+3 alpha)], x0, x1, x2, x3, alpha [1] and
    ``reference``, the paper

    Raises
    ------
    ValueError
        for an unknown name
    """
    if name not in _SETS:
        raise ValueError(f"name must be one of {', '.join(NAMES)}, got {name!r}")
    return dict(zip((*PARAMETERS, "reference"), _SETS[name]))
