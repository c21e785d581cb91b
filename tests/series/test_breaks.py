"""Fits of breaks against plain least squares, and curves against plain formulas."""

import numpy as np
import pytest

from peakwise.series import examine, prepare_series, probability
from peakwise.series._breaks import LINE, RAMP, ROOT, breaks, fit_breaks
from peakwise.series._rule import _rule
from peakwise.series._views import look
from series_of_lines import make


def columns(n, strain, smooth):
    time = np.linspace(-1, 1, n)
    if smooth == "trend":
        return np.column_stack([np.ones(n), time])
    curve = np.column_stack([time**p for p in range(4)])
    unit = (strain - strain.mean()) / strain.std()
    return curve if smooth == "curve" else np.column_stack([curve, unit, unit**2])


@pytest.mark.parametrize("smooth", ["trend", "curve", "strain"])
def test_gains_are_those_of_least_squares(smooth):
    rng = np.random.default_rng(3)
    n = 40
    scores = rng.normal(size=(n, 2)) + 3 * (np.arange(n) > 17)[:, None]
    strain = np.cumsum(rng.random(n))
    family = breaks(n)
    fit = fit_breaks(scores, strain, family)[smooth]
    plain = columns(n, strain, smooth)
    rest = sum(np.linalg.lstsq(plain, s, rcond=None)[1][0] for s in scores.T)
    assert fit.rest == pytest.approx(rest)
    for member in rng.choice(len(family.kind), 25, replace=False):
        if fit.gain[member] == 0:
            continue
        more = np.column_stack([plain, family.shape[member]])
        found = [np.linalg.lstsq(more, s, rcond=None) for s in scores.T]
        assert fit.rest - fit.gain[member] == pytest.approx(sum(f[1][0] for f in found), rel=1e-6)
        np.testing.assert_allclose(fit.step[member], [f[0][-1] for f in found], rtol=1e-6)


@pytest.mark.parametrize("n", [6, 17, 50, 351])
def test_every_shape_goes_from_nothing_to_all(n):
    family = breaks(n)
    assert set(family.kind) == {RAMP, ROOT, LINE}
    assert family.shape.min() == 0
    assert family.shape.max() == pytest.approx(1, abs=1e-9)
    assert (family.onset <= family.middle).all()
    assert (family.middle <= family.end).all()
    ramps = family.kind == RAMP
    np.testing.assert_allclose(family.shape[ramps, 0], 0)
    np.testing.assert_allclose(family.shape[ramps, -1], 1)
    # A ramp is half done at its middle.
    frame = np.arange(n)
    for row, middle in zip(family.shape[ramps], family.middle[ramps], strict=True):
        assert np.interp(middle, frame, row) == pytest.approx(0.5, abs=0.26)


def test_by_size_does_not_see_where_a_line_stands():
    n = 24
    series = prepare_series(make(np.zeros(n), strains=np.linspace(0, 0.01, n), counts=20_000))
    in_place, by_size = (look(series.rows, view) for view in ("in place", "by size"))
    change = [
        float(((v.scores[0] - v.scores[-1]) * v.noise) @ ((v.scores[0] - v.scores[-1]) * v.noise))
        for v in (in_place, by_size)
    ]
    assert change[1] < 0.1 * change[0]


def test_curves_are_principal_components_in_units_of_their_noise():
    series = prepare_series(make(np.repeat([0.0, 1.0], 20), counts=1000))
    view = look(series.rows, "in place")
    centred = series.rows - series.rows.mean(axis=0)
    _, size, right = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(
        np.abs(view.scores[:, 0] * view.noise[0]), np.abs(centred @ right[0]), rtol=1e-3, atol=1e-5
    )
    assert size[0] > size[1]
    quiet = view.scores[:20, 0]
    assert quiet.std() == pytest.approx(1, rel=0.5)


def test_the_rule_knows_all_evidence_and_nothing_else():
    seen = examine(prepare_series(make(np.repeat([0.0, 1.0], 20))))
    for candidate in seen.candidates:
        assert set(candidate.evidence) == set(_rule()["evidence"])
        assert all(np.isfinite(v) for v in candidate.evidence.values())


def test_evidence_beyond_what_was_learned_counts_as_the_nearest():
    seen = examine(prepare_series(make(np.repeat([0.0, 1.0], 20)))).candidates[0].evidence
    terms = _rule()["evidence"]
    most = {name: term["most"] for name, term in terms.items()}
    assert probability({**seen, **most}) == pytest.approx(probability(dict.fromkeys(terms, 1000000000.0)))
    assert 0 < probability(dict.fromkeys(terms, -1000000000.0)) < 1


def test_the_place_of_a_clear_step_is_among_the_candidates():
    for at in (9, 20, 31):
        seen = examine(prepare_series(make((np.arange(40) > at).astype(float), seed=at)))
        places = [seen.family.middle[c.member] for c in seen.candidates]
        assert min(abs(p - (at + 0.5)) for p in places) <= 1
