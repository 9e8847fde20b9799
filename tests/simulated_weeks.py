"""Simulated people of the closed loop: each signs in by a password and does what the pages do, by HTTP alone.

A week passes by moving back by seven days every moment that was written, counts included: the clock of a database
cannot be put forward.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from little_city import GRIDS, table
from psycopg import sql
from serving import Browser, Server
from suggestions import suggestions

from layers.accounts.records import add_account
from layers.database import Database
from layers.lifecycle import TRANSITIONS

SMALL = [row for row in table(GRIDS) if len(row["code"]) == 15]
ZONE = "Asia/Shanghai"
STAFF = {
    "centre": ("dispatcher", None), "officer": ("case_officer", None), "worker": ("grid_worker", None),
    "water": ("department_handler", "water"), "justice": ("department_handler", "justice"),
}  # fmt: skip
RARE = {"return": 0.3, "suspend": 0.3, "extend": 0.2, "rework": 0.3, "withdraw": 0.05, "merge": 0.05, "refuse": 0.1,
        "dismiss": 0.05, "reopen": 0.5, "reconsider": 0.2, "settle_on_spot": 0.3}  # fmt: skip
"""How likely a step is taken where it may be; others always."""
OUTCOMES = ("settled", "settled", "settled", "not_our_duty", "void")
MOVES_MOST = 7
"""Attempts at a case in one week."""


@dataclass
class Weeks:
    """Who lives and works in the little city, and what they did."""

    server: Server
    db: Database
    draw: random.Random
    staff: dict[str, Browser] = field(default_factory=dict)
    receipts: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    n_reported: int = 0
    n_keys: int = 0

    def sign_everybody_in(self) -> None:
        """Give everybody an account, and let each sign in with its password."""
        with self.db.connect("door") as door:
            words = {
                name: add_account(door, name, role, "4499", department=of, departments=("water", "justice"))
                for name, (role, of) in STAFF.items()
            }
        for number, name in enumerate(STAFF, start=1):
            self.staff[name] = self.server.browser(f"127.1.0.{number}")
            assert self.staff[name].sign_in(name, words[name]) == 303

    def live(self, n_reports: int) -> None:
        """Live one week: things are reported, worked on, visited back; some are folded, called about, taken back."""
        for _ in range(n_reports):
            self.draw.choice((self.report_from_the_field, self.report_from_the_field, self.fill_in_the_form))()
        self.dispatch_many()
        for one in self.rows("centre", "open"):
            self.work_on(one["id"], one["state"])
        self.fold_some()
        self.visit_back()
        self.call_departments()
        if self.receipts and self.draw.random() < 0.3:
            self.take_back(self.draw.choice(self.receipts))

    def report_from_the_field(self) -> None:
        """A grid worker reports, some things settled on the spot; what is sent again is the same."""
        settled = "当场处理" if self.draw.random() < 0.3 else ""
        said = self.place() | {
            "key": self.key(), "category": self.draw.choice(("noise", "drainage")), "words": self.words(),
            "is_urgent": self.draw.random() < 0.1, "is_settled": bool(settled), "settled": settled,
            "waited_s": self.draw.randint(0, 6 * 86_400),
        }  # fmt: skip
        made = self.post("worker", "/report/report", said)
        if self.draw.random() < 0.1:
            assert self.post("worker", "/report/report", said) | {"is_new": False, "state": made["state"]} == made | {
                "is_new": False
            }
        self.n_reported += 1
        self.taken |= {"report", *(["settle_on_spot"] if settled else [])}

    def fill_in_the_form(self) -> None:
        """A resident fills in the form for everybody and gets a receipt."""
        resident = self.server.browser(f"127.2.{self.n_reported // 250}.{self.n_reported % 250}")
        slip = dict(re.findall(r'name="(receipt|opened_at|proof)" value="([^"]+)"', resident.ask("/form").text))
        said = {"category": "noise", "community": self.draw.choice(SMALL)["code"][:12], "words": self.words()}
        assert resident.ask("/form", slip | said).status_code == 200
        self.receipts.append(slip["receipt"])
        self.n_reported += 1
        self.taken.add("report")

    def take_back(self, receipt: str) -> None:
        """A resident looks with the receipt, and takes the report back where that may be."""
        resident = self.server.browser(f"127.3.0.{self.draw.randint(1, 250)}")
        page = resident.ask("/form/follow", {"receipt": receipt})
        assert page.status_code == 200
        for number in re.findall(r'name="case" value="(\d+)"', page.text):
            said = {"receipt": receipt, "case": number, "reason": "已解决"}
            assert resident.ask("/form/withdraw", said).status_code == 200
            self.taken.add("withdraw by resident")

    def dispatch_many(self) -> None:
        """The command centre dispatches some of the accepted cases at one go."""
        rows = self.rows("centre", "dispatch")[:3]
        if rows:
            said = {"key": self.key(), "cases": [[one["id"], one["version"]] for one in rows], "department": "water"}
            told = self.post("centre", "/cases/dispatch", said)
            assert len(told["done"]) == len(rows) and told["failed"] == []

    def work_on(self, event_id: int, state: str) -> None:
        """Whoever may looks at a case and takes one of the steps its page offers, again and again."""
        for _ in range(self.draw.randint(1, MOVES_MOST)):
            roles = {role for t in TRANSITIONS if t.from_state == state for role in t.roles}
            able = [name for name, (role, _) in STAFF.items() if role in roles]
            if not able or (state == "closed" and self.draw.random() > 0.1):
                return
            state = self.step(self.draw.choice(able), event_id) or state

    def step(self, name: str, event_id: int) -> str:
        """Take a step, often by a double click, and give the state reached; only a need that is not met may stop it."""
        page = self.staff[name].ask(f"/cases/one/{event_id}")
        if page.status_code == 404:  # it lies with another department
            return ""
        case = page.json()
        steps = [one["step"] for one in case["steps"] if self.draw.random() < RARE.get(one["step"], 1)]
        if not steps:
            return ""
        step = self.draw.choice(steps)
        needs = next(one["needs"] for one in case["steps"] if one["step"] == step)
        said = {"key": self.key(), "step": step, "version": case["version"]} | self.needed(needs)
        answer = self.send(name, f"/cases/one/{event_id}/step", said)
        if answer.status_code != 200:
            assert answer.json()["why"] == "missing" and answer.json()["need"] in ("original", "until"), (
                said,
                answer.text,
            )
            return ""
        self.taken.add(step)
        if self.draw.random() < 0.2:
            assert self.post(name, f"/cases/one/{event_id}/step", said)["is_new"] is False
        return str(answer.json()["state"])

    def needed(self, needs: list[str]) -> dict[str, Any]:
        """What a form of the case page asks for, filled in."""
        said: dict[str, Any] = {
            "reason": "说明", "department": self.draw.choice(("water", "justice")),
            "outcome": self.draw.choice(OUTCOMES),
            "until": (datetime.now(UTC) + timedelta(days=self.draw.randint(1, 10))).isoformat(),
        }  # fmt: skip
        if "original" in needs:
            said["original"] = self.draw.choice(self.rows("centre", "all"))["id"]
        return {key: value for key, value in said.items() if key in needs}

    def fold_some(self) -> None:
        """The command centre confirms the first groups of alike cases."""
        asked = self.staff["centre"].ask("/cases/alike?queue=open&within=4").json()
        for group in asked["groups"][:2]:
            leading, *others = ([one["id"], one["version"]] for one in group)
            told = self.post("centre", "/cases/fold", {"key": self.key(), "leading": leading, "cases": others})
            assert told["folded"] == len(others) and told["authors"] > len(others)
            self.taken.add("merge")

    def visit_back(self) -> None:
        """Closed cases are visited back by phone or by a link; some never answer, and wishes are decided."""
        for one in self.rows("officer", "visit"):
            case, way = f"/cases/one/{one['id']}/ask", self.draw.choice(("yes", "no", "link", "link", "link", ""))
            if way in ("yes", "no"):
                self.post("officer", case, {"do": way, "reason": "还在吵"})
            elif way:
                token = self.post("officer", case, {"do": "link"})["token"]
                said = self.draw.choice(({"is_satisfied": "yes"}, {"is_satisfied": "no", "reason": "还在吵"}, None))
                neighbour = self.server.browser("127.4.0.1")
                assert neighbour.ask(f"/answer/{token}").status_code == 200
                if said:
                    assert neighbour.ask(f"/answer/{token}", said).status_code == 303
            self.taken.add("visit back")
        for one in self.rows("centre", "all"):
            if one["state"] == "closed" and one["is_satisfied"] is False and self.draw.random() < 0.3:
                wish = self.staff["centre"].ask(f"/cases/one/{one['id']}").json()["wish"]
                if wish:
                    said = {"do": "decline", "visit": wish["visit_id"], "reason": "已停工"}
                    self.post("centre", f"/cases/one/{one['id']}/ask", said)
                    self.taken.add("decline")

    def call_departments(self) -> None:
        """The command centre lets two departments work on a case together; one of them reports in."""
        rows = [one for one in self.rows("centre", "open") if one["department"]]
        if rows and self.draw.random() < 0.5:
            said = {"key": self.key(), "case": self.draw.choice(rows)["id"], "what": "请到场",
                    "departments": ["water", "justice"]}  # fmt: skip
            made = self.post("centre", "/calls/new", said)
            assert self.post("justice", f"/calls/one/{made['id']}/report_in", {})["is_new"] is True
            self.taken.add("joint handling")

    def pass_week(self) -> None:
        """Let seven days pass."""
        with self.db.connect("admin") as admin:
            columns = admin.execute(
                "select table_name::text, array_agg(column_name::text) from information_schema.columns"
                " join information_schema.tables using (table_schema, table_name)"
                " where table_schema = 'ops' and data_type = 'timestamp with time zone' and table_type = 'BASE TABLE'"
                " and table_name not in (select inhrelid::regclass::text from pg_inherits) group by 1"
            ).fetchall()
            count = "select count(ops.count_case(e, %s, %s)) from ops.event as e"
            admin.execute(count.encode(), [ZONE, -1])
            for name, moments in columns:
                moved = sql.SQL(", ").join(
                    sql.SQL("{one} = {one} - interval '7 days'").format(one=sql.Identifier(one)) for one in moments
                )
                admin.execute(sql.SQL("update {} set {}").format(sql.Identifier("ops", name), moved))
            admin.execute(count.encode(), [ZONE, 1])

    def rows(self, name: str, queue: str) -> list[dict[str, Any]]:
        """Rows of a queue as the page shows them."""
        return list(self.staff[name].ask(f"/cases/list?queue={queue}").json()["rows"])

    def place(self) -> dict[str, float]:
        """A position inside a small grid."""
        grid = self.draw.choice(SMALL)
        west, south = float(grid["west"]), float(grid["south"])
        return {"lon": west + self.draw.random() / 3, "lat": south + self.draw.random() / 3}

    def words(self) -> str:
        """What somebody may have to say."""
        return self.draw.choice(suggestions())[1]

    def key(self) -> str:
        """A key that nobody used before."""
        self.n_keys += 1
        return f"simulated-{self.n_keys}"

    def send(self, name: str, path: str, said: dict[str, Any]) -> Any:
        """Send what a page sends."""
        browser = self.staff[name]
        return browser.ask(path, method="POST", json=said, headers={"x-csrftoken": browser.cookies["_csrf_token"]})

    def post(self, name: str, path: str, said: dict[str, Any]) -> dict[str, Any]:
        """Send what a page sends, and expect it to be done."""
        answer = self.send(name, path, said)
        assert answer.status_code == 200, (path, said, answer.text)
        return dict(answer.json())
