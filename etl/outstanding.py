"""Outstanding: refused rows that wait for a correction, and how a delivery settles them.

A row is found again by its key; where it has none, by all of it but the offending field; and in a correction by its
number in the quarantine. What leaves is kept, with the delivery by which it left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.copying import Connection
from etl.keys import among
from etl.masks import flags
from etl.quarantine import row_hashes
from etl.shape import Shaped
from layers.declare.records import Dataset
from layers.seal import Sealer

_OPEN_RESTS = """
select field, array_agg(rest_hash order by rest_hash) from raw.quarantine
where dataset = %s and resolved_at is null and rest_hash is not null and (source_key is null or %s) group by field
"""

_REFUSED_AGAIN = """
with pairs as (
    select o.id as old_id, n.id as new_id, o.open_since from raw.quarantine n join raw.quarantine o
        on o.dataset = n.dataset and o.source_key = n.source_key
    where n.delivery_id = %(delivery)s and o.delivery_id <> n.delivery_id and o.resolved_at is null
    union
    select o.id, n.id, o.open_since from raw.quarantine n join raw.quarantine o
        on o.dataset = n.dataset and o.row_hash = n.row_hash
    where n.delivery_id = %(delivery)s and o.delivery_id <> n.delivery_id and o.resolved_at is null
    union
    select o.id, n.id, o.open_since from raw.quarantine n join raw.quarantine o
        on o.dataset = n.dataset and o.rest_hash = n.rest_hash and o.field = n.field
    where n.delivery_id = %(delivery)s and o.delivery_id <> n.delivery_id and o.resolved_at is null
        and o.source_key is null and n.source_key is null
    union
    select o.id, n.id, o.open_since from unnest(%(ids)s::bigint[], %(lines)s::int[]) as asked (id, line)
        join raw.quarantine o on o.id = asked.id and o.dataset = %(dataset)s and o.resolved_at is null
        join raw.quarantine n on n.delivery_id = %(delivery)s and n.line = asked.line
    where o.delivery_id <> n.delivery_id
), since as (
    update raw.quarantine q set open_since = least(q.open_since, p.since)
    from (select new_id, min(open_since) as since from pairs group by new_id) as p where q.id = p.new_id
)
update raw.quarantine q set resolved_at = %(now)s, resolved_by = %(delivery)s, resolution = 'refused_again'
where q.id in (select old_id from pairs)
"""

_LOADED = """
update raw.quarantine q set resolved_at = %(now)s, resolved_by = %(delivery)s, resolution = 'loaded'
where q.dataset = %(dataset)s and q.resolved_at is null and q.delivery_id <> %(delivery)s and (
    q.id = any(%(good_ids)s::bigint[])
    or q.source_key = any(%(good_keys)s::text[]) and not exists (
        select from raw.source_registry r
        where r.dataset = q.dataset and r.source_key = q.source_key and r.updated_at < q.version_at
    )
    or q.id in (
        select o.id from (
            select id, field, rest_hash, row_number() over (partition by field, rest_hash order by id) as nth
            from raw.quarantine
            where dataset = %(dataset)s and resolved_at is null and delivery_id <> %(delivery)s
                and rest_hash is not null and (source_key is null or %(is_whole_row)s)
        ) as o
        join (
            select field, rest_hash, count(*) as n
            from unnest(%(fields)s::text[], %(rests)s::bigint[]) as one (field, rest_hash) group by 1, 2
        ) as good on good.field = o.field and good.rest_hash = o.rest_hash and o.nth <= good.n
    )
)
"""

# Without it the planner takes a delivery's thousands of refused rows for a few, and compares each with all others.
_ANALYSE = """
select ops.analyse(array['raw.quarantine'::regclass])
where (select count(*) from raw.quarantine where delivery_id = %(delivery)s) >= 1000
"""

_OUTDATED = """
update raw.quarantine q set resolved_at = %(now)s, resolved_by = %(delivery)s, resolution = 'outdated'
from raw.source_registry r
where q.delivery_id = %(delivery)s and q.resolved_at is null
    and r.dataset = q.dataset and r.source_key = q.source_key and r.updated_at > q.version_at
"""

_WITHDRAWN = """
update raw.quarantine q set resolved_at = %(now)s, resolved_by = %(delivery)s, resolution = 'withdrawn'
where q.dataset = %(dataset)s and q.resolved_at is null and q.delivery_id <> %(delivery)s
    and not exists (select from called c where c.source_key = q.source_key)
"""


@dataclass(frozen=True)
class Outstanding:
    """What is open of a dataset: keys, and hashes of rows without their offending field, sorted, by that field."""

    keys: pa.Array
    rests: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Called:
    """What a batch says of rows known or refused before: all its keys, refused rows' too.

    `matched` has the good keys that are outstanding, `rests` the hashes found again by the field left out, `good_ids`
    and `refused_ids` the numbers of the quarantine a correction answers, the latter with their lines.
    """

    keys: pa.Array
    matched: pa.Array
    rests: Mapping[str, np.ndarray]
    good_ids: np.ndarray
    refused_ids: tuple[np.ndarray, np.ndarray]


def read_outstanding(connection: Connection, dataset: Dataset) -> Outstanding:
    """Read what is open of a dataset."""
    keys = connection.execute(
        "select array_agg(distinct source_key) from raw.quarantine"
        " where dataset = %s and resolved_at is null and source_key is not null",
        [dataset.key],
    ).fetchone()
    rests = connection.execute(_OPEN_RESTS, [dataset.key, dataset.row_key == ("*",)]).fetchall()
    return Outstanding(
        pa.array((keys[0] if keys else None) or [], pa.string()),
        {name: np.sort(np.array(hashes, np.int64).view(np.uint64)) for name, hashes in rests if name},
    )


def call(
    shaped: Shaped, keys: pa.Array, fresh: np.ndarray, answers: np.ndarray | None, open_: Outstanding, sealer: Sealer
) -> Called:
    """Compare a batch, all its refusals known, with what is outstanding; `fresh` marks good rows not loaded before."""
    good = ~shaped.refusals.bad
    matched = keys.filter(pa.array(good & flags(pc.is_in(keys, open_.keys)))) if len(open_.keys) else keys.slice(0, 0)
    rests = {}
    at = pa.array(np.flatnonzero(fresh))
    text = {heading: values.take(at) for heading, values in shaped.text.items()} if open_.rests else {}
    for heading, known in open_.rests.items():
        hashes = row_hashes(text, sealer, heading)
        rests[heading] = hashes[among(hashes, known)]
    ids = np.zeros(shaped.n, np.int64) if answers is None else answers
    bad = ~good & (ids > 0)
    return Called(keys, matched, rests, ids[good & (ids > 0)], (ids[bad], shaped.lines[bad]))


@dataclass
class Settlement:
    """Everything one delivery says of outstanding rows, gathered batch by batch."""

    keys: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    rests: list[int] = field(default_factory=list)
    good_ids: list[int] = field(default_factory=list)
    refused: list[tuple[int, int]] = field(default_factory=list)

    def add(self, called: Called) -> None:
        """Take in one batch."""
        self.keys += called.matched.to_pylist()
        for heading, hashes in called.rests.items():
            self.fields += [heading] * len(hashes)
            self.rests += hashes.view(np.int64).tolist()
        self.good_ids += called.good_ids.tolist()
        self.refused += list(zip(called.refused_ids[0].tolist(), called.refused_ids[1].tolist(), strict=True))

    def settle(
        self, connection: Connection, dataset: Dataset, delivery_id: int, now: datetime, *, is_whole: bool
    ) -> dict[str, int]:
        """Let rows leave the quarantine in the transaction under way; return how many, by how they left.

        With `is_whole` the keys of the delivery are in the table `called` (`etl.gone.RollCall`): what a delivery of
        the whole no longer has is withdrawn.
        """
        values: dict[str, Any] = {
            "dataset": dataset.key,
            "delivery": delivery_id,
            "now": now,
            "good_keys": self.keys,
            "fields": self.fields,
            "rests": self.rests,
            "good_ids": self.good_ids,
            "ids": [one for one, _ in self.refused],
            "lines": [line for _, line in self.refused],
            "is_whole_row": dataset.row_key == ("*",),
        }
        steps = {"refused_again": _REFUSED_AGAIN, "loaded": _LOADED, "outdated": _OUTDATED}
        if is_whole:
            steps["withdrawn"] = _WITHDRAWN
        connection.execute(_ANALYSE, values)
        left = {name: connection.execute(query.encode(), values).rowcount for name, query in steps.items()}
        return {name: n for name, n in left.items() if n}
