"""Landlock: what a process may see of the file system, taken away from it for good by the Linux kernel."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import etl
import layers

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # numbers of the system calls, the same on every processor
_VERSION, _BENEATH = 1, 1
_ALL_OF_FILES = (1 << 13) - 1
_READ_FILE, _READ = 1 << 2, (1 << 2) | (1 << 3)
_ALL_OF_TCP, _TCP_SINCE = 3, 4
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/urandom")


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def fence_in(files: Iterable[Path], folder: Path) -> bool:
    """Leave this process the files to read, one folder to write in, Python and the system's libraries; and no TCP.

    Returns
    -------
    bool
        False where the kernel has no Landlock: then nothing has changed.
    """
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = call(_CREATE, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return False
    rules = _Ruleset(_ALL_OF_FILES, _ALL_OF_TCP if version >= _TCP_SINCE else 0)
    size = ctypes.sizeof(rules) if version >= _TCP_SINCE else 8
    fence = call(_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if fence < 0:
        return False
    code = {*_SYSTEM, sys.prefix, sys.base_prefix, *etl.__path__, *layers.__path__}
    allowed = {Path(path): _READ for path in code} | dict.fromkeys(files, _READ_FILE) | {folder: _ALL_OF_FILES}
    for path, rights in allowed.items():
        if path.exists():
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = _Beneath(rights if path.is_dir() else rights & _READ_FILE, place)
            if call(_ADD, fence, _BENEATH, ctypes.byref(rule), 0) != 0:
                raise OSError(ctypes.get_errno(), f"no rule can be made for {path}")
            os.close(place)
    if call(_RESTRICT, fence, 0) != 0:
        raise OSError(ctypes.get_errno(), "the process cannot be fenced in")
    os.close(fence)
    return True
