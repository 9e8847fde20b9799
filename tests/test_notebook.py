"""The notebooks run from top to bottom on the small city, and are committed without outputs."""

from __future__ import annotations

import json
from pathlib import Path

import nbclient
import nbformat
import pytest

from layers.database import Database
from layers.settings import CHECKOUT, Settings

NOTEBOOKS = sorted((CHECKOUT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_without_outputs_and_in_two_languages(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")
    for cell in cells:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            assert any("\u4e00" <= sign <= "\u9fff" for sign in text)
            assert any(word.isascii() and word.isalpha() for word in text.split())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run_and_end_in_a_picture(
    path: Path, small_city: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", small_city.url("admin"))
    monkeypatch.setenv("LOCAL_DIR", str(settings.local_dir))
    monkeypatch.setenv("PLOTLY_RENDERER", "plotly_mimetype")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(CHECKOUT)}}).execute()
    figure = notebook.cells[-1]["outputs"][-1]["data"]["application/vnd.plotly.v1+json"]
    drawn = sum(len(trace["locations"]) for trace in figure["data"])
    assert drawn == 300
    assert "http" not in json.dumps(figure["layout"])
