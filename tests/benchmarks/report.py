"""Runs sections, one after another, and shows what they found: as tables of a terminal and as the page's Markdown."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import Measure, Section, Setting

COLUMNS = ("", "median", "spread", "target")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One section of a run: what it found, or in `failure` why it could not be measured; `seconds` is what it took."""

    name: str
    section: Section | None
    seconds: float
    failure: str = ""

    @property
    def holds(self) -> bool:
        """Whether it was measured and every target in it holds."""
        return self.section is not None and all(figure.holds is not False for figure in self.section.figures)


def measured(name: str, measure: Measure, setting: Setting) -> Outcome:
    """Measure one section in a folder of its own. Whatever it raises is its failure, so that the others go on."""
    folder = setting.folder / name
    folder.mkdir(parents=True)
    began = time.monotonic()
    setting.say(f"{name}: begins")
    try:
        section = measure(replace(setting, folder=folder, say=lambda line: setting.say(f"{name}: {line}")))
        outcome = Outcome(name, section, time.monotonic() - began)
    except Exception as error:
        words = f"{type(error).__name__}: {error}\n{getattr(error, 'stderr', None) or ''}"  # of a command that failed
        failure = words.strip()[-2000:]
        outcome = Outcome(name, None, time.monotonic() - began, failure)
        setting.say(f"{name}: failed: {failure}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    setting.say(f"{name}: {outcome.seconds:.0f} s")
    return outcome


def show(console: Console, outcome: Outcome) -> None:
    """One table of the terminal."""
    if outcome.section is None:
        console.print(f"{outcome.name} failed: {outcome.failure}", style="bold red", markup=False)
        return
    table = Table(title=outcome.section.title, title_justify="left", title_style="bold", show_edge=False)
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if index else "left")
    for figure in outcome.section.figures:
        table.add_row(*figure.cells(), style="red" if figure.holds is False else None)
    console.print(table)
    for note in outcome.section.notes:
        console.print(note, style="dim", markup=False)
    console.print()


def page(outcomes: Sequence[Outcome], circumstances: Sequence[str]) -> str:
    """What stands between the markers of docs/performance.md: circumstances, missed targets, and every section."""
    blocks = ["\n".join(f"- {line}" for line in circumstances), _missed(outcomes)]
    blocks += [_section(outcome) for outcome in outcomes]
    return "\n\n".join(blocks)


def _missed(outcomes: Sequence[Outcome]) -> str:
    """Which of the targets do not hold, or that all do."""
    figures = [figure for outcome in outcomes if outcome.section for figure in outcome.section.figures]
    kept = sum(figure.holds is True for figure in figures)
    missed = [figure for figure in figures if figure.holds is False]
    failed = [outcome.name for outcome in outcomes if outcome.section is None]
    lines = [f"**{kept} of {kept + len(missed)} targets hold.**"]
    lines += [
        f"- ✗ {name}: {median}, target {target.rstrip(' ✗')}"
        for name, median, _, target in (figure.cells() for figure in missed)
    ]
    lines += [f"- ✗ {name} could not be measured" for name in failed]
    return "\n".join([*lines[:1], "", *lines[1:]]).strip()


def _section(outcome: Outcome) -> str:
    section = outcome.section
    if section is None:
        return f"### {outcome.name}\n\nCould not be measured in this run: {_plain(outcome.failure.splitlines()[-1])}"
    lines = [f"### {section.title}", "", section.how, ""]
    lines += ["| " + " | ".join(COLUMNS) + " |", "|---|--:|--:|--:|"]
    lines += ["| " + " | ".join(map(_plain, figure.cells())) + " |" for figure in section.figures]
    if section.notes:
        lines += ["", *(f"- {note}" for note in section.notes)]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text that cannot end a cell."""
    return text.replace("|", "\\|")
