"""Small parts, no swallowed exceptions, no mocks, no names that say nothing."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

MODULE_LINES = 300
FUNCTION_LINES = 40
BROAD = {"Exception", "BaseException"}
EMPTY_WORDS = {"util", "utils", "helper", "helpers", "common", "manager", "handler"}
OUR_PACKAGES = {"flywheel", "tasks", "flows"}

Functions = (ast.FunctionDef, ast.AsyncFunctionDef)


def too_long(source: Any) -> Iterator[str]:
    """Yield modules over 300 lines and, outside tests, functions over 40, decorators and docstring included."""
    length = len(source.text.splitlines())
    if length > MODULE_LINES:
        yield f"{source.path} has {length} lines; split it, {MODULE_LINES} is enough"
    for node in ast.walk(source.tree):
        if isinstance(node, Functions) and source.package != "tests":
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            length = (node.end_lineno or first) - first + 1
            if length > FUNCTION_LINES:
                yield f"{source.path}:{first}: {node.name} has {length} lines; split it, {FUNCTION_LINES} is enough"


def swallowed(source: Any) -> Iterator[str]:
    """Yield handlers that catch everything and do not raise, outside the outermost layer."""
    if source.path.startswith("flows/cli/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not isinstance(node.body[-1], ast.Raise):
            yield f"{source.path}:{node.lineno}: catches everything and goes on; name what it catches"
        if isinstance(node, ast.Call) and _name(node.func) == "suppress" and any(map(_is_broad, node.args)):
            yield f"{source.path}:{node.lineno}: suppresses everything; name what it suppresses"


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(map(_is_broad, caught.elts))
    return caught is None or _name(caught) in BROAD


def _name(node: ast.expr) -> str:
    return ast.unparse(node).rsplit(".", 1)[-1]


def mocks(source: Any) -> Iterator[str]:
    """Yield imports of mocking libraries and patches of our own code."""
    ours = set(OUR_PACKAGES)
    for node in ast.walk(source.tree):
        place = f"{source.path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.ImportFrom | ast.Import):
            imported = _imported(node)
            ours |= {name for name, origin in imported.items() if origin.split(".")[0] in OUR_PACKAGES}
            if {"mock", "pytest_mock", "unittest.mock"} & {*imported.values(), getattr(node, "module", None)}:
                yield f"{place}: imports a mock; use the real thing or a fake that ships"
        elif isinstance(node, Functions) and any(argument.arg == "mocker" for argument in node.args.args):
            yield f"{place}: asks for a mock; use the real thing or a fake that ships"
        elif isinstance(node, ast.Call) and _patched(node) in ours:
            yield f"{place}: patches {_patched(node)}; pass the value in instead"


def _imported(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Return what each name that an import makes stands for."""
    module = f"{node.module}." if isinstance(node, ast.ImportFrom) and node.module else ""
    return {alias.asname or alias.name.split(".")[0]: module + alias.name for alias in node.names}


def _patched(call: ast.Call) -> str | None:
    if not call.args or not ast.unparse(call.func).endswith(".setattr"):
        return None
    return ast.unparse(call.args[0]).strip("'\"").split(".")[0]


def empty_names(source: Any) -> Iterator[str]:
    """Yield folders, modules and functions whose name does not say what they do."""
    parts = re.split(r"[/_]", source.path.removesuffix(".py"))
    if EMPTY_WORDS & set(parts) or any(part.startswith("process_") for part in source.path.split("/")):
        yield f"{source.path}: a module is named for what is in it"
    for node in ast.walk(source.tree):
        if isinstance(node, Functions):
            words = node.name.strip("_").split("_")
            if words[0] == "process" or words[-1] in EMPTY_WORDS - {"common"} or words == ["common"]:
                yield f"{source.path}:{node.lineno}: {node.name} does not say what it does"


RULES = {rule.__name__: rule for rule in (too_long, swallowed, mocks, empty_names)}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_sources_keep_the_rule(rule: Any, sources: list[Any]) -> None:
    assert len(sources) > 10
    assert [found for source in sources for found in rule(source)] == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        ("too_long", "tests/test_x.py", "x = 1\n" * 301),
        ("too_long", "flows/x.py", "def f():\n" + "    x = 1\n" * 40),
        ("too_long", "flows/x.py", "@flow\n@task\ndef f():\n" + "    x = 1\n" * 38),
        ("swallowed", "flywheel/x.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
        ("swallowed", "flywheel/x.py", "try:\n    f()\nexcept:\n    raise_alarm()\n"),
        ("swallowed", "tasks/x.py", "try:\n    f()\nexcept (ValueError, BaseException) as e:\n    log(e)\n"),
        ("swallowed", "tests/x.py", "with contextlib.suppress(Exception):\n    f()\n"),
        ("mocks", "tests/x.py", "from unittest.mock import Mock\n"),
        ("mocks", "tests/x.py", "from unittest import mock\n"),
        ("mocks", "tests/x.py", "def test_x(mocker): ...\n"),
        ("mocks", "tests/x.py", "from flywheel.core import lake\nmonkeypatch.setattr(lake, 'X', 1)\n"),
        ("mocks", "tests/x.py", "monkeypatch.setattr('flywheel.core.lake.X', 1)\n"),
        ("empty_names", "flywheel/core/utils.py", ""),
        ("empty_names", "flywheel/helpers/rows.py", ""),
        ("empty_names", "flows/process_rows.py", ""),
        ("empty_names", "flywheel/x.py", "def process_rows(): ...\n"),
        ("empty_names", "flywheel/x.py", "def lake_manager(): ...\n"),
    ],
)
def test_rule_finds_a_planted_violation(rule: str, path: str, text: str, source_of: Any) -> None:
    assert len(list(RULES[rule](source_of(path, text)))) == 1


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        ("too_long", "flows/x.py", "def f():\n" + "    x = 1\n" * 39),
        ("swallowed", "flywheel/x.py", "try:\n    f()\nexcept BaseException:\n    undo()\n    raise\n"),
        ("swallowed", "flywheel/x.py", "try:\n    f()\nexcept ValueError:\n    pass\n"),
        ("swallowed", "flows/cli/main.py", "try:\n    f()\nexcept Exception:\n    exit(1)\n"),
        ("mocks", "tests/x.py", "monkeypatch.setenv('FLYWHEEL_LAKE', 'x')\nmonkeypatch.setattr(sys, 'argv', [])\n"),
        ("empty_names", "flywheel/x.py", "def most_common(): ...\ndef in_process(): ...\n"),
    ],
)
def test_rule_leaves_good_code_alone(rule: str, path: str, text: str, source_of: Any) -> None:
    assert list(RULES[rule](source_of(path, text))) == []
