"""A broken declaration and what is said of it: the file changed, the change, the sentences.

Each case changes the catalog of `declared.py` in one place. `-` is the line as it is right, `+` what stands there
instead (nothing: the line is gone; `⏎` parts lines), and what follows is every sentence said, in order.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from declared import FILES, write

from layers.declare import read_catalog
from layers.errors import DeclarationError

CASES = Path(__file__).with_name("declaration_problems.txt").read_text(encoding="utf-8")


def cases(text: str) -> list[tuple[str, str, str, list[str]]]:
    """Read the cases: (file, line as it is right, what stands there instead, sentences)."""
    found = []
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            file, right, wrong, *said = lines
            found.append((file, right.removeprefix("-").strip(), wrong.removeprefix("+").strip(), said))
    return found


@pytest.mark.parametrize(("file", "right", "wrong", "said"), cases(CASES))
def test_a_broken_line_is_said_to_be_so(file: str, right: str, wrong: str, said: list[str], tmp_path: Path) -> None:
    text = FILES[file]
    assert text.count(f"{right}\n") == 1, "the line to be broken stands there once"
    broken = text.replace(f"{right}\n", wrong.replace("⏎", "\n") + "\n" * bool(wrong))
    with pytest.raises(DeclarationError) as error:
        read_catalog(write(tmp_path, {**FILES, file: broken}))
    assert list(error.value.problems) == said
