"""GeoAlchemy2 models of everything the map keeps, one module per family of tables."""

from layers.tables.base import SCHEMAS, SRID, Base, metadata, row_id
from layers.tables.cases import UNITS, Promise, Transition
from layers.tables.elements import (
    FormerGrid,
    GridWorker,
    Identity,
    Link,
    Measure,
    Organisation,
    Person,
    Place,
    Reading,
    Thing,
    Visit,
)
from layers.tables.events import OUTCOMES, STATES, Event, EventStep
from layers.tables.grids import LEVELS, CategoryNumber, DatasetNumber, Edition, Grid, GridShape, Succession
from layers.tables.ledger import RESOLUTIONS, Delivery, HeldIndex, Quarantine, SourceRegistry
from layers.tables.past import Past, SealedPast
from layers.tables.tallies import (
    CarriedTally,
    PeopleCount,
    SealedTallyLargeMonth,
    SealedTallyMediumDay,
    SealedTallySmallMonth,
    TallyLargeMonth,
    TallyMediumDay,
    TallySmallMonth,
)

__all__ = [
    "LEVELS",
    "OUTCOMES",
    "RESOLUTIONS",
    "SCHEMAS",
    "SRID",
    "STATES",
    "UNITS",
    "Base",
    "CarriedTally",
    "CategoryNumber",
    "DatasetNumber",
    "Delivery",
    "Edition",
    "Event",
    "EventStep",
    "FormerGrid",
    "Grid",
    "GridShape",
    "GridWorker",
    "HeldIndex",
    "Identity",
    "Link",
    "Measure",
    "Organisation",
    "Past",
    "PeopleCount",
    "Person",
    "Place",
    "Promise",
    "Quarantine",
    "Reading",
    "SealedPast",
    "SealedTallyLargeMonth",
    "SealedTallyMediumDay",
    "SealedTallySmallMonth",
    "SourceRegistry",
    "Succession",
    "TallyLargeMonth",
    "TallyMediumDay",
    "TallySmallMonth",
    "Thing",
    "Transition",
    "Visit",
    "metadata",
    "row_id",
]
