"""What can go wrong during set-up: a sentence, and how to mend it."""

from __future__ import annotations


class SetupError(Exception):
    """Set-up cannot go on: what is the matter, and how to mend it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}\n  {remedy}")
        self.message = message
        self.remedy = remedy
