"""What the map knows, and how to ask for it."""
