"""Symbols of the chemical elements and names of nuclides."""

from numbers import Real

#: by proton number, 0 ("n") to 118
SYMBOLS = tuple(
    """n H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb
    Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl
    Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og""".split()
)


def nuclide(Z, N):
    """Name of the nuclide of Z protons and N neutrons, as "118Kr".

    Raises
    ------
    ValueError
        Z not a whole number from 0 to 118, N negative or not whole
    """
    numbers = all(isinstance(n, Real) and n >= 0 and n % 1 == 0 for n in (Z, N))
    if not (numbers and Z < len(SYMBOLS) and 0 < Z + N < 1000):
        raise ValueError(f"Z must be a whole number from 0 to {len(SYMBOLS) - 1}, N one >= 0; got Z = {Z}, N = {N}")
    return f"{int(Z + N)}{SYMBOLS[int(Z)]}"
