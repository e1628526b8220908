"""The signing snippets of docs/widget.md work as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import jwt
import pytest

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "widget.md").read_text()
SECRET = "a-secret-for-the-snippets-0123456789"
WHO = {"sub": "42", "email": "ana@example.com", "name": "Ana Ñandú"}


def snippet(language: str, holds: str) -> str:
    found = [code for code in re.findall(rf"```{language}\n(.*?)```", DOCS, re.S) if holds in code]
    assert len(found) == 1
    return str(found[0])


def read(token: str) -> dict[str, str]:
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp"]})
    return {name: claims[name] for name in WHO}


def printed(*command: str) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} here")
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_python() -> None:
    names: dict[str, object] = {}
    exec(snippet("python", "def support_identity"), names)
    sign = names["support_identity"]
    assert callable(sign)
    assert read(sign(WHO["sub"], WHO["email"], WHO["name"], SECRET)) == WHO


def test_node(tmp_path: Path) -> None:
    who = f"{{ id: 42, email: '{WHO['email']}', name: '{WHO['name']}' }}"
    call = f"process.stdout.write(supportIdentity({who}, '{SECRET}'));"
    script = tmp_path / "sign.mjs"
    script.write_text(f"{snippet('js', 'createHmac')}\n{call}\n")
    assert read(printed("node", str(script))) == WHO


def test_php(tmp_path: Path) -> None:
    call = f"echo support_identity('42', '{WHO['email']}', '{WHO['name']}', '{SECRET}');"
    script = tmp_path / "sign.php"
    script.write_text(f"<?php\n{snippet('php', 'function support_identity')}\n{call}\n")
    assert read(printed("php", str(script))) == WHO
