"""The loader's commands: `python -m etl check`, `run`, `fetch` and `demo build`.

Bad input ends in a sentence that says what is the matter and how to mend it, and in the exit code of that kind of
error (`layers.errors.EXIT_CODES`); never in a traceback.
"""

from __future__ import annotations

import getpass
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer.exceptions import TyperException

from layers.errors import EXIT_CODES, AtlasError, SettingError, UnknownNameError
from layers.settings import Settings, read_settings

if TYPE_CHECKING:
    from etl.fetch import Fetcher

app = typer.Typer(help="民情地图数据入库 How data gets in.", no_args_is_help=True, add_completion=False)
demo = typer.Typer(help="样例城市 The sample city.", no_args_is_help=True)
app.add_typer(demo, name="demo")


@app.command()
def check(
    folder: Annotated[Path | None, typer.Option("--folder", help="Folder of the declarations.")] = None,
) -> None:
    """检查全部声明 Check all declarations and name every problem at once."""
    from etl.crs import check_conversions
    from layers.declare import read_catalog

    settings = _settings()
    catalog = read_catalog(folder or settings.catalog_dir)
    check_conversions(catalog)
    kinds = ("departments", "datasets", "categories", "layers", "indicators", "scenarios")
    counts = ", ".join(f"{len(getattr(catalog, kind))} {kind}" for kind in kinds)
    typer.echo(f"{catalog.city.name.zh} {catalog.city.name.en}: {counts}. 没有问题 No problems.")


@app.command()
def run(
    datasets: Annotated[list[str] | None, typer.Argument(help="Datasets to load; all when none is named.")] = None,
    folder: Annotated[Path | None, typer.Option("--from", help="Folder the departments' files lie in.")] = None,
    report_file: Annotated[Path | None, typer.Option("--json", help="Write the report to this file too.")] = None,
    executor: Annotated[
        str, typer.Option(help="Who does the rows: local, processes:N, or a Dask scheduler's tcp://host:port.")
    ] = "local",
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Leave what another loader is at work on.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Take in what is not as expected; says who did.")] = False,
) -> None:
    """数据入库 Load the deliveries in a folder, each in one transaction; files loaded before are left alone."""
    from etl.report import print_report, write_json
    from etl.run import run as run_deliveries
    from etl.sources import Limits
    from layers.database import open_database
    from layers.declare import read_catalog
    from layers.secrets import read_secrets

    if accept and not datasets:
        raise SettingError("--accept names no dataset.", "Say which: `python -m etl run DATASET --accept`.")
    settings = _settings()
    report = run_deliveries(
        open_database(settings),
        read_catalog(settings.catalog_dir),
        read_secrets(settings),
        folder or settings.delivery_dir,
        datasets or (),
        cache_dir=settings.local_dir / "cache",
        say=typer.echo,
        at_step=_crash_at(os.environ.get("CRASH_AT")),
        accepted_by=getpass.getuser() if accept else None,
        waits=not no_wait,
        fetcher=_fetcher(settings),
        limits=Limits(settings.read_memory_mb, settings.read_seconds, settings.read_unpacked_mb),
        executor=executor,
    )
    print_report(report, Console() if sys.stdout.isatty() else Console(width=120))
    if report_file is not None:
        try:
            write_json(report, report_file)
        except OSError as error:
            raise SettingError(f"The report cannot be written to {report_file}: {error.strerror}.") from error
    raise typer.Exit(report.exit_code)


@app.command()
def reform(
    plan: Annotated[Path, typer.Argument(help="Table of the reform (CSV): a line for each grid that changes.")],
    on: Annotated[str, typer.Option("--on", help="First day of the new grids (2026-03-01).")],
    grids: Annotated[Path | None, typer.Option("--grids", help="File of new outlines, for splits.")] = None,
    name: Annotated[str, typer.Option("--name", help="What the new edition is called; else its year.")] = "",
    tolerance: Annotated[float, typer.Option(help="Gaps and overlaps allowed, square metres.")] = 100.0,
    within: Annotated[
        str | None, typer.Option(help="Part of the tree the plan may change; else the county of its first line.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """区划调整 Open a new edition of the grids: succession, rows tied anew, tallies; all of it or nothing."""
    from etl.reform.record import Order, sentences
    from etl.reform.run import reform as carry_out
    from layers.database import open_database
    from layers.declare import read_catalog

    settings = _settings()
    report = carry_out(
        open_database(settings),
        read_catalog(settings.catalog_dir),
        Order(plan, _day(on, "--on"), grids, name, tolerance, dry_run, within),
        cache_dir=settings.local_dir / "cache",
        say=typer.echo,
        at_step=_crash_at(os.environ.get("CRASH_AT")),
    )
    for sentence in sentences(report):
        typer.echo(sentence)


@app.command()
def quarantine(
    dataset: Annotated[str | None, typer.Argument(help="Dataset to look at; all when none is named.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write its rows to this workbook, to be corrected.")] = None,
    people: Annotated[bool, typer.Option("--people", help="Open rows that name people: for the steward.")] = False,
) -> None:
    """退回清单 List refused rows by reason and age, or write those of a dataset to a workbook to be corrected."""
    from etl.refused import print_open, read_open, read_refused, write_refused
    from layers.database import open_database
    from layers.declare import read_catalog
    from layers.seal import Sealer
    from layers.secrets import read_secrets

    settings = _settings()
    database, catalog = open_database(settings), read_catalog(settings.catalog_dir)
    if out is None:
        counted = read_open(database, catalog, (dataset,) if dataset else ())
        print_open(counted, datetime.now(UTC), Console() if sys.stdout.isatty() else Console(width=120))
        return
    if dataset is None:
        raise SettingError("--out names no dataset.", "Say which: `python -m etl quarantine DATASET --out FILE.xlsx`.")
    sealer = Sealer(read_secrets(settings))
    refused = read_refused(database, catalog, sealer, dataset, run_by=getpass.getuser(), people=people)
    write_refused(refused, out)
    typer.echo(f"{len(refused.rows):,} 行写入 rows written to {out}")


@app.command()
def recount() -> None:
    """补计 Publish people and count on older grids what changed since the last time; `run` does so too."""
    from etl.reform.follow import follow_changes
    from etl.released import publish_changes
    from layers.database import open_database
    from layers.declare import read_catalog
    from layers.secrets import read_secrets

    settings = _settings()
    catalog = read_catalog(settings.catalog_dir)
    with open_database(settings).connect("loader") as connection:
        n_grids = publish_changes(connection, catalog, read_secrets(settings), datetime.now(UTC))
        counted = follow_changes(connection, catalog, settings.local_dir / "cache")
    if n_grids is not None:
        typer.echo(f"人口 people: {n_grids:,} 个网格 grids published")
    for dataset, n in counted.items():
        typer.echo(f"{dataset}: {n:,} 条汇总 counts on older grids")
    if not counted and n_grids is None:
        typer.echo("没有变动 Nothing has changed.")


@app.command()
def forget(
    why: Annotated[str, typer.Option("--why", help="Number or date of the request; names nobody.")],
    number: Annotated[str, typer.Option(prompt=True, hide_input=True, help="ID number; empty for who has none.")],
    dataset: Annotated[str, typer.Option(help="Dataset of a person without ID number.")] = "",
    key: Annotated[str, typer.Option(help="Source key there.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """依申请删除 Delete everything kept of a person by request; no delivery brings them back."""
    from etl.forget import forget as carry_out
    from etl.forget import subject_of
    from layers.database import open_database
    from layers.declare import read_catalog
    from layers.seal import Sealer
    from layers.secrets import read_secrets

    settings = _settings()
    secrets = read_secrets(settings)
    found = carry_out(
        open_database(settings),
        read_catalog(settings.catalog_dir),
        secrets,
        subject_of(Sealer(secrets), number.strip(), dataset, key),
        why=why,
        run_by=getpass.getuser(),
        cache_dir=settings.local_dir / "cache",
        now=datetime.now(UTC),
        dry_run=dry_run,
    )
    for name, n in found.rows.items():
        typer.echo(f"{name}: {n} rows {'would be' if dry_run else 'were'} deleted")
    if not found.rows:
        typer.echo("Nothing is kept of this person." + ("" if dry_run else " A delivery to come brings nobody."))


@app.command()
def amend(
    why: Annotated[str, typer.Option("--why", help="Number or date of the request; names nobody.")],
    fields: Annotated[list[str], typer.Option("--field", help="Column to correct; grid_code for where they live.")],
    number: Annotated[str, typer.Option(prompt=True, hide_input=True, help="ID number; empty for who has none.")],
    dataset: Annotated[str, typer.Option(help="Only there; needed for a person without ID number.")] = "",
    key: Annotated[str, typer.Option(help="Source key of a person without ID number.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be corrected.")] = False,
) -> None:
    """依申请更正 Correct values of a person by request; no delivery brings the wrong ones back."""
    from etl.amend import Request
    from etl.amend import amend as carry_out
    from etl.forget import subject_of
    from layers.database import open_database
    from layers.declare import read_catalog
    from layers.seal import Sealer
    from layers.secrets import read_secrets

    settings = _settings()
    secrets = read_secrets(settings)
    values = {name: typer.prompt(f"{name} (Enter: 无 none)", default="", show_default=False) for name in fields}
    subject = subject_of(Sealer(secrets), number.strip(), dataset, key)
    done = carry_out(
        open_database(settings),
        read_catalog(settings.catalog_dir),
        secrets,
        Request(subject, values, why, getpass.getuser(), dataset or None, dry_run),
        cache_dir=settings.local_dir / "cache",
        now=datetime.now(UTC),
    )
    for name, n in done.rows.items():
        typer.echo(f"{name}: {n} rows {'would be' if dry_run else 'were'} corrected")
    if not done.rows:
        typer.echo("Nothing is kept of this person that is not so already.")


@app.command()
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
) -> None:
    """到期清理 Delete or clear what is kept longer than retention.toml says; for each night."""
    from etl.retention import expire
    from layers.database import open_database
    from layers.declare import read_catalog

    settings = _settings()
    rules, by = read_catalog(settings.catalog_dir).retention, getpass.getuser()
    for one in expire(open_database(settings), rules, datetime.now(UTC), run_by=by, dry_run=dry_run):
        typer.echo(f"{one.table}: {one.n:,} rows to {one.do} after {one.days} days")


@app.command()
def unplaced(
    datasets: Annotated[list[str] | None, typer.Argument(help="Datasets to look at; all when none is named.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the whole list to this workbook.")] = None,
) -> None:
    """未落格清单 List the rows in no grid, and those whose address may mean several, with the grids it may be."""
    from etl.unplaced import print_unplaced, read_unplaced, write_unplaced
    from layers.database import open_database
    from layers.declare import read_catalog
    from layers.seal import Sealer
    from layers.secrets import read_secrets

    settings = _settings()
    catalog, sealer = read_catalog(settings.catalog_dir), Sealer(read_secrets(settings))
    kind = "export" if out else "quarantine_view"
    worklist = read_unplaced(
        open_database(settings), catalog, sealer, datasets or (), run_by=getpass.getuser(), kind=kind
    )
    if out is not None:
        write_unplaced(worklist, out)
        typer.echo(f"{len(worklist):,} 行写入 rows written to {out}")
    else:
        print_unplaced(worklist, Console() if sys.stdout.isatty() else Console(width=120))


@app.command()
def fetch(
    datasets: Annotated[list[str], typer.Argument(help="Datasets whose files to fetch.")],
    folder: Annotated[Path | None, typer.Option("--to", help="Folder to keep the files in.")] = None,
) -> None:
    """从其他系统取数 Fetch the files that datasets declare in [fetch], without loading them."""
    from etl.fetch import fetch_file
    from layers.declare import read_catalog

    settings = _settings()
    catalog, fetcher = read_catalog(settings.catalog_dir), _fetcher(settings)
    for name in datasets:
        if name not in catalog.datasets:
            raise UnknownNameError("dataset", name, catalog.datasets)
    for name in datasets:
        typer.echo(fetch_file(catalog.datasets[name], folder or settings.delivery_dir, fetcher).said())


@demo.command("build")
def build(
    size: Annotated[str, typer.Option(help="small (1 county) or full (4 counties).")] = "full",
    people: Annotated[int | None, typer.Option(help="How many people.")] = None,
    events: Annotated[int | None, typer.Option(help="About how many events.")] = None,
    until: Annotated[
        str | None, typer.Option(help="Day of the deliveries, of which nothing is known yet (2026-06-30); else today.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to.")] = None,
) -> None:
    """生成样例城市的报送文件 Write the files that the departments of the sample city would deliver."""
    from etl.demo import build_city

    folder = out or _settings().delivery_dir
    build_city(folder, size, people=people, events=events, until=_day(until), say=typer.echo)


@demo.command("live")
def live(
    rate: Annotated[float, typer.Option(help="Steps a second.")] = 1.0,
    steps: Annotated[int | None, typer.Option(help="How many; else until interrupted.")] = None,
    hours: Annotated[float, typer.Option(help="Spread the first steps over so many hours back.")] = 0,
    catch_up: Annotated[
        bool, typer.Option("--catch-up", help="First what the days since the last events bring.")
    ] = False,
    beside: Annotated[int | None, typer.Option(help="Number of the process with which to end.")] = None,
) -> None:
    """让样例城市动起来 Report and handle made-up cases in the sample city, so that the wall moves."""
    from etl.demo.backlog import leave_open
    from etl.demo.gap import catch_up_with_now
    from etl.demo.live import live_city
    from layers.database import open_database
    from layers.declare import read_catalog

    settings = _settings()
    catalog = read_catalog(settings.catalog_dir)
    db = open_database(settings)
    if catch_up:
        typer.echo(f"{catch_up_with_now(db, catalog)} cases reported since the last events.")
        typer.echo(f"{leave_open(db, catalog)} more left open for the scenarios.")
    n = live_city(db, catalog, rate=rate, steps=steps, hours=hours, beside=beside, say=typer.echo)
    typer.echo(f"{n} steps taken.")


def main() -> None:
    """Run a command and turn what was raised on purpose into a sentence and an exit code."""
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except AtlasError as error:
        typer.echo(f"错误 Error: {error}", err=True)
        sys.exit(EXIT_CODES[type(error)])
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("已中止 Stopped: what was under way was undone, what was finished stays.", err=True)
        sys.exit(130)
    except TyperException as error:
        usage: Any = error  # what the words of a command line are refused with
        usage.show()
        sys.exit(usage.exit_code)


def _settings() -> Settings:
    return read_settings(os.environ)


def _fetcher(settings: Settings) -> Fetcher:
    """Who fetches files: only variables that begin with FETCH_ are ever sent anywhere."""
    from etl.fetch import Fetcher, read_hosts

    secrets = {name: value for name, value in os.environ.items() if name.startswith("FETCH_")}
    return Fetcher(read_hosts(settings.allowed_hosts), secrets)


def _day(text: str | None, option: str = "--until") -> date:
    if text is None:
        return datetime.now().astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingError(f"{option} is {text!r}.", "Write a day such as 2026-06-30.") from error


def _crash_at(number: str | None) -> Callable[[str], None]:
    """Make what kills this process at its n-th step; tests of kill safety set CRASH_AT, nobody else does."""
    left = [int(number)] if number and number.isdigit() else [0]

    def step(name: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


if __name__ == "__main__":
    main()
