"""GeoAlchemy2 models of everything the map keeps, one module per family of tables."""

from layers.tables.accounts import Account, Analyst, Pairing, Session
from layers.tables.audit import KINDS, Entry, Seal
from layers.tables.base import SCHEMAS, SRID, Base, metadata, row_id
from layers.tables.calls import Call, ReportIn
from layers.tables.cases import UNITS, Promise, Transition, VisitBack
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
from layers.tables.ledger import RESOLUTIONS, Delivery, HeldIndex, Quarantine, Reform, SourceRegistry, Staging
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
    "KINDS",
    "LEVELS",
    "OUTCOMES",
    "RESOLUTIONS",
    "SCHEMAS",
    "SRID",
    "STATES",
    "UNITS",
    "Account",
    "Analyst",
    "Base",
    "Call",
    "CarriedTally",
    "CategoryNumber",
    "DatasetNumber",
    "Delivery",
    "Edition",
    "Entry",
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
    "Pairing",
    "Past",
    "PeopleCount",
    "Person",
    "Place",
    "Promise",
    "Quarantine",
    "Reading",
    "Reform",
    "ReportIn",
    "Seal",
    "SealedPast",
    "SealedTallyLargeMonth",
    "SealedTallyMediumDay",
    "SealedTallySmallMonth",
    "Session",
    "SourceRegistry",
    "Staging",
    "Succession",
    "TallyLargeMonth",
    "TallyMediumDay",
    "TallySmallMonth",
    "Thing",
    "Transition",
    "Visit",
    "VisitBack",
    "metadata",
    "row_id",
]
