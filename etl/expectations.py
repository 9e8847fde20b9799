"""What a whole delivery must keep: rows, faulty rows, columns filled in, and no sudden drop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from etl.copying import Connection
from etl.report import DeliveryReport
from layers.declare.records import Dataset
from layers.errors import DeliveryError

_LAST = """
select n_read, loaded_at from raw.delivery
where dataset = %s and id < %s and not coalesce(report -> 'notes' ? 'by_request', false)
    and (%s = 'changes' or declaration ->> 'delivery' = 'full')
order by id desc limit 1
"""

DROP_OF_WHOLE = 0.2
"""Share of rows by which a delivery of the whole may fall short of the last, where nothing else is declared."""


@dataclass(frozen=True)
class Unmet:
    """An expectation that a delivery does not keep: what was found, and what to do about it."""

    says: str
    hint: str


def keep_expectations(
    connection: Connection, dataset: Dataset, delivery_id: int, report: DeliveryReport, accepted_by: str | None
) -> None:
    """Refuse a delivery that does not keep what its dataset expects, unless somebody answers for it.

    Who accepted it, and in spite of what, goes into the report.

    Raises
    ------
    DeliveryError
        Something is not kept and `accepted_by` is None.
    """
    unmet = [*_of_rows(dataset, report), *_of_last(connection, dataset, delivery_id, report)]
    unmet += [*_of_fill(dataset, report), *_of_faults(dataset, report)]
    if not unmet:
        return
    if accepted_by is not None:
        report.accepted = {"by": accepted_by, "in_spite_of": [one.says for one in unmet]}
        return
    hints = dict.fromkeys(one.hint for one in unmet)
    raise DeliveryError(
        " ".join(one.says for one in unmet),
        f"{' '.join(hints)} Nothing was loaded. To take it in as it is: `python -m etl run {dataset.key} --accept`.",
    )


def _of_rows(dataset: Dataset, report: DeliveryReport) -> Iterator[Unmet]:
    expect, n = dataset.expect, report.n_read
    if n < expect.rows_min or (expect.rows_max is not None and n > expect.rows_max):
        bounds = f"at least {expect.rows_min:,}" + (f" and at most {expect.rows_max:,}" if expect.rows_max else "")
        yield Unmet(
            f"{report.file} has {n:,} rows; {dataset.key} expects {bounds}.",
            "Ask the department whether the file is whole, or mend [expect] in the dataset's declaration.",
        )


def _of_last(connection: Connection, dataset: Dataset, delivery_id: int, report: DeliveryReport) -> Iterator[Unmet]:
    most = dataset.expect.drop_share_max
    if most is None and dataset.delivery == "full":
        most = DROP_OF_WHOLE
    if most is None:
        return
    last = connection.execute(_LAST, [dataset.key, delivery_id, dataset.delivery]).fetchone()
    if last is None or report.n_read >= last[0] * (1 - most):
        return
    yield Unmet(
        f"{report.file} has {report.n_read:,} rows, {1 - report.n_read / last[0]:.0%} fewer than the {last[0]:,} of "
        f"{last[1]:%Y-%m-%d}; a drop of at most {most:.0%} is expected.",
        "Ask the department whether the file is whole.",
    )


def _of_fill(dataset: Dataset, report: DeliveryReport) -> Iterator[Unmet]:
    headings = {column.key: column.heading for column in dataset.columns}
    for key, (least, most) in dataset.expect.fill.items():
        share = report.filled.get(key, 0) / report.n_read if report.n_read else 0.0
        if not least <= share <= most:
            bounds = f"at least {least:.0%}" + (f" and at most {most:.0%}" if most < 1 else "")
            yield Unmet(
                f"{headings[key]} ({key}) is filled in {share:.1%} of the rows of {report.file}; {bounds} is expected.",
                "Ask the department what has become of that column.",
            )


def _of_faults(dataset: Dataset, report: DeliveryReport) -> Iterator[Unmet]:
    n, most = report.n_read, dataset.expect.quarantine_share_max
    share = report.n_quarantined / n if n else 0.0
    if share > most:
        worst = ", ".join(f"{reason} {count:,}" for reason, count in sorted(report.reasons.items()))
        yield Unmet(
            f"{report.n_quarantined:,} of {n:,} rows of {report.file} are faulty ({share:.0%}): {worst}; "
            f"at most {most:.0%} may be.",
            "Send it back to the department, or mend the declaration when it is that which is wrong.",
        )
