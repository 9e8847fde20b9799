"""GeoAlchemy2 models of everything the map keeps, one module per family of tables."""

from layers.tables.base import SCHEMAS, SRID, Base, metadata, row_id
from layers.tables.elements import (
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
from layers.tables.ledger import Delivery, HeldIndex, Quarantine, SourceRegistry
from layers.tables.tallies import (
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
    "SCHEMAS",
    "SRID",
    "STATES",
    "Base",
    "CategoryNumber",
    "DatasetNumber",
    "Delivery",
    "Edition",
    "Event",
    "EventStep",
    "Grid",
    "GridShape",
    "GridWorker",
    "HeldIndex",
    "Identity",
    "Link",
    "Measure",
    "Organisation",
    "PeopleCount",
    "Person",
    "Place",
    "Quarantine",
    "Reading",
    "SealedTallyLargeMonth",
    "SealedTallyMediumDay",
    "SealedTallySmallMonth",
    "SourceRegistry",
    "Succession",
    "TallyLargeMonth",
    "TallyMediumDay",
    "TallySmallMonth",
    "Thing",
    "Visit",
    "metadata",
    "row_id",
]
