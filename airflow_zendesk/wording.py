"""The wording of counts in messages."""


def counted(count: int, noun: str) -> str:
    """A count and its noun, given in the singular: ``1 page``, ``2,000 pages``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
