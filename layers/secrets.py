"""Secrets of one installation: made at random on first use, kept in `.local/secrets.toml`, readable by its owner only.

No secret has a default. Whoever loses the file loses the names and numbers sealed with its keys; nothing can bring
them back, so it belongs into the backup, apart from the database.
"""

from __future__ import annotations

import base64
import os
import secrets as chance
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from layers.errors import SettingError
from layers.settings import Settings

Role = Literal["admin", "loader", "web", "analyst", "door", "migrate"]
_KEYS = ("identity_key", "token_key", "rounding_key")


@dataclass(frozen=True)
class Secrets:
    """Keys of 32 bytes and the passwords of the database roles; never printed."""

    identity_key: bytes = field(repr=False)
    identity_key_id: str
    token_key: bytes = field(repr=False)
    rounding_key: bytes = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)
    former_keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Identity keys of before by their ids, as long as anything is sealed with them."""


def secrets_file(settings: Settings) -> Path:
    """Return where the secrets of this installation lie."""
    return settings.local_dir / "secrets.toml"


def read_secrets(settings: Settings) -> Secrets:
    """Read the secrets, making them first where there are none yet.

    Raises
    ------
    SettingError
        The file is damaged, open to others, or may not be read or written.
    """
    path = secrets_file(settings)
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise SettingError(f"{path} can be read by others.", f"Run `chmod 600 {path}`.")
        text = _complete(path, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(
            f"{path} cannot be read or made: {error.strerror}.",
            "Run the command as the user who owns that folder, or set LOCAL_DIR to a folder of your own.",
        ) from error
    return _parse(text, path)


def _make(path: Path) -> None:
    """Write fresh secrets; of several processes that try at once the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Made at random. Keep a copy apart from the database: what is sealed with these keys is lost without them.",
        f'identity_key_id = "{chance.token_hex(4)}"',
        *(f'{key} = "{_text(chance.token_bytes(32))}"' for key in _KEYS),
        "[passwords]",
        *(f'{role} = "{chance.token_urlsafe(24)}"' for role in get_args(Role)),
    ]
    handle, name = tempfile.mkstemp(dir=path.parent, prefix="secrets-")  # 0600 from the start
    whole = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(whole, path)  # unlike rename, never takes the place of secrets that are there already
        except FileExistsError:
            return
    finally:
        whole.unlink()


def renew_key(settings: Settings) -> Secrets:
    """Make a new identity key, with which all is sealed from now on; the one of before is kept to open with.

    Raises
    ------
    SettingError
        A key of before is still kept: what is sealed with it comes first.
    """
    kept, path = read_secrets(settings), secrets_file(settings)
    if kept.former_keys:
        raise SettingError(
            "The key was renewed before, and the former one is still kept.",
            "Run `python -m mapapp vault reseal` and `python -m mapapp vault forget-keys` first.",
        )
    new = {"identity_key_id": chance.token_hex(4), "identity_key": _text(chance.token_bytes(32))}
    former = f'former_keys = {{ "{kept.identity_key_id}" = "{_text(kept.identity_key)}" }}'
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("identity_key")]
    at = lines.index("[passwords]")
    lines[at:at] = [*(f'{key} = "{value}"' for key, value in new.items()), former]
    _replace(path, "\n".join(lines) + "\n")
    return read_secrets(settings)


def forget_keys(settings: Settings) -> None:
    """Forget the keys of before; what is still sealed with them is lost."""
    path = secrets_file(settings)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("former_keys")]
    _replace(path, "\n".join(lines) + "\n")


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _complete(path: Path, text: str) -> str:
    """Give a file made by an earlier version the passwords of roles that are new since."""
    if "\n[passwords]\n" not in text:
        return text
    missing = [role for role in get_args(Role) if f"\n{role} = " not in text]
    if not missing:
        return text
    whole = text.rstrip("\n") + "\n" + "".join(f'{role} = "{chance.token_urlsafe(24)}"\n' for role in missing)
    _replace(path, whole)
    return whole


def _replace(path: Path, whole: str) -> None:
    """Put a file in the place of another, whole, and readable by its owner only."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix="secrets-")
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(whole)
        out.flush()
        os.fsync(out.fileno())
    Path(name).replace(path)


def _parse(text: str, path: Path) -> Secrets:
    try:
        found = tomllib.loads(text)
        keys = {key: base64.b64decode(found[key], validate=True) for key in _KEYS}
        passwords = {role: str(found["passwords"][role]) for role in get_args(Role)}
        key_id = str(found["identity_key_id"])
        former = {str(one): base64.b64decode(key, validate=True) for one, key in found.get("former_keys", {}).items()}
        if any(len(key) != 32 for key in (*keys.values(), *former.values())):
            raise ValueError("a key is not 32 bytes long")
    except (ValueError, KeyError, TypeError) as error:
        raise SettingError(
            f"{path} is damaged.",
            "Put back a copy of it. Without one the stored names and numbers are lost: `make clean` starts afresh.",
        ) from error
    return Secrets(identity_key_id=key_id, passwords=MappingProxyType(passwords), former_keys=former, **keys)
