"""Shares and their intervals, against figures worked out by hand."""

from __future__ import annotations

import pytest

from support_agent.evals.statistics import pass_at_1, pass_hat, pass_hat_k, wilson


@pytest.mark.parametrize(
    ("share", "n", "low", "high"),
    [(0.9, 10, 0.5958, 0.9821), (1.0, 78, 0.9531, 1.0), (0.0, 5, 0.0, 0.4345), (0.5, 100, 0.4038, 0.5962)],
)
def test_wilsons_interval(share: float, n: int, low: float, high: float) -> None:
    found = wilson(share, n)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (share, low, high)


def test_of_nothing_nothing_is_known() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)
    assert pass_at_1([]) == pass_hat_k([]) == wilson(0, 0)


def test_one_run_a_case_is_the_plain_interval() -> None:
    tallies = [(1, 1)] * 9 + [(0, 1)]
    assert round(pass_at_1(tallies).low, 4) == 0.5958
    assert pass_hat_k(tallies) == pass_at_1(tallies)


def test_repeating_what_always_ends_alike_narrows_nothing() -> None:
    once, often = [(1, 1)] * 9 + [(0, 1)], [(8, 8)] * 9 + [(0, 8)]
    assert pass_at_1(often).low == pytest.approx(pass_at_1(once).low)
    assert pass_at_1([(8, 8)] * 10).low == pytest.approx(pass_at_1([(1, 1)] * 10).low)


def test_repeating_what_ends_either_way_narrows() -> None:
    coins = [(4, 8), (5, 8), (3, 8), (4, 8), (4, 8)] * 4
    wide, narrow = pass_at_1([(1, 1), (0, 1)] * 10), pass_at_1(coins)
    assert narrow.value == 0.5
    assert narrow.high - narrow.low == pytest.approx(wilson(0.5, 160).high - wilson(0.5, 160).low)
    assert narrow.high - narrow.low < wide.high - wide.low


def test_all_of_k_runs() -> None:
    tallies = [(3, 3), (2, 3), (0, 3), (3, 3)]
    assert pass_at_1(tallies).value == pytest.approx(8 / 12)
    assert pass_hat_k(tallies).value == 0.5
    assert [round(pass_hat(tallies, k), 4) for k in (1, 2, 3)] == [0.6667, 0.5833, 0.5]
    assert pass_hat(tallies, 4) == 0
