"""Keys of `emergency.toml`, and of the table that names some of the people by the cells of a breakdown."""

from __future__ import annotations

from layers.declare.emergency_records import Care, Emergency, Sought
from layers.declare.kinds import Each, Key, ListOf, NameOf, Plain, Shape
from layers.declare.records import Part, Text
from layers.declare.values import NAME, a_text, whole

_CATEGORY = Plain("a category of categories.toml", '"school"', lambda value: isinstance(value, str))
_NAME = Shape(
    "a text in both languages",
    (Key("zh", a_text("学校"), needed=True), Key("en", a_text("Schools"), needed=True)),
    lambda name, values: Text(**values),
)

TARGET = Shape(
    "a target",
    (Key("without", ListOf(a_text("closed")), default=()), Key("show", ListOf(NAME), default=())),
    lambda name, values: Sought(name, **values),
)

RESOURCE = Shape(
    "a resource",
    (*TARGET.keys, Key("nearest", whole(1, 50, 5), default=5)),
    lambda name, values: Sought(name, **values),
)

PART = Shape(
    "[people]",
    (
        Key("breakdown", NameOf("breakdowns", '"sex_age"'), needed=True),
        Key("cells", ListOf(a_text("female.80")), needed=True),
    ),
    lambda name, values: Part(**values),
)

CARE = Shape(
    "a care group",
    (
        Key("name", _NAME, needed=True),
        *PART.keys,
    ),
    lambda name, values: Care(name, **values),
)

EMERGENCY = Shape(
    "emergency.toml",
    (
        Key("protected", Each(TARGET, _CATEGORY), default={}),
        Key("resources", Each(RESOURCE, _CATEGORY), default={}),
        Key("care", Each(CARE, NAME), default={}),
        Key("workers", ListOf(NameOf("datasets", '"grid_worker"')), default=()),
        Key("contacts", ListOf(NameOf("datasets", '"duty_officer"')), default=()),
    ),
    lambda name, values: Emergency(**{key: one if one is not None else {} for key, one in values.items()}),
)
