"""Measured charge radii of the nuclei that can be solved."""

#: name: (root-mean-square charge radius, its error) [fm]. I. Angeli and K. P. Marinova, At. Data Nucl. Data Tables
#: 99 (2013) 69. The other nuclei of ``nslib.nuclei.NUCLEI`` have no value there.
CHARGE_RADII = {
    "16O": (2.6991, 0.0052),
    "40Ca": (3.4776, 0.0019),
    "48Ca": (3.4771, 0.0020),
    "90Zr": (4.2694, 0.0010),
    "116Sn": (4.6250, 0.0019),
    "132Sn": (4.7093, 0.0076),
    "144Sm": (4.9524, 0.0034),
    "208Pb": (5.5012, 0.0013),
}
