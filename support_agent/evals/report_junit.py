"""A run as JUnit XML, as continuous integration reads it: a suite for each theme, failures with the thread."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from support_agent.evals.run import Result
from support_agent.evals.summary import FAILED, SKIPPED, Report

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(report: Report) -> str:
    """The text of the file; valid by the schema of Jenkins' xUnit plugin."""
    root = ET.Element("testsuites", _counts(report.results) | {"name": f"evals {report.model}"})
    for name in report.suites():
        mine = [result for result in report.results if result.case.suite == name]
        suite = ET.SubElement(root, "testsuite", {"name": name} | _counts(mine))
        if report.started_at:
            suite.set("timestamp", report.started_at.strftime("%Y-%m-%dT%H:%M:%S"))
        properties = ET.SubElement(suite, "properties")
        for key, value in _properties(report).items():
            ET.SubElement(properties, "property", {"name": key, "value": _clean(value)})
        for result in mine:
            _case(suite, result)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _counts(results: Sequence[Result]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(result.status == FAILED for result in results)),
        "errors": "0",
        "skipped": str(sum(result.status == SKIPPED for result in results)),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _properties(report: Report) -> dict[str, str]:
    prompts = {name: f"version {number}" if number else "file" for name, number in (report.prompts or {}).items()}
    found = {"model": report.model, "code": report.code, "repeat": str(report.repeat)}
    return found | {f"prompt.{name}": version for name, version in prompts.items()}


def _case(suite: ET.Element, result: Result) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {"classname": f"evals.{result.case.suite}", "name": result.case.id, "time": f"{result.seconds:.3f}"},
    )
    if result.status == SKIPPED:
        ET.SubElement(case, "skipped", {"message": _clean("; ".join(result.failures))})
    elif result.status == FAILED:
        first, *_ = result.failures or ("failed",)
        failure = ET.SubElement(case, "failure", {"message": _clean(first), "type": "expectation"})
        failure.text = _clean("\n".join([*result.failures, "", *_thread(result)]))
    elif result.thread:
        ET.SubElement(case, "system-out").text = _clean("\n".join(_thread(result)))


def _thread(result: Result) -> list[str]:
    times = [f"{result.held} of {result.runs} runs passed"] if result.runs > 1 else []
    return [*times, *(f"{line['who']}: {line['text']}" for line in result.thread)]


def _clean(text: str) -> str:
    """Without what no XML may hold; customers write anything."""
    return _NO_XML.sub("\ufffd", text)
