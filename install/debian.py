"""Debian's habit of making and starting a cluster `main` with PostgreSQL: switched off while we install."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from install.errors import SetupError

CONFIG = Path("/etc/postgresql-common/createcluster.conf")
_KEPT = ".minqing-map-kept"


@contextmanager
def no_main_cluster(door: Sequence[str], config: Path = CONFIG) -> Iterator[None]:
    """Keep Debian from making a cluster while the block runs; afterwards the file is what it was, byte for byte.

    The original waits beside the file and is moved back over it, so owner, rights and time come back too; one left by
    a run that was killed is put back first.

    Parameters
    ----------
    door
        Words before a command that let it run as root (`sudo`), or none.
    config
        The file with the setting.
    """
    kept = config.with_name(config.name + _KEPT)
    restore(door, config)
    if not config.exists():
        _as_root(door, ["mkdir", "-p", str(config.parent)])
        _write(door, config, "create_main_cluster = false\n")
        try:
            yield
        finally:
            if config.read_text(encoding="utf-8") == "create_main_cluster = false\n":
                _as_root(door, ["rm", "-f", str(config)])
        return
    _as_root(door, ["cp", "-a", str(config), str(kept)])
    try:
        _write(door, config, _without_main(config.read_text(encoding="utf-8")))
        yield
    finally:
        restore(door, config)


def restore(door: Sequence[str], config: Path = CONFIG) -> None:
    """Put the original back where one is waiting."""
    kept = config.with_name(config.name + _KEPT)
    if kept.exists():
        _as_root(door, ["mv", "-f", str(kept), str(config)])


def _without_main(text: str) -> str:
    others = re.sub(r"(?m)^\s*create_main_cluster\s*=.*\n?", "", text)
    return f"create_main_cluster = false\n{others}"


def _write(door: Sequence[str], path: Path, text: str) -> None:
    _as_root(door, ["tee", str(path)], text)


def _as_root(door: Sequence[str], command: Sequence[str], text: str = "") -> None:
    done = subprocess.run([*door, *command], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(
            f"{' '.join(command)} failed: {done.stderr.strip()}", "Mend what it says and run the command again."
        )
