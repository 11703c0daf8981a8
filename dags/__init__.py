"""Examples to use or to copy; docs/scheduling.md describes them."""
