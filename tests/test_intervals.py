"""Shares, means, ratios and agreement, against values of textbooks and of other programs."""

from __future__ import annotations

import pytest

from support_agent.intervals import Estimate, kappa, mean, ratio, student, weighted_share, wilson


def close(found: Estimate | None, value: float, low: float, high: float, cases: int, within: float = 0.0005) -> None:
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high), abs=within)
    assert found.cases == cases


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilsons_interval(part: int, whole: int, low: float, high: float) -> None:
    close(wilson(part, whole), part / whole, low, high, whole)  # the last is Newcombe's (1998) own example


def test_nothing_says_nothing() -> None:
    assert wilson(0, 0) is None
    assert weighted_share([]) is None
    assert mean({}) is None
    assert ratio([(3.0, 0.0)], cases=0) is None
    assert kappa([]) is None


def test_equal_weights_are_the_plain_share() -> None:
    rows = [(number < 8, 7.5) for number in range(10)]
    close(weighted_share(rows), 0.8, 0.4902, 0.9433, 10)


def test_each_answer_stands_for_as_many_as_its_chance_says() -> None:
    """Ten of a hundred at random, all right; ten of ten escalated, half wrong: 105 of 110 are right, not 15 of 20."""
    rows = [(True, 10.0)] * 10 + [(number < 5, 1.0) for number in range(10)]
    found = weighted_share(rows)
    assert found is not None
    assert found.value == pytest.approx(105 / 110)
    assert found.cases == 20
    size = 110**2 / (10 * 100 + 10 * 1)
    plain = wilson(105 / 110 * size, size)
    assert plain is not None
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))
    assert found.high - found.low > 0.2  # no more is known than of some twelve


def test_the_mean_with_students_interval() -> None:
    """1 to 5 once each: sd 1.5811, t(4) 2.776, so 3 ± 1.963."""
    close(mean({1: 1, 2: 1, 3: 1, 4: 1, 5: 1}), 3.0, 1.0368, 4.9632, 5)
    alone = mean({4: 1})
    assert alone is not None
    assert alone.high == float("inf")


@pytest.mark.parametrize(
    ("freedom", "value"), [(1, 12.706), (4, 2.776), (5, 2.571), (9, 2.262), (29, 2.045), (120, 1.980)]
)
def test_students_quantiles_are_those_of_the_tables(freedom: int, value: float) -> None:
    assert student(freedom) == pytest.approx(value, abs=0.006)


def test_a_ratio_varies_with_its_groups() -> None:
    """Three days: 6 over 60 in all; the residuals are 0, 1, −1, so its standard error is √(3·1)/60."""
    found = ratio([(2.0, 20.0), (3.0, 20.0), (1.0, 20.0)], cases=60)
    assert found is not None
    assert found.value == pytest.approx(0.1)
    assert found.low == 0.0  # costs are never below nothing
    assert found.high == pytest.approx(0.1 + 4.303 * 3**0.5 / 60, abs=0.0005)
    assert ratio([(2.0, 20.0)] * 5, cases=100) == Estimate(0.1, 0.1, 0.1, 100)


def test_cohens_kappa() -> None:
    """Cohen's table as everybody quotes it: 20 and 15 of 50 agreed, 0.70 seen, 0.50 by chance."""
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([("a", "a"), ("b", "b")]) == 1.0
    assert kappa([("a", "b"), ("b", "a")]) == -1.0
    assert kappa([("a", "a")] * 3) is None  # chance explains it
