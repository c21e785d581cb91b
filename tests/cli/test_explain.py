"""``peakwise explain``: what it points at, checked against where the lines of the phases stand."""

import json

import numpy as np
import pytest

from peakwise.cli import main
from peakwise.crystal import TEXTBOOK
from peakwise.estimators import PhaseIdentifier, load
from peakwise.io import write
from peakwise.simulate import SLOT, Ranges, Simulator

NAMES = ("Si", "NaCl", "MgO", "CeO2")
GRID = (20.0, 80.0, 3001)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A model without and one with a network, the latter trained for a moment only."""
    folder = tmp_path_factory.mktemp("models")
    made = PhaseIdentifier(2, network=None, threads=1).fit([TEXTBOOK[n] for n in NAMES])
    made.save(folder / "fit.pw")
    made.set_params(network="wang_cnn", train_seconds=0.5).train_network()
    made.save(folder / "network.pw")
    return folder


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    for number, name in enumerate(("NaCl", "Si", "MgO", "CeO2", "NaCl")):
        write(Simulator(TEXTBOOK[name], GRID, radiation="CuKa").draw(1, first=number), folder / f"{number}.xye")
    write(mixture(), folder / "mixture.xye")
    return folder


def mixture():
    """Equal peaks of salt and silicon."""
    simulator = Simulator([TEXTBOOK["NaCl"], TEXTBOOK["Si"]], GRID, radiation="CuKa", ranges=Ranges.none(counts=9000))
    tables = simulator.draw_tables(1, mixtures=2)
    tables.slots[0, :, SLOT["phase"]] = 0, 1
    tables.slots[0, :, SLOT["weight"]] = 0.5, 0.5
    from peakwise.patterns import Patterns

    rows = simulator.render(tables, scale="counts")
    return Patterns(simulator.axis, rows, "two_theta", wavelength="CuKa", unit="counts")


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(w) for w in words])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def lines_of(name, least=0.1):
    """Angles of the strong lines of a phase, from its ideal pattern."""
    ideal = Simulator(TEXTBOOK[name], GRID, radiation="CuKa").ideal()
    y = ideal.intensity[0]
    top = (y[1:-1] > y[:-2]) & (y[1:-1] > y[2:]) & (y[1:-1] > least * y.max())
    return ideal.axis[1:-1][top]


def test_of_a_mixture_each_phase_is_told_by_its_own_lines(capsys, models, scans, tmp_path):
    picture = tmp_path / "why.png"
    words = (scans / "mixture.xye", "--model", models / "fit.pw", "--wavelength", "CuKa")
    for name, other in (("NaCl", "Si"), ("Si", "NaCl")):
        code, out, _ = run(capsys, "explain", *words, "--phase", name, "-o", picture, "--json")
        assert code == 0
        row = json.loads(out)["scans"][0]
        assert (row["phase"], row["of"], row["method"]) == (name, "fit", "occlusion")
        assert row["score"] > 0.95
        own, foreign = lines_of(name), lines_of(other)
        x, relevance = (np.array(row["curve"][k]) for k in ("axis", "relevance"))

        def strength(places, x=x, relevance=relevance):
            return max(abs(relevance[np.abs(x - p) < 0.3]).max() for p in places)

        apart = [p for p in foreign if np.abs(own - p).min() > 1.5]
        assert strength(own) > 10 * strength(apart)
        assert np.abs(own - row["peaks"][0]["axis"]).min() < 0.2
        assert row["peaks"][0]["share"] > 0
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_wrong_phase_is_spoken_against_by_the_peaks_it_lacks(capsys, models, scans):
    words = (scans / "0.xye", "--model", models / "fit.pw", "--wavelength", "CuKa", "--phase", "Si", "--json")
    row = json.loads(run(capsys, "explain", *words)[1])["scans"][0]
    strongest = lines_of("NaCl", 0.9)[0]
    near = min(row["peaks"], key=lambda p: abs(p["axis"] - strongest))
    assert near["share"] < -0.1


def test_the_network_is_explained_where_there_is_one(capsys, models, scans):
    words = (scans / "0.xye", "--model", models / "network.pw", "--wavelength", "CuKa", "--json")
    for method, used in ((None, "integrated_gradients"), ("saliency", "saliency"), ("cam", "cam")):
        code, out, err = run(capsys, "explain", *words, *(["--method", method] if method else []))
        assert (code, err) == (0, "")
        row = json.loads(out)["scans"][0]
        assert (row["phase"], row["of"], row["method"]) == ("NaCl", "network", used)
        assert np.abs(row["curve"]["relevance"]).max() > 0
    assert json.loads(run(capsys, "explain", *words, "--of", "fit")[1])["scans"][0]["of"] == "fit"


def test_relevance_of_the_network_stands_at_the_angles_of_the_scan(models):
    """The same sample at another wavelength: the same relevance at the same d."""
    identifier = load(models / "network.pw")
    tops = []
    for light, grid in (("CuKa1", (20, 80, 3001)), ("MoKa1", (9.2, 34.5, 3001))):
        quiet = Simulator(TEXTBOOK["NaCl"], grid, radiation=light, ranges=Ranges.none(counts=1e6))
        told = identifier.explain(quiet.draw(1), "NaCl", method="input_times_gradient")
        best = max(told.peaks, key=lambda p: p.share)
        tops.append(best.d)
        assert told.axis[0] >= grid[0] - 0.1
        assert told.axis[-1] <= grid[1] + 0.1
    assert tops[0] == pytest.approx(tops[1], rel=0.01)


def test_a_map_puts_scans_of_one_phase_side_by_side(capsys, models, scans, tmp_path):
    files = [scans / f"{i}.xye" for i in range(5)]
    for model in ("fit.pw", "network.pw"):
        picture = tmp_path / f"{model}.svg"
        words = (*files, "--model", models / model, "--wavelength", "CuKa", "--map", "pca", "-o", picture, "--json")
        code, out, _ = run(capsys, "explain", *words)
        assert code == 0
        points = {p["scan"]: np.array([p["x"], p["y"]]) for p in json.loads(out)["points"]}
        places = [points[str(f)] for f in files]
        apart = [np.linalg.norm(places[0] - p) for p in places[1:]]
        assert int(np.argmin(apart)) == 3  # the other salt
        assert "<svg" in picture.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--method", "tea_leaves"], "unknown method: got 'tea_leaves', there are integrated_gradients"),
        (["--map", "globe"], "unknown map"),
        (["-o", "why.bmp"], "must end with .png"),
        (["--phase", "Fe"], "knows no phase 'Fe'"),
        (["--method", "cam"], "cam looks into a network"),
        (["--of", "network"], "the model has no network"),
        (["--map", "pca"], "at least 4 scans are needed, got 1"),
    ],
)
def test_what_cannot_be_done_is_one_line(capsys, models, scans, words, told):
    code, out, err = run(
        capsys, "explain", scans / "0.xye", "--model", models / "fit.pw", "--wavelength", "CuKa", *words
    )
    assert (code, out) == (1, "")
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_a_model_or_phases_are_needed(capsys, scans):
    assert run(capsys, "explain", scans / "0.xye")[0] == 2


def test_people_get_a_table(capsys, models, scans):
    code, out, _ = run(capsys, "explain", scans / "0.xye", "--model", models / "fit.pw", "--wavelength", "CuKa")
    assert code == 0
    assert "NaCl, occlusion of the fit" in out
    assert "share of what counted" in out
