"""Checks of one dataset: do its keys fit its table, its files and each other.

A check is a function that yields (path, sentence) pairs; `CHECKS` says which keys of the file each looks at, so that
it is left out when one of those is broken already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from layers.declare.core_columns import CORE, NEEDED, reserved
from layers.declare.keys import GEOMETRIES
from layers.declare.lines import Path
from layers.declare.problems import either, nearest, quoted
from layers.declare.records import Catalog, Dataset

Said = Iterator[tuple[Path, str]]
Check = Callable[[Dataset, Catalog], Said]

_CLOSING = {"level": ("grid",), "of_dataset": ("event_step", "reading")}
_WITH_CATEGORY = ("event", "place", "thing", "organisation")
_WORKBOOKS = ("xlsx", "xls", "ods")
_OWNERS = {"event_step": "event", "reading": "thing"}


def keys_fit_the_table(dataset: Dataset, catalog: Catalog) -> Said:
    """`level`, `of_dataset` and `category` stand exactly where the table asks for them."""
    for key, tables in _CLOSING.items():
        given = getattr(dataset, key) is not None
        if given and dataset.table not in tables:
            yield (key,), f"{key} is for datasets of {either(tables)} only; take it out."
        elif not given and dataset.table in tables:
            example = '"small"' if key == "level" else '"grid_event"'
            yield (key,), f"a dataset of {dataset.table} needs {key}; add {key} = {example}."
    if dataset.delivery == "full" and dataset.table in _OWNERS:
        yield ("delivery",), f'rows of {dataset.table} are added, never taken away; take delivery = "full" out.'
    if dataset.category is not None and dataset.table not in _WITH_CATEGORY:
        yield ("category",), f"rows of {dataset.table} have no category; take it out."


def owner_is_of_the_right_table(dataset: Dataset, catalog: Catalog) -> Said:
    """Steps belong to events, readings to things."""
    owner, wanted = catalog.datasets.get(dataset.of_dataset or ""), _OWNERS.get(dataset.table)
    if owner and wanted and owner.table != wanted:
        yield (
            ("of_dataset",),
            f"{dataset.table} rows belong to a dataset of {wanted}, but {owner.key} is one of {owner.table}; "
            f"name a dataset with table = {quoted(wanted)}.",
        )


def category_is_of_the_table(dataset: Dataset, catalog: Catalog) -> Said:
    """The one category of all rows is a category of the dataset's table, and no column says otherwise."""
    category = catalog.categories.get(dataset.category or "")
    if category and category.table != dataset.table and dataset.table in _WITH_CATEGORY:
        fitting = [c.key for c in catalog.categories.values() if c.table == dataset.table]
        yield (
            ("category",),
            f"category {quoted(category.key)} is one of {category.table}, not of {dataset.table}; "
            f"{nearest(category.key, fitting)}",
        )
    if dataset.category and any(column.key == "category" for column in dataset.columns):
        yield ("category",), "category is given for all rows and as a column too; keep one of them."


def households_are_sensitive(dataset: Dataset, catalog: Catalog) -> Said:
    """The category of households is sensitive: a household is people under another name, and counted like them."""
    category = catalog.categories.get(dataset.category or "")
    if category and category.key == "household" and not category.sensitive:
        says = "households are people under another name, told by published breakdowns alone"
        yield ("category",), f"{says}; write sensitive = true at household in categories.toml."


def channel_is_of_one_dataset(dataset: Dataset, catalog: Catalog) -> Said:
    """A channel is for events that come as changes, said once, and of no other dataset."""
    if dataset.channel is None:
        return
    if dataset.table != "event":
        yield ("channel",), "channel is for datasets of event only; take it out."
    if dataset.delivery == "full":
        says = "what comes by a channel may have come by a key, which a whole delivery would take away"
        yield ("delivery",), f'{says}; take delivery = "full" or channel out.'
    if any(column.key == "channel" for column in dataset.columns):
        yield ("channel",), "channel is given for all rows and as a column too; keep one of them."
    if dataset.channel in ("open311", *(one.channel for one in catalog.datasets.values() if one.key != dataset.key)):
        yield ("channel",), f"the channel {quoted(dataset.channel)} is taken; every channel leads into one dataset."


def core_columns_are_there(dataset: Dataset, catalog: Catalog) -> Said:
    """The columns a row of the table cannot do without are declared."""
    keys = {column.key for column in dataset.columns}
    for key in NEEDED.get(dataset.table, ()):
        if key not in keys:
            example = f'{key} = {{ from = "…", type = {quoted(CORE[dataset.table][key][0])}, required = true }}'
            yield ("columns",), f"a dataset of {dataset.table} needs a column {key}; add {example} to [columns]."
    if dataset.table == "event" and dataset.category is None and "category" not in keys:
        yield (
            ("columns",),
            'events need a category; add category = "…" above [source] for all rows, or a column category = '
            '{ from = "…", type = "category", required = true }.',
        )


def row_key_is_of_columns(dataset: Dataset, catalog: Catalog) -> Said:
    """The key of a row is made of declared columns, or is `*`, the whole row."""
    keys = [column.key for column in dataset.columns]
    for i, key in enumerate(dataset.row_key):
        if key == "*" and len(dataset.row_key) > 1:
            yield ("row_key", i), 'row_key mixes "*", the whole row, with columns; keep one or the other.'
        elif key != "*" and key not in keys:
            says = f"row_key names {quoted(key)}, which is no column of this dataset"
            yield ("row_key", i), f"{says}; {nearest(key, [*keys, '*'])}"


def coordinates_have_a_crs(dataset: Dataset, catalog: Catalog) -> Said:
    """Where coordinates are delivered their crs is said; lon and lat come together, and only without a geometry."""
    source = dataset.source
    if source.format in GEOMETRIES:
        for key in ("lon", "lat"):
            if getattr(source, key) is not None:
                yield ("source", key), f"{source.format} files have a geometry of their own; take {key} out."
        if source.crs is None:
            yield ("source", "crs"), 'the geometry needs a crs; ask the department for it and add crs = "EPSG:…".'
        return
    if dataset.table == "grid":
        says = f"grids are areas, which a {source.format} file cannot hold"
        yield ("source", "format"), f"{says}; use {either(GEOMETRIES)}."
    elif (source.lon is None) != (source.lat is None):
        absent = "lon" if source.lon is None else "lat"
        yield ("source",), f"lon and lat come together; add {absent} = the heading of the other coordinate."
    elif source.lon is None and source.crs is not None:
        yield ("source", "crs"), "crs is given but no coordinates; name their headings by lon and lat, or take crs out."
    elif source.lon is not None and source.crs is None:
        yield ("source", "crs"), 'the coordinates need a crs; ask the department for it and add crs = "EPSG:…".'


def datum_is_for_an_old_crs(dataset: Dataset, catalog: Catalog) -> Said:
    """Parameters of a county go with a system that has an EPSG number."""
    source = dataset.source
    if source.datum is not None and not (source.crs or "").startswith("EPSG:"):
        yield ("source", "datum"), 'datum goes with crs = "EPSG:…" on an old datum; take it out, or mend crs.'


def source_keys_fit_the_format(dataset: Dataset, catalog: Catalog) -> Said:
    """`layer`, `sheet`, `header_row` and `encoding` are given only for formats that have such a thing."""
    source = dataset.source
    for key, given, formats in (
        ("layer", source.layer is not None, ("geopackage", "kml")),
        ("sheet", source.sheet is not None, _WORKBOOKS),
        ("header_row", source.header_row is not None, ("csv", *_WORKBOOKS)),
        ("encoding", source.encoding is not None, ("csv", "shapefile")),
    ):
        if given and source.format not in formats:
            yield ("source", key), f"{key} is for {either(formats)} only; take it out of a {source.format} source."
    if source.encoding is not None:
        try:
            "".encode(source.encoding)
        except LookupError:
            known = ("gb18030", "utf-8", "utf-8-sig")
            yield (
                ("source", "encoding"),
                f"nobody knows the encoding {quoted(source.encoding)}; use {either(known)}, or leave it out to have it "
                f"found.",
            )


def columns_are_free_to_declare(dataset: Dataset, catalog: Catalog) -> Said:
    """No column is called like one the loader fills itself, and core columns have the type of their table."""
    core, taken = CORE[dataset.table], reserved(dataset.table)
    for column in dataset.columns:
        if column.key in taken:
            yield (
                ("columns", column.key),
                f"{quoted(column.key)} is a column the loader fills itself; call yours differently, for example "
                f"{quoted(f'source_{column.key}')}.",
            )
        elif column.key in core and column.type not in core[column.key]:
            yield (
                ("columns", column.key, "type"),
                f"{column.key} of {dataset.table} must have type {either(core[column.key])}, not "
                f"{quoted(column.type)}; change the type, or call the column differently.",
            )


CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (keys_fit_the_table, ("table", "level", "of_dataset", "category")),
    (owner_is_of_the_right_table, ("table", "of_dataset")),
    (category_is_of_the_table, ("table", "category")),
    (households_are_sensitive, ("category",)),
    (channel_is_of_one_dataset, ("table", "channel", "delivery")),
    (core_columns_are_there, ("table", "columns", "category")),
    (row_key_is_of_columns, ("row_key", "columns")),
    (coordinates_have_a_crs, ("table", "source")),
    (datum_is_for_an_old_crs, ("source",)),
    (source_keys_fit_the_format, ("source",)),
    (columns_are_free_to_declare, ("table",)),
)
"""Every check of a dataset, with the keys it looks at; columns that are broken are not among those it sees."""
