"""Small CIFs of textbook structures: all seven systems, both rhombohedral cells, settings, mixed sites, tensors."""

HEAD = """data_{name}
_chemical_formula_sum '{formula}'
_cell_length_a {a}
_cell_length_b {b}
_cell_length_c {c}
_cell_angle_alpha {alpha}
_cell_angle_beta {beta}
_cell_angle_gamma {gamma}
_cell_formula_units_Z {z}
_space_group_name_H-M_alt '{group}'
loop_
_space_group_symop_operation_xyz
{operations}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_U_iso_or_equiv
{sites}
"""
ANISO = """loop_
_atom_site_aniso_label
_atom_site_aniso_U_11
_atom_site_aniso_U_22
_atom_site_aniso_U_33
_atom_site_aniso_U_12
_atom_site_aniso_U_13
_atom_site_aniso_U_23
{rows}
"""


def operations(group):
    import gemmi

    found = gemmi.find_spacegroup_by_name(group)
    return "\n".join(f"'{o.triplet()}'" for o in found.operations())


def cif(name, formula, z, group, cell, sites, aniso=""):
    a, b, c, alpha, beta, gamma = cell
    rows = "\n".join(" ".join(map(str, s)) for s in sites)
    text = HEAD.format(
        name=name,
        formula=formula,
        z=z,
        group=group,
        operations=operations(group),
        sites=rows,
        a=a,
        b=b,
        c=c,
        alpha=alpha,
        beta=beta,
        gamma=gamma,
    )
    return text + (ANISO.format(rows=aniso) if aniso else "")


THIRD, TWO = "0.33333333", "0.66666667"

# Cells and sites: Wyckoff, Crystal Structures; Smyth & Hazen (olivine); Harlow & Brown 1980 (albite); Howard et al.
# 1991 (baddeleyite); Levien et al. 1980 (quartz, tensors rounded); Kuhs & Lehmann 1983 (ice).
CIFS = {
    "albite": cif(  # triclinic, and centred: not the standard setting
        "albite",
        "Na Al Si3 O8",
        4,
        "C -1",
        (8.137, 12.785, 7.158, 94.26, 116.60, 87.71),
        [
            ("Na", "Na", 0.2682, 0.9889, 0.1461, 1, 0.034),
            ("Al", "Al", 0.0087, 0.1685, 0.2082, 1, 0.008),
            ("Si1", "Si", 0.0037, 0.8205, 0.2374, 1, 0.007),
            ("Si2", "Si", 0.6919, 0.1102, 0.3153, 1, 0.007),
            ("Si3", "Si", 0.6814, 0.8819, 0.3605, 1, 0.007),
            ("O1", "O", 0.0056, 0.1312, 0.9667, 1, 0.013),
            ("O2", "O", 0.5927, 0.9972, 0.2806, 1, 0.01),
            ("O3", "O", 0.8126, 0.1099, 0.1907, 1, 0.013),
            ("O4", "O", 0.8203, 0.8509, 0.2589, 1, 0.016),
            ("O5", "O", 0.0134, 0.3021, 0.2700, 1, 0.013),
            ("O6", "O", 0.0238, 0.6937, 0.2292, 1, 0.013),
            ("O7", "O", 0.2075, 0.1090, 0.3891, 1, 0.013),
            ("O8", "O", 0.1838, 0.8680, 0.4359, 1, 0.015),
        ],
    ),
    "baddeleyite": cif(
        "baddeleyite",
        "Zr O2",
        4,
        "P 1 21/c 1",
        (5.1505, 5.2116, 5.3173, 90, 99.23, 90),
        [
            ("Zr", "Zr", 0.2754, 0.0395, 0.2083, 1, 0.005),
            ("O1", "O", 0.0700, 0.3317, 0.3447, 1, 0.006),
            ("O2", "O", 0.4496, 0.7569, 0.4792, 1, 0.006),
        ],
    ),
    "perovskite": cif(  # orthorhombic, in Pbnm rather than Pnma
        "perovskite",
        "Ca Ti O3",
        4,
        "P b n m",
        (5.3796, 5.4423, 7.6401, 90, 90, 90),
        [
            ("Ca", "Ca", 0.99325, 0.03602, 0.25, 1, 0.008),
            ("Ti", "Ti", 0, 0.5, 0, 1, 0.005),
            ("O1", "O", 0.0714, 0.4838, 0.25, 1, 0.007),
            ("O2", "O", 0.7108, 0.2888, 0.0371, 1, 0.007),
        ],
    ),
    "olivine": cif(  # orthorhombic, two elements on one site
        "olivine",
        "Mg1.8 Fe0.2 Si O4",
        4,
        "P b n m",
        (4.762, 10.225, 5.994, 90, 90, 90),
        [
            ("Mg1", "Mg", 0, 0, 0, 0.9, 0.006),
            ("Fe1", "Fe", 0, 0, 0, 0.1, 0.006),
            ("Mg2", "Mg", 0.9896, 0.2776, 0.25, 0.9, 0.006),
            ("Fe2", "Fe", 0.9896, 0.2776, 0.25, 0.1, 0.006),
            ("Si", "Si", 0.4268, 0.0944, 0.25, 1, 0.004),
            ("O1", "O", 0.7658, 0.0918, 0.25, 1, 0.006),
            ("O2", "O", 0.2202, 0.4477, 0.25, 1, 0.006),
            ("O3", "O", 0.2781, 0.1633, 0.0337, 1, 0.006),
        ],
    ),
    "rutile": cif(
        "rutile",
        "Ti O2",
        2,
        "P 42/m n m",
        (4.5937, 4.5937, 2.9587, 90, 90, 90),
        [("Ti", "Ti", 0, 0, 0, 1, 0.006), ("O", "O", 0.3053, 0.3053, 0, 1, 0.007)],
    ),
    "anatase": cif(
        "anatase",
        "Ti O2",
        4,
        "I 41/a m d :2",
        (3.7842, 3.7842, 9.5146, 90, 90, 90),
        [("Ti", "Ti", 0, 0.75, 0.125, 1, 0.005), ("O", "O", 0, 0.25, 0.0816, 1, 0.006)],
    ),
    "corundum-H": cif(
        "corundum-H",
        "Al2 O3",
        6,
        "R -3 c :H",
        (4.7602, 4.7602, 12.9933, 90, 90, 120),
        [("Al", "Al", 0, 0, 0.35216, 1, 0.003), ("O", "O", 0.30624, 0, 0.25, 1, 0.004)],
    ),
    "corundum-R": cif(
        "corundum-R",
        "Al2 O3",
        2,
        "R -3 c :R",
        (5.129482939,) * 3 + (55.291548161,) * 3,
        [("Al", "Al", 0.35216, 0.35216, 0.35216, 1, 0.003), ("O", "O", 0.55624, 0.94376, 0.25, 1, 0.004)],
    ),
    "quartz": cif(  # trigonal without a centre, anisotropic
        "quartz",
        "Si O2",
        3,
        "P 32 2 1",
        (4.9137, 4.9137, 5.4047, 90, 90, 120),
        [("Si", "Si", 0.4697, 0, TWO, 1, 0.0075), ("O", "O", 0.4133, 0.2672, 0.7855, 1, 0.0140)],
        "Si 0.0080 0.0061 0.0073 0.00305 0.0003 0.0006\nO 0.0156 0.0115 0.0119 0.0092 -0.0029 -0.0046",
    ),
    "zincite": cif(
        "zincite",
        "Zn O",
        2,
        "P 63 m c",
        (3.2498, 3.2498, 5.2066, 90, 90, 120),
        [("Zn", "Zn", THIRD, TWO, 0, 1, 0.008), ("O", "O", THIRD, TWO, 0.3821, 1, 0.008)],
    ),
    "ice": cif(  # hexagonal, deuterium on half-filled sites
        "ice",
        "D2 O",
        4,
        "P 63/m m c",
        (4.511, 4.511, 7.346, 90, 90, 120),
        [
            ("O", "O", THIRD, TWO, 0.0622, 1, 0.019),
            ("D1", "D", THIRD, TWO, 0.1989, 0.5, 0.027),
            ("D2", "D", 0.4551, 0.9102, 0.0173, 0.5, 0.027),
        ],
    ),
    "magnetite": cif(
        "magnetite",
        "Fe3 O4",
        8,
        "F d -3 m :2",
        (8.3969,) * 3 + (90,) * 3,
        [
            ("Fe1", "Fe3+", 0.125, 0.125, 0.125, 1, 0.004),
            ("Fe2", "Fe3+", 0.5, 0.5, 0.5, 0.5, 0.006),
            ("Fe3", "Fe2+", 0.5, 0.5, 0.5, 0.5, 0.006),
            ("O", "O2-", 0.2549, 0.2549, 0.2549, 1, 0.006),
        ],
    ),
    "diamond-1": cif("diamond-1", "C", 8, "F d -3 m :1", (3.5668,) * 3 + (90,) * 3, [("C", "C", 0, 0, 0, 1, 0.002)]),
    "diamond-2": cif(
        "diamond-2", "C", 8, "F d -3 m :2", (3.5668,) * 3 + (90,) * 3, [("C", "C", 0.125, 0.125, 0.125, 1, 0.002)]
    ),
    "pyrite": cif(
        "pyrite",
        "Fe S2",
        4,
        "P a -3",
        (5.4166,) * 3 + (90,) * 3,
        [("Fe", "Fe", 0, 0, 0, 1, 0.004), ("S", "S", 0.38484, 0.38484, 0.38484, 1, 0.005)],
    ),
}
SYSTEMS = {
    "albite": "triclinic",
    "baddeleyite": "monoclinic",
    "perovskite": "orthorhombic",
    "olivine": "orthorhombic",
    "rutile": "tetragonal",
    "anatase": "tetragonal",
    "corundum-H": "trigonal",
    "corundum-R": "trigonal",
    "quartz": "trigonal",
    "zincite": "hexagonal",
    "ice": "hexagonal",
    "magnetite": "cubic",
    "diamond-1": "cubic",
    "diamond-2": "cubic",
    "pyrite": "cubic",
}
