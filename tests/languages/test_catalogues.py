"""The catalogues are whole: every text of ours in each language, nothing fuzzy, the same placeholders, .mo as .po."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.utils.translation import ngettext
from django.utils.translation.template import templatize

from tests.languages.catalogues import Entry, read_mo, read_po
from tickets.languages import ENGLISH, languages, speaking

ROOT = Path(__file__).resolve().parent.parent.parent
CODES = [code for code, _ in languages() if code != ENGLISH]
ONE = {"_", "gettext", "gettext_lazy", "gettext_noop"}
SEVERAL = {"ngettext", "ngettext_lazy"}
IN_CONTEXT = {"pgettext", "pgettext_lazy"}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|(?<![\w{])\{\w+\}")
TAG = re.compile(r"</?[a-z][^>]*>")
_CALL = re.compile(r"\b(_|gettext|ngettext|pgettext)\(((?:u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\"|[,\s])+)")
Key = tuple[str, str]


def path_of(code: str, kind: str) -> Path:
    return ROOT / "locale" / code / "LC_MESSAGES" / f"django.{kind}"


def entries(code: str) -> list[Entry]:
    return [entry for entry in read_po(path_of(code, "po")) if entry.msgid]


def in_python(path: Path) -> Iterator[Key]:
    """Texts marked in a module: calls by the usual names, with literal arguments."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if name in ONE | SEVERAL and texts:
            yield "", texts[0]
        elif name in IN_CONTEXT and len(texts) > 1:
            yield texts[0], texts[1]


def in_template(path: Path) -> Iterator[Key]:
    """Texts marked in a template, as gettext's own tools see them."""
    for name, arguments in _CALL.findall(templatize(path.read_text(encoding="utf-8"))):
        texts = [text for text in ast.literal_eval(f"({arguments.rstrip(', ')},)") if isinstance(text, str)]
        if name == "pgettext":
            yield texts[0], texts[1]
        elif texts:
            yield "", texts[0].replace("%%", "%") if name == "_" else texts[0]


@cache
def marked() -> tuple[tuple[Key, Path], ...]:
    return tuple(_marked())


def _marked() -> Iterator[tuple[Key, Path]]:
    for folder in ("support_agent", "tickets"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from ((key, path) for key in in_python(path))
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if "/ops/" not in path.as_posix() and "/admin/" not in path.as_posix():  # staff's pages are English
            yield from ((key, path) for key in in_template(path))


def test_the_reader_finds_what_is_marked() -> None:
    found = {key[1] for key, _ in marked()}
    assert {
        "Where is my order?",
        "Skip to content",
        "That was a lot at once. Please try again in %(seconds)s second.",
    } <= found
    assert ("who wrote a message", "You") in {key for key, _ in marked()}
    assert len(found) > 250


@pytest.mark.parametrize("code", CODES)
def test_every_text_of_ours_is_translated(code: str) -> None:
    known = {entry.key for entry in entries(code) if all(entry.texts) and not entry.obsolete}
    missing = sorted({f"{path.relative_to(ROOT)}: {key[1]}" for key, path in marked() if key not in known})
    assert missing == []


@pytest.mark.parametrize("code", CODES)
def test_nothing_is_fuzzy_empty_or_twice(code: str) -> None:
    found = entries(code)
    assert [entry.msgid for entry in found if entry.fuzzy or not entry.texts or not all(entry.texts)] == []
    assert [key for key, times in Counter(entry.key for entry in found).items() if times > 1] == []


@pytest.mark.parametrize("code", CODES)
def test_placeholders_links_and_outer_blanks_agree(code: str) -> None:
    for entry in entries(code):
        for text in entry.texts:
            for source in {entry.msgid, entry.plural} - {""}:
                assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(source)), text
                assert sorted(TAG.findall(text)) == sorted(TAG.findall(source)), text
            assert text.startswith("\n") == entry.msgid.startswith("\n")
            assert text.endswith((" ", "\n")) == entry.msgid.endswith((" ", "\n")), text


@pytest.mark.parametrize("code", CODES)
def test_plurals_have_as_many_forms_as_the_language(code: str) -> None:
    header = read_po(path_of(code, "po"))[0].texts[0]
    forms = int(re.findall(r"nplurals=(\d)", header)[0])
    assert forms == {"ar": 6}.get(code, 2)
    assert {len(entry.texts) for entry in entries(code) if entry.plural} == {forms}


@pytest.mark.parametrize("code", CODES)
def test_the_compiled_catalogue_is_of_this_source(code: str) -> None:
    """msgfmt was run after the last change: `django-admin compilemessages`."""
    compiled = read_mo(path_of(code, "mo"))
    compiled.pop("")
    source = {}
    for entry in entries(code):
        msgid = f"{entry.msgid}\0{entry.plural}" if entry.plural else entry.msgid
        source[f"{entry.context}\x04{msgid}" if entry.context else msgid] = "\0".join(entry.texts)
    assert compiled == source


def test_plural_forms_are_the_right_ones() -> None:
    def tries(code: str, left: int) -> str:
        one, more = (
            "That code is not right. You have %(left)s more try.",
            "That code is not right. You have %(left)s more tries.",
        )
        with speaking(code):
            return ngettext(one, more, left) % {"left": left}

    assert "1 Versuch." in tries("de", 1)
    assert "2 Versuche." in tries("de", 2)
    assert "0 essai." in tries("fr", 0)
    assert "2 intentos" in tries("es", 2)
    arabic = [tries("ar", left) for left in (1, 2, 3, 11, 100)]
    assert ["محاولة واحدة" in arabic[0], "محاولتان" in arabic[1], "3 محاولات" in arabic[2]] == [True, True, True]
    assert ["11 محاولة" in arabic[3], "100 محاولة" in arabic[4]] == [True, True]
