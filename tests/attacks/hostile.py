"""What is sent: by kind of attack, texts for every parameter, and values for every field of a JSON body."""

from __future__ import annotations

from typing import Any

SQL = (
    "'", "''", '"', "\\'", "';--", "' or '1'='1", "' or 1=1--", "') or ('1'='1", "1; drop table auth.account",
    "1 or 1=1", "'; select set_config('atlas.session','x',false);--",
    "' union select argon2_hash from auth.account--",
    "'||(select current_user)||'", "\u00bf\u0027 or 1=1--", "%bf%27 or 1=1",
    "$$;drop schema pub cascade;$$", "%s", "%(x)s", "{0}",
    "{}", "%", "_", "\\", "/**/or/**/1=1", "-- ", "'; copy pub.grid to program 'id';--", "1) or pg_sleep(0)::text='",
    "E'\\x27 or 1=1'", "0x27206f7220313d31", "U&'\\0027'",
)  # fmt: skip

SCRIPT = (
    "<script>window.__owned=1</script>", "\"><script>window.__owned=1</script>", "'><img src=x onerror=__owned=1>",
    "<svg/onload=__owned=1>", "javascript:__owned=1", "</title><script>__owned=1</script>", "<a href=javascript:x>",
    "{{7*7}}", "${7*7}", "<iframe srcdoc='<script>1</script>'>", "\u003cscript\u003e__owned=1\u003c/script\u003e",
    "<!--><script>__owned=1//-->", "data:text/html,<script>__owned=1</script>", "&lt;script&gt;",
    "<math><mi//xlink:href=x>",
)  # fmt: skip

FORMULA = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\uff1d1+1",
    "\uff0b1",
    '=HYPERLINK("http://evil.example")',
)

PATHS = (
    "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "....//....//etc/passwd",
    "/etc/passwd", "..\\..\\windows",
    "%2e%2e%2fpyproject.toml", "file:///etc/passwd", "\u2025/\u2025/etc/passwd",
    "door.css\x00.txt", "~root", "/proc/self/environ",
    "../app.py", "//evil.example/x", "C:\\x", "con",
)  # fmt: skip

TEXTS = (
    "", " ", "\x00", "a\x00b", "\x1b[31m", "\r\nset-cookie: session=x", "\ufeff", "\u202e1234",
    "\ufdfa", "\U0001f4a9" * 9,
    "a" * 9000, "(" * 3000, "[" * 3000, "none", "null", "undefined", "NaN", "true", "__class__",
    "constructor", "\ud800",
    "\uff14\uff14\uff19\uff19", "\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2", "\u0664\u0664\u0669\u0669", "x" * 70 + "\n",
)  # fmt: skip

NUMBERS = (
    "-1", "0", "1", "32768", "2147483648", "-2147483649", "9223372036854775808", "18446744073709551616", "1" * 400,
    "1" * 5000, "1e309", "-1e309", "1.5", "1_000", "0x10", "+1", " 1", "Infinity", "-0", "00000000000000000001",
)  # fmt: skip

CODES = (
    "4499", "449901", "449901002", "449901002001", "449901002001001", "449902", "449", "4", "0", ":", "44990", "4499%",
    "449901001%", "449901001'", "4499010010010010", "449901001\x00", "449901001,449901002", "449901:",
)  # fmt: skip

MOMENTS = (
    "0001-01-01", "9999-12-31", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-14:00", "2026-02-30", "infinity",
    "now()", "2026-01-01T00:00:00", "2026-01-01T00:00:00+99:00", "202613", "999912", "100001", "1970", "2026-W01-1",
)  # fmt: skip

PLACES = (
    "115.2,22.8", "NaN,NaN", "1e308,1e308", "181,91", "-181,-91", "inf", "POINT(0 0)", "POLYGON((0 0,1 1,0 1,0 0))",
    "POLYGON EMPTY", "SRID=4326;POINT(0 0)", "0103000000", '{"type":"Point","coordinates":[1e999,0]}',
    "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20", "5,4,3", "-180,-90,180,90", "0,0,0,0",
)  # fmt: skip

SIZES = (
    "1," * 5000, ",".join(["449901001"] * 3000), "449901001;" * 3000, "115.2,22.8;" * 2000, "-180,-90,180,90",
    "(a+)+$" + "a" * 60 + "!", "(.*.*)*x" * 50, "%_" * 2000, "\u8def" * 4000, "POLYGON((" + "0 0,1 1," * 3000 + "0 0))",
    "0000-01-01/9999-12-31", "99999999", "1e9", '{"a":' * 3000, "a b " * 3000, "\u0e01\u0e33" * 1500,
)  # fmt: skip

KINDS: dict[str, tuple[str, ...]] = {
    "sql": SQL, "script": SCRIPT, "formula": FORMULA, "path": PATHS, "text": TEXTS, "number": NUMBERS, "scope": CODES,
    "moment": MOMENTS, "geometry": PLACES, "size": SIZES,
}  # fmt: skip
"""Texts by kind of attack."""

VALUES: tuple[Any, ...] = (
    None, True, False, [], {}, [[]], [None], {"a": {"b": 1}}, 0, -1, 1.5, 1e308, 2**31, 2**63, 2**70, float("nan"),
    float("inf"), [1] * 5000, [[1, 2]], [[1]], [["x", "y"]], [1, "x"], {"$gt": ""}, "x" * 5000, "\x00", "\ud800",
)  # fmt: skip
"""Values of other types than a field expects; texts come on top."""

BODIES: tuple[bytes, ...] = (
    b"", b"null", b"[]", b"1", b'"x"', b"{", b'{"a":', b"\xff\xfe", b"\x00", b"[" * 100_000, b'{"a":' * 20_000,
    b"NaN", b'{"key": 1e999}', b"{} {}", b'{"key":"a","key":"b"}', b"a=b&a=c", b"&" * 5000,
    b"--x\r\n\r\n", b"\xed\xa0\x80",
    b"1" * 5000,
)  # fmt: skip
"""Whole bodies that are none."""


def texts() -> list[tuple[str, str]]:
    """Kind and text of every text."""
    return [(kind, text) for kind, some in KINDS.items() for text in some]
