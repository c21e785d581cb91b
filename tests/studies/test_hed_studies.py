"""The studies of the (Mg,Fe)O series as a shell sees them, in their quick form and with hardly any training."""

from __future__ import annotations

import pytest

from peakwise.studies.hed_supervised import PUBLISHED
from studies.asking import document as asked

NETWORKS = ["fcnn", "sun_cnn", "multi_scale", "lstm", "transformer", "conv_sct", "conv_sc"]


def document(folder, *words):
    made = asked(folder, *words)
    assert any("is not public: this one is made" in w for w in made["warnings"])
    return made


@pytest.fixture(scope="module")
def clusters(tmp_path_factory):
    return document(tmp_path_factory.mktemp("clustering"), "hed-clustering")


def test_clusters_of_the_thesis_are_clear_at_any_number_of_components(clusters):
    table = clusters["tables"][0]
    assert [row[0] for row in table["rows"]] == ["55 %", "90 %", "99 %", "99.99 %"]
    counts = [row[1] for row in table["rows"]]
    assert counts == sorted(counts)
    assert counts[0] == 2  # as published
    assert counts[-1] > 100  # noise needs components too: 301 were published
    for row in table["rows"]:
        assert row[2] == 1.0  # as published
        first = int(row[3].strip("()").split(",")[0])
        assert 160 <= first < 206  # while the transition goes on
        assert row[-1] == 1.0
    assert table["published"][0][:3] == ["55 to 99.99 %", "2 to 301", 1.0]


def test_clear_is_not_right(clusters):
    methods = {row[0]: row for row in clusters["tables"][1]["rows"]}
    assert clusters["tables"][1]["published"][0][1] == 0.069
    assert methods["k-means"][2] == 1.0
    assert methods["k-means"][5] < 0.95  # a clear boundary, where nothing happens but compression
    assert any("clear need not be right" in w for w in clusters["warnings"])
    for row in clusters["tables"][2]["rows"]:  # clusters there are, transitions there are none
        assert row[2] != ""


def test_bins_that_vote(tmp_path):
    made = document(tmp_path, "hed-binned", "--minutes", "0.15")
    votes, learned = made["tables"]
    assert votes["published"][0][:2] == [18, 0.98854]
    assert learned["published"][0][5] == 20.0
    for table in (votes, learned):
        assert [row[0] for row in table["rows"][:2]] == [1, 18]
        assert table["rows"][2][0].startswith("PCA + logistic regression")
        for row in table["rows"]:
            assert 0 <= row[2] <= row[1] <= 1
            assert 0 <= row[4] <= 1
    # One bin sees peaks and flat parts alike, one of 18 can be all peak: it tells its points apart better.
    assert votes["rows"][0][7] < votes["rows"][1][7]


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    return document(tmp_path_factory.mktemp("supervised"), "hed-supervised", "--minutes", "0.1")


def test_networks_stand_beside_the_published_ones(networks):
    table = networks["tables"][0]
    assert [row[0] for row in table["published"]] == NETWORKS
    assert [row[0] for row in table["rows"]] == [
        *NETWORKS, "PCA (32) + logistic regression", "peakwise transitions, no labels",
    ]  # fmt: skip
    # At 500 points there are fewer parameters than published, and some.
    for row in table["rows"][:7]:
        assert 1000 < row[1] < PUBLISHED[row[0]][0]
        assert 0 <= row[5] <= 1
    agree = networks["tables"][1]
    assert agree["published"][0][1:] == ["7 of 7", 15, 4.3]
    assert [p.rsplit("/", 1)[-1] for p in networks["figures"]] == [
        "hed_supervised_states.png", "hed_supervised_training.png", "hed_supervised_confusion.png",
    ]  # fmt: skip


def test_logistic_regression_is_as_good(networks):
    row = networks["tables"][0]["rows"][7]
    assert row[5] == 1.0
    assert row[8] == 1.0
    assert any("no network is better than PCA (32) + logistic regression" in w for w in networks["warnings"])


@pytest.mark.long
def test_all_networks_are_sure_and_agree(tmp_path):
    table, agree = document(tmp_path, "hed-supervised")["tables"]
    for row in table["rows"][:7]:
        assert row[5] == 1.0, row
        assert row[8] == 1.0, row
    assert agree["rows"][0][2] <= 15  # frames of 349: 4.3 %, as published
