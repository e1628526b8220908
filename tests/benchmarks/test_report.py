"""The benchmark's report: figures as tables and as the page, targets, sections that fail; and its house, briefly."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.benchmarks import __main__ as command
from tests.benchmarks import arithmetic, machine, report
from tests.benchmarks.figures import Figure, Section, Setting, percentile, ratio
from tests.benchmarks.histories import lengthen
from tests.benchmarks.house import House
from tests.benchmarks.load import PRODUCT, run_load
from tests.benchmarks.sections import lengths, soak

pytestmark = pytest.mark.xdist_group("bench-house")

KEPT = Figure("a | ratio", (2.0, 2.4, 2.2), at_most=2.5)
MISSED = Figure("turns a second", (11.0,), "", 1, at_least=14)
PLAIN = Figure("CPU", (1234.5,), "ms", 0)


def found(*figures: Figure) -> report.Outcome:
    return report.Outcome("turns", Section("CPU of a turn", "How.", list(figures), ["A note."]), 3.0)


@pytest.fixture
def setting(tmp_path: Path) -> tuple[Setting, list[str]]:
    said: list[str] = []
    return Setting(tmp_path, said.append), said


def broken(_: Setting) -> Section:
    raise RuntimeError("no such | server\nlast words")


def test_a_figure_knows_its_median_spread_and_target() -> None:
    assert KEPT.cells() == ("a | ratio", "2.20", "2.00 – 2.40", "≤ 2.50 ✓")
    assert MISSED.cells() == ("turns a second", "11.0", "", "≥ 14.0 ✗")
    assert PLAIN.cells() == ("CPU", "1,234 ms", "", "")
    assert PLAIN.holds is None
    assert ratio([2, 6], [1, 2]) == (2, 3)
    assert percentile([3, 1, 2], 0.95) == 3


def test_the_page_has_every_figure_and_what_is_missed() -> None:
    failed = report.Outcome("soak", None, 1.0, "no such | server\nlast words")
    text = report.page([found(KEPT, MISSED, PLAIN), failed], ["On a machine."])
    assert "- On a machine." in text
    assert "**1 of 2 targets hold.**" in text
    assert "- ✗ turns a second: 11.0, target ≥ 14.0\n- ✗ soak could not be measured" in text
    assert "| a \\| ratio | 2.20 | 2.00 – 2.40 | ≤ 2.50 ✓ |" in text
    assert "### CPU of a turn\n\nHow.\n\n| " in text
    assert "- A note." in text
    assert "Could not be measured in this run: last words" in text


def test_the_terminal_has_them_too() -> None:
    console = Console(file=io.StringIO(), width=120)
    report.show(console, found(KEPT, MISSED))
    report.show(console, report.Outcome("soak", None, 1.0, "last [words]"))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "≥ 14.0 ✗" in shown
    assert "A note." in shown
    assert "soak failed: last [words]" in shown


def test_a_section_has_its_folder_and_what_it_raises_is_told(setting: tuple[Setting, list[str]]) -> None:
    given, said = setting

    def fine(own: Setting) -> Section:
        (own.folder / "file").write_text("x")
        own.say("half")
        return Section(own.folder.name, "")

    kept, lost = report.measured("fine", fine, given), report.measured("lost", broken, given)
    assert kept.section is not None
    assert kept.section.title == "fine"
    assert (kept.holds, lost.holds) == (True, False)
    assert lost.failure.endswith("last words")
    assert "fine: half" in said
    assert not list(given.folder.iterdir())


@pytest.mark.parametrize(("measure", "code"), [(broken, 1), (lambda _: Section("t", ""), 0)])
def test_the_others_go_on_and_only_a_whole_run_writes(
    measure: Callable[[Setting], Section], code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[str] = []

    def last(_: Setting) -> Section:
        ran.append("last")
        return Section("last", "", [KEPT])

    page = tmp_path / "performance.md"
    page.write_text(f"{arithmetic.BEGIN}\n{arithmetic.END}\n")
    monkeypatch.setattr(command, "SECTIONS", {"turns": measure, "pages": last})
    monkeypatch.setattr(command, "PERFORMANCE", page)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "_scaling", lambda *_: True)
    assert command.main(["--only", "turns,pages"]) == code
    assert command.main(["--no-write"]) == code
    assert page.read_text() == f"{arithmetic.BEGIN}\n{arithmetic.END}\n"
    assert command.main([]) == code
    assert "### last" in page.read_text()
    assert len(ran) == 3


def test_a_target_that_is_missed_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SECTIONS", {"turns": lambda _: Section("t", "", [MISSED])})
    assert command.main(["--only", "turns"]) == 1
    with pytest.raises(SystemExit, match="2"):
        command.main(["--only", "nothing"])


def test_a_run_says_on_what_it_was() -> None:
    lines = machine.circumstances(0.5, repeats=3, is_long=False, seconds=600)
    assert "the short form, 3 repeats, 10 minutes" in lines[0]
    assert "langgraph " in lines[-1]


@pytest.mark.parametrize("page", [command.PERFORMANCE, command.SCALING])
def test_the_pages_have_their_places(page: Path) -> None:
    text = page.read_text()
    assert 0 < text.index(arithmetic.BEGIN) < text.index(arithmetic.END)


@pytest.mark.timeout(180)  # of which most is the processes' start, on a busy machine
def test_a_few_turns_over_the_real_processes(tmp_path: Path) -> None:
    """Both paths, in conversations of one turn and of twenty; nobody is caught up with what they had seen."""
    quick, variables = {"small-ttft": 0.05, "medium-ttft": 0.05, "rate": 400}, {"EMBEDDER": "none"}
    with House(tmp_path / "house", model=quick, variables=variables) as house:
        people = house.program("tests.benchmarks.people", "2")
        before = run_load(house, people, turns=1, warm=0)
        lengthen(house.postgres.url, {people[0]["conversation"]: 20})
        [(last, events)] = house.rows(
            "SELECT last_seq, (SELECT count(*) FROM tickets_event e WHERE e.conversation_id = c.id) "
            "FROM tickets_conversation c WHERE id = %s",
            people[0]["conversation"],
        )
        fast = run_load(house, people, turns=2, warm=1, spread=0.2)
        [(longer, _)] = house.rows(lengths.PROMPTS, [people[0]["conversation"]], 2)
        [(shorter, _)] = house.rows(lengths.PROMPTS, [people[1]["conversation"]], 2)
        planned = run_load(house, people, turns=1, warm=0, question="planned")
        left, cpu = soak.waiting(house), house.cpu()
    assert last == events == 60
    assert longer > 2 * shorter
    assert not any(left.values())
    for load, turns in ((before, 2), (fast, 4), (planned, 2)):
        assert not load.failures
        assert len(load.turns) == turns
        assert all(0 < turn.own_first < turn.first <= turn.whole for turn in load.turns)
        assert all(turn.own_first <= turn.own_whole < turn.whole for turn in load.turns)
        assert load.system_ms == sum(load.cpu_ms[part] for part in PRODUCT)
    assert all(cpu[part] > 0 for part in (*PRODUCT, "model"))  # of all turns: the kernel counts in hundredths
