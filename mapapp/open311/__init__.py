"""Open311 GeoReport v2: the map as a server that other systems report to and follow."""
