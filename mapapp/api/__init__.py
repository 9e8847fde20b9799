"""Plain routes beside the pages: tiles, the map engine's files, health."""
