"""Faults of the access: what is done to the credentials before a request is answered."""

from airflow_zendesk.emulator.access import Door


def tokens_revoked(door: Door) -> None:
    """All minted tokens are revoked: whoever comes with one is answered 401, and can mint another."""
    door.revoke()
