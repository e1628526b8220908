"""Two runs side by side: fixed and broken, what cannot be compared, costs, and whether the difference is chance."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from math import comb

import pytest
from django.test import Client

from support_agent.models import EvalRun
from support_agent.ops.paired import mcnemar, paired
from support_agent.ops.selectors.eval_compare import Compared, compare_runs
from tests.cast import Cast
from tests.ops.made import HOUR, signed_in
from tests.ops.made_evals import result, run, version

COMPARE = "/admin/evals/compare/"


@pytest.mark.django_db
class TestCases:
    def both(self) -> tuple[EvalRun, EvalRun]:
        common = {"still": "failed", "same": "passed"}
        a = run({"fixed": "failed", "broken": "passed", "gone": "passed", **common}, ago=HOUR * 2)
        b = run({"fixed": "passed", "broken": "failed", "new": "failed", **common})
        for of, mark, status in ((a, "f1", "failed"), (b, "f2", "passed")):
            result(of, "reworded", status, fingerprint=mark)
        result(a, "skipped", "skipped")
        result(b, "skipped", "failed")
        return a, b

    def names(self, found: Compared) -> dict[str, list[str]]:
        kinds = ("fixed", "broken", "still", "changed", "added", "gone")
        return {kind: [one.case for one in getattr(found, kind)] for kind in kinds}

    def test_each_case_stands_where_it_belongs(self, db: None) -> None:
        found = compare_runs(*self.both())
        assert self.names(found) == {
            "fixed": ["fixed"], "broken": ["broken"], "still": ["still"], "changed": ["reworded"], "added": ["new"],
            "gone": ["gone"],
        }  # fmt: skip
        assert (found.test.pairs, found.test.fixed, found.test.broken) == (4, 1, 1)  # no reworded, no skipped ones

    def test_swapped_it_is_the_other_way_round(self, db: None) -> None:
        a, b = self.both()
        assert self.names(compare_runs(b, a)) == {
            "fixed": ["broken"], "broken": ["fixed"], "still": ["still"], "changed": ["reworded"], "added": ["gone"],
            "gone": ["new"],
        }  # fmt: skip

    def test_costs_and_steps_are_of_one_run_of_a_case(self, db: None) -> None:
        a, b = run({}, ago=HOUR * 2), run({}, repeat=3)
        cents = {"dear": ("1", "6"), "cheap": ("4", "6"), "alike": ("1", "3.3")}  # b ran each three times
        for case, (one, other) in cents.items():
            result(a, case, cost_usd=Decimal(one) / 100, steps=4)
            result(b, case, cost_usd=Decimal(other) / 100, runs=3, steps={"dear": 9, "cheap": 2}.get(case, 4))
        found = compare_runs(a, b)
        assert [(pair.case, pair.moved) for pair in found.dearer] == [("dear", "+100%")]
        assert [(pair.case, pair.moved) for pair in found.cheaper] == [("cheap", "−50%")]
        assert [pair.case for pair in found.longer] == ["dear"]
        assert [pair.case for pair in found.shorter] == ["cheap"]

    def test_the_page_tells_it(self, client: Client, cast: Cast) -> None:
        a, b = self.both()
        EvalRun.objects.filter(pk=a.pk).update(prompts={"assistant": None, "planner": 2}, code="c1/s1/k1")
        EvalRun.objects.filter(pk=b.pk).update(prompts={"assistant": 3, "planner": 2}, code="c1/s1/k2")
        text = signed_in(client, cast).get(f"{COMPARE}?a={a.pk}&b={b.pk}").content.decode()
        assert "1 fixed, 1 broken" in text
        assert "Of 4 cases with the same text in both, B passed <b>as many</b>" in text
        assert "<i>p</i> = 1." in text
        assert "McNemar" in text
        assert "/admin/ops/prompts/?prompt=assistant&amp;version=3&amp;against=file" in text
        assert "prompt=planner" not in text
        assert "other cases" in text
        assert f"?a={b.pk}&amp;b={a.pk}" in text  # swap
        assert f'href="/admin/evals/results/{b.results.get(case="broken").pk}/"' in text
        for title in ("broken", "fixed", "still", "changed", "added", "gone"):
            assert f'id="{title}-title"' in text

    def test_an_agent_is_not_led_to_prompts(self, client: Client, cast: Cast) -> None:
        a, b = run({"x": "passed"}), run({"x": "passed"}, prompts={"assistant": 3})
        text = signed_in(client, cast, "agent").get(f"{COMPARE}?a={a.pk}&b={b.pk}").content.decode()
        assert "/admin/ops/prompts/" not in text
        assert "version 3" in text

    def test_runs_are_chosen(self, client: Client, cast: Cast) -> None:
        signed_in(client, cast)
        assert "It takes two runs" in client.get(COMPARE).content.decode()
        a = run({"x": "passed"}, ago=HOUR * 2, prompt=version(4))
        b = run({"x": "passed"})
        run({}, state="running")
        page = client.get(f"{COMPARE}?b={b.pk}")
        assert [one.pk for one in page.context["runs"]] == [b.pk, a.pk]  # what goes on cannot be compared
        assert "Choose two runs" in page.content.decode()
        assert "assistant 4" in page.content.decode()
        assert "the same run twice" in client.get(f"{COMPARE}?a={b.pk}&b={b.pk}").content.decode()

    @pytest.mark.parametrize(("a", "b"), [("x", "y"), ("0" * 32, ""), ("%00", "'")])
    def test_what_is_no_run_is_as_good_as_not_given(self, a: str, b: str, client: Client, cast: Cast) -> None:
        assert signed_in(client, cast).get(f"{COMPARE}?a={a}&b={b}").context["compared"] is None

    def test_without_a_case_in_common(self, client: Client, cast: Cast) -> None:
        a, b = run({"x": "passed"}), run({"y": "failed"})
        text = signed_in(client, cast).get(f"{COMPARE}?a={a.pk}&b={b.pk}").content.decode()
        assert "No case can be compared" in text


# The test itself.


def test_mcnemar_by_the_coin() -> None:
    """Against what it says: the share of all ways to toss that are at least as lopsided."""
    for fixed, broken in product(range(8), repeat=2):
        tosses, far = fixed + broken, abs(fixed - broken)
        ways = sum(comb(tosses, heads) for heads in range(tosses + 1) if abs(2 * heads - tosses) >= far)
        assert mcnemar(fixed, broken) == pytest.approx(ways / 2**tosses)


@pytest.mark.parametrize(("fixed", "broken", "certain"), [(0, 0, False), (5, 0, False), (6, 0, True), (1, 9, True)])
def test_what_is_hardly_chance(fixed: int, broken: int, certain: bool) -> None:
    assert paired(pairs=100, fixed=fixed, broken=broken).is_certain is certain


def test_a_known_interval() -> None:
    """Bonett and Price (2012) for 100 pairs of which 12 and 4 differ, by hand."""
    found = paired(pairs=100, fixed=12, broken=4)
    assert found.difference == pytest.approx(0.08)
    # 13/102 and 5/102 instead: their difference 0.0784, its variance (0.1765 - 0.0784²)/102 = 0.0409²
    assert found.low == pytest.approx(-0.0017, abs=1e-4)
    assert found.high == pytest.approx(0.1585, abs=1e-4)
    assert found.told == "8.0% more"


def test_the_interval_stays_within_what_is_possible_and_around_the_difference() -> None:
    for pairs in (1, 2, 10, 150):
        for fixed, broken in ((pairs, 0), (0, pairs), (0, 0), (pairs // 2, pairs // 2)):
            found = paired(pairs=pairs, fixed=fixed, broken=broken)
            assert found.low is not None
            assert found.high is not None
            assert -1 <= found.low <= found.high <= 1
            assert found.low <= 0 <= found.high or pairs > 4


def test_nothing_to_compare() -> None:
    found = paired(pairs=0, fixed=0, broken=0)
    assert (found.p, found.difference, found.interval, found.chance, found.told) == (None, None, "", "", "as many")


@pytest.mark.parametrize(("fixed", "broken", "told"), [(12, 0, "< 0.001"), (5, 1, "= 0.219"), (2, 2, "= 1")])
def test_p_as_it_is_written(fixed: int, broken: int, told: str) -> None:
    assert paired(pairs=20, fixed=fixed, broken=broken).chance == told
