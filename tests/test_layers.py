"""Imports run one way only; the house of the packages in CONTRIBUTING.md, held by reading the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DJANGO = ("django", "channels", "ninja", "django_rq", "rq", "redis", "psycopg")
LOWER = {  # package -> what of ours it may import besides itself
    "tickets": (),
    "support_agent.agent": (),
    "support_agent.llm": ("support_agent.agent", "support_agent.env"),
    "support_agent.telemetry": ("support_agent.agent.types", "support_agent.env", "support_agent.logs"),
    "support_agent.models": ("support_agent.agent.types", "tickets"),
    "support_agent.tools": (
        "support_agent.agent.types",
        "support_agent.agent.errors",
        "support_agent.agent.identifiers",
        "support_agent.agent.toolkit",
        "tickets.backends",
        "tickets.services",
        "tickets.selectors",
        "tickets.search",
        "tickets.audience",
        "tickets.errors",
        "tickets.models",
        "tickets.db",
        "tickets.hours",
        "tickets.languages",
        "tickets.policy",
    ),
    "support_agent.privacy": (
        "support_agent.runtime",
        "support_agent.models",
        "tickets",
    ),
    "support_agent.runtime": (
        "support_agent.tools",
        "support_agent.llm",
        "support_agent.agent",
        "support_agent.models",
        "support_agent.env",
        "support_agent.telemetry",
        "tickets",
    ),
}
TOP = ("support_agent.chat", "support_agent.ops", "support_agent.evals")


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def modules(package: str) -> Iterator[tuple[Path, str]]:
    folder = ROOT / package.replace(".", "/")
    for path in folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]:
        yield path, ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports(path: Path, module: str) -> Iterator[str]:
    """Every name a module imports, inside functions too; relative ones made absolute."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: -node.level] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", LOWER)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, module in modules(package)
        for name in imports(path, module)
        if (within(name, "support_agent") or within(name, "tickets"))
        and not any(within(name, allowed) for allowed in (package, *LOWER[package]))
    ]
    assert not wrong, "\n".join(wrong)


def test_pages_do_not_import_each_other() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for package in TOP
        for path, module in modules(package)
        for name in imports(path, module)
        if any(within(name, other) for other in TOP if other != package)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_engine_knows_neither_django_nor_a_model_api() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for package in ("support_agent.agent", "support_agent.llm")
        for path, module in modules(package)
        for name in imports(path, module)
        if any(within(name, framework) for framework in DJANGO)
        or (within(name, "anthropic") and module != "support_agent.llm.client")
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_client_imports_anthropic() -> None:
    found = {
        module
        for package in ("support_agent", "tickets")
        for path, module in modules(package)
        for name in imports(path, module)
        if within(name, "anthropic")
    }
    assert found <= {"support_agent.llm.client"}


def test_no_module_imports_itself_in_a_circle() -> None:
    """Imports inside functions count: they hide a circle, they do not untie it."""
    known = {module: path for package in ("support_agent", "tickets") for path, module in modules(package)}
    graph = {
        module: {target for name in imports(path, module) if (target := _module_of(name, known)) and target != module}
        for module, path in known.items()
        if ".apps" not in module  # Django's ready() is where apps are joined
    }
    circles = [cycle for cycle in _circles(graph) if len(cycle) > 1]
    assert not circles, "\n".join(" -> ".join(sorted(cycle)) for cycle in circles)


def _module_of(name: str, known: dict[str, Path]) -> str:
    """The module a dotted name lies in: itself, or the one that defines it. Packages' own files are left out."""
    for candidate in (name, name.rpartition(".")[0]):
        if candidate in known:
            return candidate
    return ""


def _circles(graph: dict[str, set[str]]) -> Iterator[set[str]]:
    """Strongly connected groups: whatever can be reached from each other."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for target in graph.get(waiting.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return seen

    reachable = {module: reach(module) for module in graph}
    done: set[str] = set()
    for module, found in reachable.items():
        if module in found and module not in done:
            circle = {other for other in found if module in reachable.get(other, ())} | {module}
            done |= circle
            yield circle
