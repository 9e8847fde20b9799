"""What lies under the grids: our own polygons alone, or by setting a map of others that only the server asks for."""
