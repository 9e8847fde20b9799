"""The closed loop as one table: which step leads from which state to which, who may take it, and what it needs.

The same rows stand in the database (`ops.transition`), where a foreign key of each step points at them, and in
`docs/cases.md`; tests hold the three together. To change the loop, change this table and write a revision that brings
the database to it.

What a step may need:

| need         | meaning                                                                                    |
|--------------|--------------------------------------------------------------------------------------------|
| `reason`     | why, in words                                                                              |
| `department` | the department it goes to                                                                  |
| `until`      | a moment to come: the end of a suspension, the new deadline of an extension                |
| `outcome`    | what it came to: settled, not_our_duty, duplicate or void                                  |
| `original`   | the case it is a duplicate of, which is not one itself                                     |
| `own`        | a handler moves only what lies with the own department, a resident only the own report     |
| `fresh`      | it was never dispatched: whoever gets a returned case may only dispatch it anew            |
| `other_hand` | not by the account that finished the work                                                  |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from layers.access import AccountRole

CaseRole = AccountRole | Literal["resident"]
CASE_ROLES: tuple[CaseRole, ...] = ("resident", "grid_worker", "dispatcher", "department_handler", "case_officer")
"""Who takes part in the closed loop; a case officer checks what was done and visits back."""

Need = Literal["reason", "department", "until", "outcome", "original", "own", "fresh", "other_hand"]
NEEDS: tuple[Need, ...] = get_args(Need)
Clock = Literal["", "starts", "goes on", "stops", "is put off", "ends"]
"""What a step does to the clock of the promise; nothing when it leaves the clock as it is."""


@dataclass(frozen=True)
class Transition:
    """One allowed transition; `from_state` is empty for the step that makes a case."""

    step: str
    zh: str
    from_state: str
    state: str
    roles: tuple[CaseRole, ...]
    needs: tuple[Need, ...] = ()
    clock: Clock = ""


def _from(
    states: str, step: str, zh: str, state: str, roles: str, needs: str = "", clock: Clock = ""
) -> Iterator[Transition]:
    """Give one transition for each state a step may be taken from; `=` stands for the state it is in."""
    known: dict[str, CaseRole] = {role: role for role in CASE_ROLES}
    meant: dict[str, Need] = {need: need for need in NEEDS}
    for one in states.split():
        to = one if state == "=" else state
        wanted = tuple(meant[need] for need in needs.split())
        yield Transition(step, zh, "" if one == "-" else one, to, tuple(known[r] for r in roles.split()), wanted, clock)


TRANSITIONS: tuple[Transition, ...] = (
    *_from("-", "report", "上报", "reported", "resident grid_worker dispatcher department_handler"),
    *_from("reported", "settle_on_spot", "就地处置", "closed", "grid_worker", "reason"),
    *_from("reported", "accept", "受理", "accepted", "dispatcher", clock="starts"),
    *_from("reported", "refuse", "不予受理", "refused", "dispatcher", "reason"),
    *_from("refused", "reconsider", "复核", "reported", "dispatcher", "reason"),
    *_from("accepted", "dispatch", "派遣", "dispatched", "dispatcher", "department", "goes on"),
    *_from("accepted", "dismiss", "不派遣结案", "closed", "dispatcher", "outcome reason fresh", "ends"),
    *_from("dispatched", "take_on", "接收", "handling", "department_handler", "own"),
    *_from("dispatched handling", "return", "退回", "accepted", "department_handler", "reason own", "stops"),
    *_from("handling", "suspend", "缓办", "suspended", "department_handler dispatcher", "reason until own", "stops"),
    *_from("suspended", "resume", "恢复办理", "handling", "department_handler dispatcher", "own", "goes on"),
    *_from("dispatched handling", "extend", "延期", "=", "dispatcher", "reason until", "is put off"),
    *_from("handling", "finish", "反馈", "handled", "department_handler", "reason own"),
    *_from("handled", "pass", "核查通过", "checked", "case_officer grid_worker", "other_hand"),
    *_from("handled", "rework", "返工", "handling", "case_officer grid_worker", "reason other_hand"),
    *_from("checked", "close", "结案", "closed", "dispatcher", "outcome", "ends"),
    *_from(
        "reported accepted dispatched handling suspended", "merge", "并案", "closed", "dispatcher", "original", "ends"
    ),
    *_from("reported accepted dispatched", "withdraw", "撤回", "closed", "resident dispatcher", "reason own", "ends"),
    *_from("closed", "reopen", "重新办理", "accepted", "dispatcher", "reason", "starts"),
)
"""Every allowed transition, in the order of the closed loop. What is not here cannot happen."""

OPEN_STATES = ("reported", "accepted", "dispatched", "handling", "suspended", "handled", "checked")
"""States of a case that is neither refused nor closed."""


def steps() -> tuple[str, ...]:
    """Names of all steps, in the order of the closed loop."""
    return tuple(dict.fromkeys(t.step for t in TRANSITIONS))


def find(step: str, from_state: str) -> Transition | None:
    """Find the transition a step makes from a state; None when the step cannot be taken there."""
    return next((t for t in TRANSITIONS if t.step == step and t.from_state == from_state), None)


def allowed(state: str, role: str) -> tuple[Transition, ...]:
    """List the transitions a role may make from a state: what a case page offers, and nothing else."""
    return tuple(t for t in TRANSITIONS if t.from_state == state and role in t.roles)


def markdown(transitions: Iterable[Transition] = TRANSITIONS) -> str:
    """Write the table as Markdown, a row for each transition, as it stands in the documentation."""
    head = ["| from | step | | to | who may | needs | clock |", "|---|---|---|---|---|---|---|"]
    rows = [
        f"| {t.from_state or '–'} | `{t.step}` | {t.zh} | {t.state} | {', '.join(t.roles)}"
        f" | {', '.join(t.needs) or '–'} | {t.clock or '–'} |"
        for t in transitions
    ]
    return "\n".join([*head, *rows])


def mermaid(transitions: Iterable[Transition] = TRANSITIONS) -> str:
    """Draw the table as a Mermaid state diagram; steps between the same two states share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for t in transitions:
        arrows.setdefault((t.from_state or "[*]", t.state), []).append(t.step)
    lines = [f"    {a} --> {b}: {', '.join(steps)}" for (a, b), steps in arrows.items()]
    return "\n".join(["stateDiagram-v2", *lines, "    closed --> [*]", "    refused --> [*]"])
