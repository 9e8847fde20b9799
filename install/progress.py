"""Steps of the set-up as lines on the screen: what is being done, how far it is, how long it took."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from install.errors import SetupError

LOG = Path(".local/setup.log")
_HEARTBEAT_S = 10.0
_LAST_WORDS = 12


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)


def run_step(
    title: str,
    command: Sequence[str],
    *,
    remedy: str,
    environ: Mapping[str, str] | None = None,
    log: Path = LOG,
) -> None:
    """Run a long command as one step: a line before, a sign of life every ten seconds, the time it took after.

    Its own output goes to the log, whose last lines are shown when it fails.

    Raises
    ------
    SetupError
        The command failed or is not there; carries `remedy`.
    """
    say(f"{title} ..")
    begin = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as out:
        out.write(f"\n$ {' '.join(command)}\n")
        out.flush()
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env={**os.environ, **(environ or {})},
            )
        except OSError as error:
            raise SetupError(f"{command[0]} cannot be run: {error.strerror}.", remedy) from error
        said: list[str] = []
        over = threading.Event()
        sign = threading.Thread(target=_signs_of_life, args=(said, begin, over), daemon=True)
        sign.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                out.write(line)
                if line.strip():
                    said.append(line.strip())
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            over.set()
            sign.join()
            if process.stdout is not None:
                process.stdout.close()
    if code != 0:
        last = "\n".join(f"    {line[:200]}" for line in said[-_LAST_WORDS:])
        raise SetupError(f"{title} failed:\n{last}", f"{remedy} All it said is in {log}.")
    say(f"{title}: done in {time.monotonic() - begin:.0f} s.")


def _signs_of_life(said: Sequence[str], begin: float, over: threading.Event) -> None:
    while not over.wait(_HEARTBEAT_S):
        last = said[-1][:90] if said else ""
        say(f"  .. {time.monotonic() - begin:.0f} s  {last}")
