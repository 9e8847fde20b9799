"""What there is to attack, found at run time: routes of the app with their parameters, and the names the code reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mapapp

READ_FROM = {"said", "given", "query", "query_params", "asked", "form", "body", "fields"}
"""Names under which the code keeps what somebody sent."""


@dataclass(frozen=True)
class Operation:
    """A method on a route: its address with holes, the names of the holes, and of what its query declares."""

    method: str
    template: str
    holes: tuple[str, ...]
    declared: tuple[str, ...]
    module: str
    """Module of the function that answers; empty where it is mounted."""

    @property
    def names(self) -> tuple[str, ...]:
        """What can be given to it: holes, declared names, and names that its module or one it imports reads."""
        return tuple(dict.fromkeys((*self.holes, *self.declared, *_names_near(self.module))))


def operations(app: Any) -> list[Operation]:
    """Every method on every route, those of mounted parts and of Dash included."""
    found = []
    for path, route in _walk(app.app.app.router.routes, ""):
        dependant = getattr(route, "dependant", None)
        declared = tuple(one.name for one in dependant.query_params) if dependant else ()
        holes = tuple(re.findall(r"{(\w+)(?::\w+)?}", path))
        module = getattr(getattr(route, "endpoint", None), "__module__", "")
        if type(route).__name__ == "Mount":
            path, holes = path + "/{path}", (*holes, "path")
        found += [
            Operation(method, re.sub(r":\w+}", "}", path), holes, declared, module)
            for method in sorted(getattr(route, "methods", None) or ("GET",))
        ]
    return list(dict.fromkeys(found))


def _walk(routes: Any, start: str) -> Iterator[tuple[str, Any]]:
    for one in routes:
        path, own = start + getattr(one, "path", ""), getattr(one, "routes", None)
        inner = own or getattr(getattr(one, "original_router", None), "routes", None)
        if inner:
            yield from _walk(inner, path if own else start)
        else:
            yield path, one


@cache
def names_read() -> tuple[str, ...]:
    """Names of parameters, fields and keys that the code of the map reads from what was sent."""
    return _names_in(*Path(mapapp.__file__).parent.rglob("*.py"))


@cache
def _names_near(module: str) -> tuple[str, ...]:
    """Names that a module of the map reads, or another one of the map that it imports."""
    if not module.startswith("mapapp."):
        return ()
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    near = {
        where
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("mapapp")
        for where in (node.module, *(f"{node.module}.{one.name}" for one in node.names))
    }
    return _names_in(*(path for one in sorted({module, *near}) if (path := _file(one)).exists()))


def _file(module: str) -> Path:
    path = Path(mapapp.__file__).parents[1].joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _names_in(*paths: Path) -> tuple[str, ...]:
    nodes = (node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return tuple(sorted({name for node in nodes if (name := _read_name(node))}))


def _read_name(node: ast.AST) -> str | None:
    """The text of `given.get("text")` or `given["text"]`, where `given` holds what was sent."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        holder, key = node.func.value, node.args[0]
    elif isinstance(node, ast.Subscript):
        holder, key = node.value, node.slice
    else:
        return None
    last = holder.attr if isinstance(holder, ast.Attribute) else holder.id if isinstance(holder, ast.Name) else ""
    is_text = isinstance(key, ast.Constant) and isinstance(key.value, str)
    return key.value if last in READ_FROM and is_text else None  # type: ignore[attr-defined]
