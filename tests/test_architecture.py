"""The house: who may import whom, how long a file and a function may be, what every public name says of itself.

Read from the source as text, so that nothing needs to be installed or running.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
HOUSE = ("layers", "etl", "mapapp", "install")
FILE_LINES = 400
FUNCTION_LINES = 60

# Left may not import right. The one exception stands in EXCEPT.
WALLS: dict[str, set[str]] = {
    "layers": {"etl", "mapapp", "install", "notebooks", "dash", "dash_ag_grid", "dash_mantine_components", "fastapi",
               "starlette", "uvicorn", "plotly"},
    "etl": {"mapapp", "install", "notebooks", "dash", "dash_ag_grid", "dash_mantine_components", "fastapi",
            "starlette", "uvicorn", "plotly"},
    "mapapp": {"etl", "install", "notebooks"},
}  # fmt: skip
EXCEPT = {("layers/draw", "plotly")}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "core", "common", "misc", "base_utils"}

SOURCES = sorted(path for part in HOUSE for path in (CHECKOUT / part).rglob("*.py"))


def _where(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every import, also those inside functions."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = _where(path).partition("/")[0] if node.level else (node.module or "").partition(".")[0]
            yield node.lineno, package


def test_the_floors_import_in_one_direction_only() -> None:
    broken = [
        f"{_where(path)}:{line} imports {name}"
        for path in SOURCES
        for line, name in _imports(path)
        if name in WALLS.get(_where(path).partition("/")[0], set())
        and not any(_where(path).startswith(f"{part}/") and name == allowed for part, allowed in EXCEPT)
    ]
    assert broken == []


def test_set_up_needs_nothing_but_the_standard_library() -> None:
    known = set(sys.stdlib_module_names) | {"install"}
    broken = [
        f"{_where(path)}:{line} imports {name}"
        for path in (CHECKOUT / "install").rglob("*.py")
        for line, name in _imports(path)
        if name not in known
    ]
    assert broken == []


def test_notebooks_import_layers_only_of_the_house() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "notebooks").glob("*.ipynb"))
    assert re.findall(r"\b(?:from|import)\s+(etl|mapapp|install)\b", text) == []


def test_no_import_goes_in_a_circle() -> None:
    modules = {_module(path): path for path in SOURCES}
    needs = {name: set(_needed_at_import(path, modules)) - {name} for name, path in modules.items()}
    done: set[str] = set()
    while ready := {name for name, others in needs.items() if name not in done and others <= done}:
        done |= ready
    assert sorted(set(needs) - done) == []


def _module(path: Path) -> str:
    parts = path.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _needed_at_import(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """Modules of the house that an import at the top of a file names; a package's own files are not its users."""
    for node in _tree(path).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in modules:
                    yield whole
                elif node.module in modules:
                    yield node.module


def test_scripts_styles_and_sql_keep_the_budget_too() -> None:
    others = [p for part in HOUSE for kind in ("mjs", "js", "css", "sql") for p in (CHECKOUT / part).rglob(f"*.{kind}")]
    assert {path.suffix for path in others} == {".mjs", ".js", ".css", ".sql"}
    long = {path.name: n for path in others if (n := len(path.read_text("utf-8").splitlines())) > FILE_LINES}
    assert long == {}


def test_revisions_follow_one_another_and_no_number_comes_twice() -> None:
    files = sorted((CHECKOUT / "layers/migrations/versions").glob("*.py"))
    said = [
        dict(re.findall(r'^(revision|down_revision) = "?(\w+)"?$', path.read_text("utf-8"), re.M)) for path in files
    ]
    first = int(files[0].name[:4])  # those of before the first release are one
    numbers = [f"{n:04d}" for n in range(first, first + len(files))]
    assert [path.name[:4] for path in files] == [one["revision"] for one in said] == numbers
    assert [one["down_revision"] for one in said] == ["None", *numbers[:-1]]


def test_revisions_make_no_functions_but_those_that_tables_need() -> None:
    """Functions are no part of the history: a changed one is a changed file in `layers/functions`."""
    versions = sorted((CHECKOUT / "layers/migrations/versions").glob("*.*"))
    make = re.compile(r"create\s+(or\s+replace\s+)?function|create_function|drop_function|make_function", re.I)
    assert [path.name for path in versions if make.search(path.read_text("utf-8"))] == ["0041_schema.py"]


@pytest.mark.parametrize("path", SOURCES, ids=_where)
def test_files_and_functions_keep_their_budget(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    long = [
        f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []
    assert len(text.splitlines()) <= FILE_LINES


@pytest.mark.parametrize("path", SOURCES, ids=_where)
def test_every_public_name_says_what_it_is(path: Path) -> None:
    if "/versions/" in _where(path):
        return  # a revision is a script; what it does stands in its first line
    tree = _tree(path)
    assert ast.get_docstring(tree), f"{_where(path)} has no docstring"
    assert list(_undescribed(tree.body, "")) == []


def _undescribed(body: list[ast.stmt], inside: str) -> Iterator[str]:
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        overloaded = any(ast.unparse(d) in ("overload", "typing.overload") for d in node.decorator_list)
        if not ast.get_docstring(node) and not overloaded:
            yield f"line {node.lineno}: {inside}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _undescribed(node.body, f"{node.name}.")


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [_where(path) for path in SOURCES if path.stem in EMPTY_NAMES or path.parent.name in EMPTY_NAMES] == []


OPENING = re.compile(
    r"\b(?:open|connect|read_text|read_bytes|read_csv|read_parquet|loads?|getenv|urlopen|mkdir|Popen|glob|rglob"
    r"|read_settings|read_catalog|open_atlas|open_database)$"
)


@pytest.mark.parametrize("path", SOURCES, ids=_where)
def test_importing_reads_nothing_and_opens_nothing(path: Path) -> None:
    """Only the top level runs on import: calls that read, and looks at the environment, are not allowed there."""
    if path.name == "__main__.py" or path.name == "env.py":
        return  # entry points; alembic runs env.py on purpose
    found = [f"line {line}: {what}" for statement in _tree(path).body for line, what in _opened(statement)]
    assert found == []


def _opened(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("__name__ == '__main__'", "TYPE_CHECKING"):
        return
    if isinstance(node, ast.Attribute) and ast.unparse(node) == "os.environ":
        yield node.lineno, "os.environ"
    if isinstance(node, ast.Call) and OPENING.search(ast.unparse(node.func)):
        yield node.lineno, ast.unparse(node.func)
    for child in ast.iter_child_nodes(node):
        yield from _opened(child)


@pytest.mark.parametrize("path", SOURCES, ids=_where)
def test_no_state_is_kept_in_modules(path: Path) -> None:
    """No function changes a name of its module, and no module begins with an empty collection to be filled later."""
    tree = _tree(path)
    changed = [f"line {node.lineno}: global" for node in ast.walk(tree) if isinstance(node, ast.Global)]
    empty = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and node.value is not None
        and ast.unparse(node.value) in ("{}", "[]", "set()", "dict()", "list()")
    ]
    assert changed + empty == []


@pytest.mark.parametrize("path", SOURCES, ids=_where)
def test_only_the_door_reads_the_environment(path: Path) -> None:
    if path.name == "__main__.py" or _where(path).startswith("install/"):
        return
    read = [
        f"line {node.lineno}"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    ]
    if _where(path) in DOORS:
        return
    assert read == []


DOORS = {"layers/atlas.py", "etl/errand.py"}
"""Where a call comes in without settings of its own: a person's first, and a worker's."""


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"])
def test_what_every_reader_looks_for_is_there(name: str) -> None:
    assert (CHECKOUT / name).stat().st_size > 500
