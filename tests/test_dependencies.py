"""What we install, checked without a network: pinned with hashes, above the known holes, under licences we can keep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
FILES = ("requirements.txt", "requirements-embedded.txt", "requirements-dev.txt")
ADVISORIES: list[dict[str, Any]] = yaml.safe_load((ROOT / "tests" / "data" / "advisories.yaml").read_text("utf-8"))
ALLOWED = re.compile(
    r"\b(MIT|MIT-CMU|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla Public|ZPL|Zope|LGPL|Lesser General"
    r"|Unlicense|HPND|PostgreSQL|public domain)\b",
    re.IGNORECASE,
)


def pinned(name: str) -> Iterator[tuple[Requirement, str]]:
    """Each requirement of a lock file, with the text of its hashes."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    for entry in re.split(r"\n(?=\S)", text.replace("\\\n", "")):
        line, _, hashes = entry.partition("--hash=")
        if line.strip() and not line.startswith("-"):
            yield Requirement(line.strip()), hashes


@pytest.mark.parametrize("name", FILES)
def test_everything_is_pinned_to_one_version_by_its_hash(name: str) -> None:
    found = list(pinned(name))
    assert found
    loose = [
        str(requirement)
        for requirement, hashes in found
        if [one.operator for one in requirement.specifier] != ["=="] or "sha256:" not in hashes or requirement.url
    ]
    assert not loose


@pytest.mark.parametrize("name", FILES)
def test_every_wish_has_its_pin(name: str) -> None:
    """A package added to the .in file alone would be installed nowhere."""
    lines = (ROOT / name).with_suffix(".in").read_text().splitlines()
    wishes = {canonicalize_name(Requirement(line).name) for line in lines if line and line[0] not in "#-"}
    assert wishes <= {canonicalize_name(requirement.name) for requirement, _ in pinned(name)}


def test_nothing_is_older_than_a_known_mend() -> None:
    pins = [requirement for name in FILES for requirement, _ in pinned(name)]
    old = [
        f"{requirement} has {advisory['id']} ({advisory['what']}): {advisory['fixed']} closed it"
        for advisory in ADVISORIES
        for requirement in pins
        if canonicalize_name(requirement.name) == canonicalize_name(advisory["package"])
        and min(Version(one.version) for one in requirement.specifier) < Version(advisory["fixed"])
    ]
    assert not old, "\n".join(old)
    unknown = {advisory["package"] for advisory in ADVISORIES} - {canonicalize_name(pin.name) for pin in pins}
    assert not unknown, f"no longer installed, so no longer to be watched: {unknown}"


def test_what_production_installs_has_a_licence_we_can_keep() -> None:
    foreign = {
        requirement.name: found
        for requirement, _ in pinned("requirements.txt")
        if (requirement.marker is None or requirement.marker.evaluate())
        and not ALLOWED.search(found := licence(requirement.name))
    }
    assert not foreign


def licence(name: str) -> str:
    """All that a package says of its licence."""
    about = metadata.metadata(name)
    said = [value for key in ("License-Expression", "License", "Classifier") for value in about.get_all(key) or []]
    return "; ".join(value[:200] for value in said if "::" not in value or value.startswith("License"))
