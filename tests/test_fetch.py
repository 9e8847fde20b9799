"""Files fetched from other systems: whole or not at all, from allowed hosts only, within limits; then loaded."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from deliveries import NOW, Town, write_declarations
from remote import FEATURES, REQUESTS, answering, make_app, serving

from etl.fetch import Fetcher, fetch_file, read_hosts
from etl.fetch.client import Client
from layers.database import Database
from layers.declare.records import Catalog, Dataset
from layers.errors import AtlasError, DeliveryError, SettingError
from layers.hosts import find_spot, is_public
from layers.settings import Settings

YARD = """
    name = { zh = "院子", en = "Yards" }
    department = "command_centre"
    table = "place"
    category = "yard"
    each_row_is_a = { zh = "一个院子", en = "a yard" }
    row_key = ["no"]
    [source]
    files = "yard*.geojson"
    format = "geojson"
    crs = "EPSG:4326"
    [fetch]
    kind = "ogc_features"
    url = "http://127.0.0.1/collections/yards"
    [columns]
    no = { from = "no", type = "key", required = true }
"""
REQUEST = """
    name = { zh = "诉求", en = "Requests" }
    department = "command_centre"
    table = "event"
    each_row_is_a = { zh = "一件诉求", en = "a request" }
    row_key = ["no"]
    [source]
    files = "request.csv"
    format = "csv"
    crs = "EPSG:4326"
    lon = "long"
    lat = "lat"
    [fetch]
    kind = "open311"
    url = "http://127.0.0.1/paged"
    since = 2026-01-01
    [columns]
    no = { from = "service_request_id", type = "key", required = true }
    category = { from = "service_name", type = "category", required = true }
    reported_at = { from = "requested_datetime", type = "moment", required = true }
    updated_at = { from = "updated_datetime", type = "moment" }
    extra = { from = "extra", type = "text" }
"""
TABLE = (
    YARD.split("[source]")[0]
    + """
    [source]
    files = "table.csv"
    format = "csv"
    crs = "EPSG:4490"
    lon = "经度"
    lat = "纬度"
    [fetch]
    kind = "database"
    secret = "FETCH_HOUSING"
    table = "housing.yards"
    [columns]
    no = { from = "编号", type = "key", required = true }
    name = { from = "名称", type = "text" }
"""
)
CATEGORIES = """
    yard = { zh = "院子", en = "Yard", table = "place" }
    noise = { zh = "噪音扰民", en = "Noise", table = "event" }
    flood = { zh = "汛情", en = "Flood", table = "event" }
    family_dispute = { zh = "家庭纠纷", en = "Family dispute", table = "event", sensitive = true }
"""
ALL = {"datasets/yard.toml": YARD, "datasets/request.toml": REQUEST, "datasets/table.toml": TABLE,
       "categories.toml": CATEGORIES}  # fmt: skip


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(make_app()) as found:
        yield found


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return write_declarations(tmp_path_factory.mktemp("data"), ALL)


def at(dataset: Dataset, url: str, **more: object) -> Dataset:
    """The dataset, fetched from elsewhere."""
    assert dataset.fetch is not None
    return replace(dataset, fetch=replace(dataset.fetch, url=url, **more))


def fetcher(*hosts: str, **secrets: str) -> Fetcher:
    return Fetcher(read_hosts(hosts), secrets, NOW)


def test_a_collection_is_kept_page_by_page_as_one_file(declared: Catalog, port: int, tmp_path: Path) -> None:
    for name in ("yards", "moved", "yards/items"):
        yards = at(declared.datasets["yard"], f"http://127.0.0.1:{port}/collections/{name}")
        done = fetch_file(yards, tmp_path, fetcher(f"http://127.0.0.1:{port}"))
        assert (done.n, done.path.name) == (25, "yard_20260701T010000Z.geojson")
        assert json.loads(done.path.read_text("utf-8"))["features"] == FEATURES
    assert not done.is_new, "the same again is not kept twice"
    assert [path.name for path in tmp_path.iterdir()] == [done.path.name]


def test_a_secret_is_sent_and_never_shown(declared: Catalog, port: int, tmp_path: Path) -> None:
    yards = at(declared.datasets["yard"], f"http://127.0.0.1:{port}/collections/secret", secret="FETCH_YARDS")
    host = f"http://127.0.0.1:{port}"
    assert fetch_file(yards, tmp_path, fetcher(host, FETCH_YARDS="Bearer 1")).n == 25
    with pytest.raises(SettingError, match="FETCH_YARDS"):
        fetch_file(yards, tmp_path, fetcher(host))
    with pytest.raises(DeliveryError, match="answers 401") as caught:
        fetch_file(yards, tmp_path, fetcher(host, FETCH_YARDS="Bearer hidden"))
    assert "hidden" not in str(caught.value) + repr(fetcher(host, FETCH_YARDS="Bearer hidden"))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("elsewhere", "sends us on to another place"),
        ("round", "sends us on and on"),
        ("foreign", "The next page lies at another place"),
        ("circle", "lead in a circle"),
        ("short", "26 features, but only 25 came"),
        ("fewer", "says that it has 99 features, but 10 are in it"),
        ("endless", "larger than 1 MB in all"),
        ("list", "gives no features"),
        ("../nothing", "answers 404"),
    ],
)
def test_a_collection_that_misbehaves_leaves_nothing(
    name: str, says: str, declared: Catalog, port: int, tmp_path: Path
) -> None:
    yards = at(declared.datasets["yard"], f"http://127.0.0.1:{port}/collections/{name}", mb_max=1)
    with pytest.raises(DeliveryError, match=says) as caught:
        fetch_file(yards, tmp_path, fetcher(f"http://127.0.0.1:{port}", "http://127.0.0.2"))
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["paged", "unpaged"])
def test_requests_come_each_once_whether_the_server_pages_or_not(
    kind: str, declared: Catalog, port: int, tmp_path: Path
) -> None:
    requests = at(declared.datasets["request"], f"http://127.0.0.1:{port}/{kind}")
    done = fetch_file(requests, tmp_path, fetcher(f"http://127.0.0.1:{port}"))
    with done.path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert done.n == len(rows) == len(REQUESTS)
    assert {row["service_request_id"] for row in rows} == {request["service_request_id"] for request in REQUESTS}
    assert (rows[0]["extra"], rows[0]["media_url"], rows[0]["long"]) == ('["a", "b"]', "", "115.05")


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def drip(sock: socket.socket) -> None:
    """Say one byte after the other without end."""
    stop = threading.Event()
    sock.sendall(OK + b"Content-Length: 1000000\r\n\r\n[")
    while not stop.wait(0.02):
        sock.sendall(b" ")


LIES = {
    "more than comes": (lambda s: s.sendall(OK + b"Content-Length: 900\r\n\r\n[]"), "ended after 2 of 900 bytes"),
    "less than comes": (lambda s: s.sendall(OK + b'Content-Length: 5\r\n\r\n[{"a": 1}]'), "no JSON, or not all of it"),
    "a chunk cut short": (
        lambda s: s.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\n[]"), "cannot be fetched: IncompleteRead"
    ),
    "no HTTP": (lambda s: s.sendall(b"220 hello\r\n"), "cannot be fetched"),
    "nothing": (lambda s: None, "cannot be fetched"),
    "compressed": (lambda s: s.sendall(OK + b"Content-Encoding: gzip\r\n\r\nx"), "compressed"),
    "headers without end": (lambda s: s.sendall(OK + b"X: y\r\n" * 200), "cannot be fetched"),
    "too deep": (lambda s: s.sendall(OK + b"\r\n" + b"[" * 200_000), "no JSON, or not all of it"),
    "drop by drop": (drip, "takes longer than"),
    "too much": (lambda s: s.sendall(OK + b"\r\n" + b" " * (2 << 20)), "larger than 1 MB in all"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_server_that_lies_is_caught(name: str) -> None:
    speak, says = LIES[name]
    with answering(speak) as port:
        client = Client(read_hosts([f"http://127.0.0.1:{port}"]), seconds=0.5, n_bytes=1 << 20)
        with pytest.raises(DeliveryError, match=says):
            client.get_json(f"http://127.0.0.1:{port}/x?key=hidden")


PAGES = {
    "a link to nowhere": '{"features": [F], "links": [{"rel": "next", "href": "http://[x"}]}',
    "a port out of range": '{"features": [F], "links": [{"rel": "next", "href": "http://x:99999/"}]}',
    "a line break in a link": '{"features": [F], "links": [{"rel": "next", "href": "/a b\\r\\nHost: c"}]}',
    "another scheme": '{"features": [F], "links": [{"rel": "next", "href": "file:///etc/passwd"}]}',
    "features of another kind": '{"features": [1, null]}',
    "no features": '{"links": []}',
    "a number of another kind": '{"features": [F], "numberReturned": "1"}',
    "a text": '"features"',
    "a number without end": "[" + "9" * 5000 + "]",
}


@pytest.mark.parametrize("name", PAGES)
def test_pages_that_mean_harm_end_in_a_sentence(name: str, declared: Catalog, tmp_path: Path) -> None:
    body = PAGES[name].replace("F", json.dumps(FEATURES[0])).encode()
    with answering(lambda s: s.sendall(OK + b"\r\n" + body)) as port:
        yards = at(declared.datasets["yard"], f"http://127.0.0.1:{port}/collections/x")
        with pytest.raises(DeliveryError) as caught:
            fetch_file(yards, tmp_path, fetcher(f"http://127.0.0.1:{port}"))
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_half_a_character_does_not_stop_a_fetch(declared: Catalog, tmp_path: Path) -> None:
    feature = {**FEATURES[0], "properties": {"no": "\ud800"}}
    body = json.dumps({"features": [feature]}).encode()
    with answering(lambda s: s.sendall(OK + b"\r\n" + body)) as port:
        yards = at(declared.datasets["yard"], f"http://127.0.0.1:{port}/collections/x")
        done = fetch_file(yards, tmp_path, fetcher(f"http://127.0.0.1:{port}"))
    assert json.loads(done.path.read_text("utf-8"))["features"][0]["properties"] == {"no": "?"}


def test_what_a_killed_fetch_left_is_taken_away(declared: Catalog, port: int, tmp_path: Path) -> None:
    old, young = tmp_path / ".yard-old.part", tmp_path / ".yard-young.part"
    for path, days in ((old, 3), (young, 1)):
        path.write_bytes(b"{")
        os.utime(path, (NOW.timestamp() - days * 86_400,) * 2)
    yards = at(declared.datasets["yard"], f"http://127.0.0.1:{port}/collections/yards")
    done = fetch_file(yards, tmp_path, fetcher(f"http://127.0.0.1:{port}"))
    assert sorted(tmp_path.iterdir()) == [young, done.path]


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate that vouches for itself, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, both = folder / "authority.pem", folder / "both.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    both.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + pem.read_bytes()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return pem, context


def test_a_server_has_to_prove_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem, context = certificate(tmp_path, "data.example.org")
    with answering(lambda s: s.sendall(OK + b"Content-Length: 3\r\n\r\n[1]"), context) as port:
        hosts = read_hosts([f"data.example.org:{port}=127.0.0.1", f"gis.example.org:{port}=127.0.0.1"])
        client = Client(hosts, seconds=10, n_bytes=1 << 20)
        with pytest.raises(DeliveryError, match=r"does not prove that it is data\.example\.org"):
            client.get_json(f"https://data.example.org:{port}/")
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert client.get_json(f"https://data.example.org:{port}/") == [1]
        with pytest.raises(DeliveryError, match=r"does not prove that it is gis\.example\.org"):
            client.get_json(f"https://gis.example.org:{port}/")


ALLOWED = """
data.example.org              | https://data.example.org        | no address
data.example.org              | https://data.example.org:8443   | not allowed
data.example.org              | http://data.example.org         | not allowed
data.example.org              | https://data.example.org.evil.cn | not allowed
data.example.org              | https://evil.cn                 | not allowed
data.example.org=10.1.2.3     | https://DATA.example.org.       | 10.1.2.3
data.example.org:8443=10.1.2.3 | https://data.example.org:8443  | 10.1.2.3
data.example.org=10.1.2.3     | postgresql://data.example.org   | 10.1.2.3
http://10.1.2.3:8080          | http://10.1.2.3:8080            | 10.1.2.3
http://10.1.2.3:8080          | https://10.1.2.3:8080           | not allowed
[::1]:8443                    | https://[::1]:8443              | ::1
localhost                     | https://localhost               | not public
localhost=127.0.0.1           | https://localhost               | 127.0.0.1
nowhere.invalid               | https://nowhere.invalid         | not known
"""


@pytest.mark.parametrize("line", [line for line in ALLOWED.strip().splitlines() if "no address" not in line])
def test_only_what_a_steward_wrote_is_connected_to(line: str) -> None:
    entry, url, wanted = (cell.strip() for cell in line.split("|"))
    scheme, _, rest = url.partition("://")
    name, _, port = rest.rpartition(":") if rest.rsplit(":", 1)[-1].isdigit() else (rest, "", "")
    hosts = read_hosts([entry])
    if wanted in ("not allowed", "not public", "not known"):
        says = {
            "not allowed": "may not be fetched from",
            "not public": "is not public",
            "not known": "is not known here",
        }
        with pytest.raises(AtlasError, match=says[wanted]) as caught:
            find_spot(hosts, scheme, name, int(port) if port else None)
        assert caught.value.hint
    else:
        assert find_spot(hosts, scheme, name, int(port) if port else None).address == wanted


def test_nothing_is_allowed_unless_somebody_said_so(declared: Catalog, port: int, tmp_path: Path) -> None:
    yards = at(declared.datasets["yard"], f"http://127.0.0.1:{port}/collections/yards")
    with pytest.raises(SettingError) as caught:
        fetch_file(yards, tmp_path, fetcher())
    assert f"http://127.0.0.1:{port}" in caught.value.hint
    for entry in ("ftp://x", "a b", "x:99999", "x=y", "https://u:p@x", "x/y"):
        with pytest.raises(SettingError, match="names no host"):
            read_hosts([entry])


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True), ("2606:2800:21f:cb07::1", True), ("127.0.0.1", False), ("10.0.0.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("::1", False),
        ("fe80::1%eth0", False), ("fd00::1", False), ("::ffff:10.0.0.1", False), ("2002:a00:1::", False),
        ("64:ff9b::a00:1", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_addresses_of_the_house_are_not_public(address: str, public: bool) -> None:
    assert is_public(address) == public


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> Town:
    made = Town(db, settings, tmp_path)
    made.catalog = write_declarations(made.catalog_dir, ALL)
    with db.connect("admin", autocommit=True) as connection:
        connection.execute("create schema housing")
        connection.execute(
            """
            create table housing.yards as
            select 'Y' || n as "编号", E'院\\\\"\\n子' || n as "名称", 115.05 as "经度", 22.05 as "纬度", 'x' as "户主",
                st_setsrid(st_makepoint(115.05, 22.05 + n / 1000.0), 4490) as geom
            from generate_series(1, 5) n
            """
        )
    return made


def housing(town: Town) -> tuple[str, str]:
    """Address of the database as another system gives it, and its host as a steward allows it."""
    address = town.db.url("admin").replace("postgresql://", "postgresql+psycopg://") + "&sslmode=disable"
    with town.db.connect("admin") as connection:
        return address, f"postgresql://{connection.info.host}:{connection.info.port}"


def test_a_table_is_fetched_with_its_declared_columns_alone(town: Town, tmp_path: Path) -> None:
    address, host = housing(town)
    table = town.catalog.datasets["table"]
    done = fetch_file(table, tmp_path / "kept", fetcher(host, FETCH_HOUSING=address))
    with done.path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [list(row) for row in rows[:1]] == [["编号", "名称", "经度", "纬度"]]
    assert (done.n, rows[0]["编号"], rows[0]["名称"]) == (5, "Y1", '院\\"\n子1')
    shapes = replace(table, source=replace(table.source, files="t.geojson", format="geojson", lon=None, lat=None))
    done = fetch_file(shapes, tmp_path / "kept", fetcher(host, FETCH_HOUSING=address))
    features = json.loads(done.path.read_text("utf-8"))["features"]
    assert features[4]["properties"] == {"编号": "Y5", "名称": '院\\"\n子5'}
    assert features[4]["geometry"] == {"type": "Point", "coordinates": [115.05, 22.055]}


def test_a_database_is_only_read_and_only_where_allowed(town: Town, tmp_path: Path) -> None:
    address, host = housing(town)
    table = town.catalog.datasets["table"]
    with town.db.connect("admin", autocommit=True) as connection:
        connection.execute(
            "create function housing.harm() returns text language sql as $$ delete from housing.yards; select '' $$"
        )
        connection.execute(
            'create view housing.trap as select "编号", housing.harm() as "名称", "经度", "纬度" from housing.yards'
        )
    asked = {
        "housing.trap": "read-only transaction",
        "housing.nothing": "does not exist",
        'housing.yards"; drop table x; --': "does not exist",
    }
    for name, says in asked.items():
        changed = replace(table, fetch=replace(table.fetch, table=name))
        with pytest.raises(DeliveryError, match=says):
            fetch_file(changed, tmp_path / "kept", fetcher(host, FETCH_HOUSING=address))
    assert town.rows("select 1") == [(1,)]
    for wrong, says in {
        address.replace("sslmode=disable", "sslmode=verify-full&sslrootcert=system"): "cannot be fetched",
        address.replace("127.0.0.1", "127.0.0.1,10.0.0.1"): "no address of one PostgreSQL server",
        "postgresql:///x?host=/tmp": "no address of one PostgreSQL server",
        "mysql://u@127.0.0.1/x": "no address of one PostgreSQL server",
        "postgresql://u:p@10.0.0.1/x": "may not be fetched from 10.0.0.1",
    }.items():
        with pytest.raises(AtlasError, match=says) as caught:
            fetch_file(table, tmp_path / "kept", fetcher(host, FETCH_HOUSING=wrong))
        assert "atlas_admin:" not in str(caught.value)
    with town.db.connect("admin", autocommit=True) as connection:
        connection.execute(
            """
            create view housing.long as select n as "编号", repeat('x', 1000) as "名称", 1 as "经度", 2 as "纬度"
            from generate_series(1, 2000) n
            """
        )
    large = replace(table, fetch=replace(table.fetch, table="housing.long", mb_max=1))
    with pytest.raises(DeliveryError, match="is larger than 1 MB"):
        fetch_file(large, tmp_path / "kept", fetcher(host, FETCH_HOUSING=address))
    missing = replace(table, source=replace(table.source, lon="经"))
    with pytest.raises(DeliveryError, match="has no column 经") as caught_column:
        fetch_file(missing, tmp_path / "kept", fetcher(host, FETCH_HOUSING=address))
    assert "经度" in caught_column.value.hint
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_run_fetches_first_and_loads_what_came(town: Town, port: int) -> None:
    address, host = housing(town)
    datasets = dict(town.catalog.datasets)
    datasets["yard"] = at(datasets["yard"], f"http://127.0.0.1:{port}/collections/yards")
    datasets["request"] = at(datasets["request"], "http://10.9.9.9/open311")
    town.catalog = replace(town.catalog, datasets=datasets)
    who = fetcher(f"http://127.0.0.1:{port}", host, FETCH_HOUSING=address)
    report = town.load("grid_small", "yard", "table", "request", fetcher=who)
    done = {d.dataset: (d.status, d.n_inserted, d.exit_code) for d in report.deliveries}
    assert done == {
        "grid_small": ("loaded", 4, 0),
        "yard": ("loaded", 25, 0),
        "table": ("loaded", 5, 0),
        "request": ("refused", 0, 2),
    }
    assert report.exit_code == 2
    again = town.load("yard", "table", fetcher=who)
    assert {d.status for d in again.deliveries} == {"known"}
    assert town.rows("select count(*) from ops.place where grid_code = '449901001001001'") == [(30,)]
