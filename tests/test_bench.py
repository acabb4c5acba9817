"""The benchmark of CoordConv: its arithmetic, and that it prints what it says."""

import time

from minicoord import CoordConv2D, bench


def test_the_ratio_is_that_of_the_second_to_the_first():
    ratio, seconds = bench.median_ratio(lambda: time.sleep(0.005), lambda: time.sleep(0.02), turns=5)
    assert 2 < ratio < 5
    assert seconds >= 0.005


def test_both_take_their_turns():
    calls = []
    bench.median_ratio(lambda: calls.append(1), lambda: calls.append(2), turns=4)
    assert calls[:2] == [1, 2], "one call each that is not counted"
    assert sorted(calls[2:]) == [1] * 4 + [2] * 4
    assert calls[2:] != [1, 2] * 4, "neither always goes first"


def test_a_step_changes_the_weights_so_that_the_map_is_made_anew():
    layer = CoordConv2D(2, 3, 1, rng=0)
    step = bench.training_step(layer, batch=2, size=8)
    step()
    first = layer._map
    step()
    assert layer._map is not first


def test_the_table_has_a_row_for_each_shape(monkeypatch, capsys):
    monkeypatch.setattr(bench, "SHAPES", [(2, 3, 1), (1, 2, 3)])
    monkeypatch.setattr(bench, "training_step", lambda layer, batch, size: lambda: None)
    bench.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:4] for line in lines[2:]] == [["2", "to", "3", "1x1"], ["1", "to", "2", "3x3"]]
