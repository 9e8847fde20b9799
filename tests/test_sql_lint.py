"""All SQL of the project, in `.sql` files and in Python strings, keeps what a spread-out database can do.

The rules come from a trial with the tables on several machines; each says in its sentence what to write instead. That
the lint finds what it looks for is tested with planted faults.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("layers", "etl", "mapapp")

STATEMENT = re.compile(
    r"\s*\(?\s*((select|with|insert|update|delete|merge|create|alter|drop|copy|truncate|lock|set|explain|do|grant"
    r"|revoke|values|analyze|order\s+by|on\s+conflict|from|where|join|left\s+join|and)\b|limit\s+[%({\d])",
    re.IGNORECASE,
)


def sql_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of each piece of SQL in a file: a whole `.sql` file, or the strings of a `.py` file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        yield 1, text
        return
    tree = ast.parse(text)
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        parent = getattr(node, "parent", None)
        if isinstance(node, ast.JoinedStr):
            whole = "".join(
                str(part.value) if isinstance(part, ast.Constant) else " placeholder " for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if isinstance(parent, ast.Expr | ast.JoinedStr | ast.FormattedValue):  # documentation, or part of a whole
                continue
            whole = node.value
        else:
            continue
        if STATEMENT.match(re.sub(r"--[^\n]*", "", whole)):
            yield node.lineno, whole


TOKENS = ("set_config('atlas.session', %s, true)", "set_config('atlas.key', %s, true)")
"""The two settings that are set: secrets of 256 bits, of which the database keeps digests. They are no scope but open
that of a session or of another system's key, so that another value opens nothing
(`test_scope.py::test_a_setting_raises_no_scope`, `test_open311.py::test_a_key_reaches_as_far_as_its_scope`)."""


def plain(text: str) -> str:
    """Return SQL without comments, in lower case, with the words in quotes taken out unless they are SQL themselves."""
    bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
    for token in TOKENS:
        bare = bare.replace(token, "token")

    def literal(found: re.Match[str]) -> str:
        inside = found.group()[1:-1].replace("''", "'")
        return f" ( {inside} ) " if STATEMENT.match(inside) else "''"

    return " ".join(re.sub(r"'(?:[^']|'')*'", literal, bare).lower().split())


def now_in_upsert(text: str) -> Iterator[str]:
    for found in re.finditer(r"do update set (.*?)(?=returning|;|$)", text):
        if re.search(
            r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|random|nextval|gen_random_uuid)\s*\("
            r"|\b(current_timestamp|current_date|localtimestamp|select)\b",
            found[1],
        ):
            yield "ON CONFLICT .. SET takes its values from `excluded` only; hand moments in as values"


def merge(text: str) -> Iterator[str]:
    if re.search(r"\bmerge into\b", text):
        yield "no MERGE: use INSERT .. ON CONFLICT"


def tile_over_materialized(text: str) -> Iterator[str]:
    if re.search(r"\bst_asmvt\s*\(", text) and not re.search(r"as materialized \(.*\border by\b.*st_asmvt\s*\(", text):
        yield "a tile is WITH q AS MATERIALIZED (.. ORDER BY id) SELECT ST_AsMVT(q.*, ..)"


def set_config(text: str) -> Iterator[str]:
    if re.search(r"\bset_config\s*\(", text):
        yield "no set_config: what may be seen is an argument, never a setting that injected SQL can change"


def limit_without_order(text: str) -> Iterator[str]:
    levels: list[list[str]] = [[]]
    for token in re.findall(r"[()]|;|[\w.%:$]+", text):
        if token == "(":
            levels.append([])
        elif token == ")" and len(levels) > 1:
            levels.pop()
        elif token == ";":
            levels[-1].clear()
        else:
            levels[-1].append(token)
            at = levels[-1]
            if token == "limit" and not any(pair == ("order", "by") for pair in itertools.pairwise(at)):
                yield "LIMIT needs an ORDER BY: without one, several machines give other rows each time"


def like_on_codes(text: str) -> Iterator[str]:
    if re.search(r"\b\w*(code|source_key)\b\"?\s+(not\s+)?i?like\b", text) or re.search(
        r"\bstarts_with\s*\(\s*[\w.]*code|\w*code\s*(\^@|~)", text
    ):
        yield "codes are asked for by range: code >= low and code < high"


def planner_counts(text: str) -> Iterator[str]:
    if re.search(r"\b(reltuples|n_live_tup|st_estimatedextent|pg_total_relation_size|pg_relation_size)\b", text):
        yield "counts come from tallies and boxes from grids, never from planner statistics"


def unlogged(text: str) -> Iterator[str]:
    if re.search(r"\b(create|set)\s+unlogged\b", text):
        yield "no unlogged table: after a crash it is empty while the ledger says loaded"


def trigger(text: str) -> Iterator[str]:
    if re.search(r"\bcreate (or replace )?(constraint )?(trigger|rule)\b", text):
        yield "no trigger: tallies and notices are statements of the same transaction"


def identity(text: str) -> Iterator[str]:
    if re.search(r"\bas identity\b|\b(big|small)?serial\b", text):
        yield "ids come from ops.row_id or the source, never from IDENTITY or serial"


def set_null(text: str) -> Iterator[str]:
    if re.search(r"\bon (delete|update) set (null|default)\b", text):
        yield "a foreign key never sets NULL or a default"


def grouping_sets(text: str) -> Iterator[str]:
    if re.search(r"\b(grouping sets|rollup|cube)\s*\(", text):
        yield "no GROUPING SETS, ROLLUP or CUBE: sum the levels from the tallies"


RULES: tuple[Callable[[str], Iterator[str]], ...] = (
    now_in_upsert,
    merge,
    tile_over_materialized,
    set_config,
    limit_without_order,
    like_on_codes,
    planner_counts,
    unlogged,
    trigger,
    identity,
    set_null,
    grouping_sets,
)


def complaints(name: str, pieces: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Yield one sentence for each rule that the SQL of a file breaks."""
    for line, text in pieces:
        bare = plain(text)
        for rule in RULES:
            for sentence in rule(bare):
                yield f"{name}:{line}: {sentence}"


def test_all_sql_of_the_project_keeps_the_rules() -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".sql"}]
    assert len(files) > 20
    sql = {path: list(sql_of(path)) for path in sorted(files)}
    assert [sentence for path, pieces in sql.items() for sentence in complaints(path.name, pieces)] == []
    carrying = [path.name for token in TOKENS for path, pieces in sql.items() for _, text in pieces if token in text]
    assert carrying == [
        "sessions.py",
        "requests.py",
    ]  # one function for each lets a transaction carry it, no other does


FAULTS = {
    now_in_upsert: [
        "insert into t values (1) on conflict (a) do update set at = now()",
        "insert into t select 1 on conflict (a) do update set n = excluded.n, at = Current_Timestamp returning a",
        "insert into t values (1) on conflict (a) do update set n = (select max(n) from u)",
    ],
    merge: ["merge into t using s on t.a = s.a when matched then delete"],
    tile_over_materialized: [
        "select st_asmvt(q.*, 'grid') from (select 1 order by id) q",
        "with q as (select id from t order by id) select ST_AsMVT(q.*, 'event') from q",
        "with q as materialized (select id from t) select st_asmvt(q.*, 'event') from q",
    ],
    set_config: [
        "select set_config('app.scope', %s, true)",
        "select set_config('atlas.session', %s, false)",
        "select set_config('atlas.session', $1, true)",
    ],
    limit_without_order: [
        "select a from t limit 5",
        "select * from (select a from t limit 5) q order by a",
        "select a from (select b from t order by b) q limit %(n)s",
        "select a from t order by a; select b from t limit 1",
        "limit 100",
    ],
    like_on_codes: [
        "select 1 from t where grid_code like '4499%'",
        "select 1 from t where t.code not like %s",
        "select 1 from t where starts_with(g.town_code, %s)",
        "select 1 from t where code ^@ '4499'",
    ],
    planner_counts: ["select reltuples from pg_class", "select ST_EstimatedExtent('t', 'geom')"],
    unlogged: ["create unlogged table t (a int)", "alter table t set unlogged"],
    trigger: ["create trigger t after insert on e execute function f()", "create or replace rule r as on insert to e"],
    identity: ["create table t (id bigint generated always as identity)", "create table t (id bigserial)"],
    set_null: ["alter table t add foreign key (a) references b on delete set null"],
    grouping_sets: ["select a, sum(n) from t group by rollup (a)"],
}

FINE = [
    "insert into t values (1, now()) on conflict (a) do update set at = excluded.at where t.at < excluded.at",
    "select a from t order by a limit 5",
    *(f"select {token}" for token in TOKENS),
    "select a, (select b from u order by b limit 1) from t",
    "with q as materialized (select id, st_asmvtgeom(g, box) from t order by id) select st_asmvt(q.*, 'x') from q",
    "select 1 from t where code >= %(low)s and code < %(high)s and name like '%%村'",
    "comment on table t is 'no limit, no trigger'",
    "select 'a'' limit b' from t  -- limit 5",
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_each_rule_finds_its_fault(rule: Callable[[str], Iterator[str]]) -> None:
    for text in FAULTS[rule]:
        assert list(rule(plain(text))), text


@pytest.mark.parametrize("text", FINE)
def test_good_sql_passes(text: str) -> None:
    assert [sentence for rule in RULES for sentence in rule(plain(text))] == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.sql", "-- a comment\nselect 1;\nselect a from t limit 5;\n"),
        ("b.py", 'READ = """\n-- why\nselect a\nfrom t\nlimit 5\n"""\n'),
        ("c.py", 'def f(c, n):\n    c.execute("select a from t"\n        " limit %s", [n])\n'),
        ("d.py", 'def f(c, n):\n    c.execute(sql.SQL("select a from {} limit 5").format(n))\n'),
        ("h.py", 'def f(c, n):\n    c.execute(sql.SQL("{} {}").format(n, sql.SQL(" limit {}")))\n'),
        ("e.py", 'def f(c, n):\n    c.execute(f"select a from {n} limit 5")\n'),
        (
            "f.sql",
            "create function f() returns int language plpgsql as $$ begin execute 'select a from t limit 5'; end $$",
        ),
    ],
)
def test_sql_is_found_wherever_it_stands(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert len(list(complaints(path.name, sql_of(path)))) == 1


def test_documentation_is_no_sql(tmp_path: Path) -> None:
    path = tmp_path / "g.py"
    path.write_text('"""Select rows up to a limit."""\n\nX = 1\n"""Select a limit."""\n', encoding="utf-8")
    assert list(complaints(path.name, sql_of(path))) == []
