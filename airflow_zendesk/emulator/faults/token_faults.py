"""Token faults: they change the state of access tokens before a request is answered."""

from airflow_zendesk.emulator.authenticator import Authenticator


def tokens_revoked(authenticator: Authenticator) -> None:
    """All issued tokens are revoked: a request with one gets a 401, and the client can request a new token."""
    authenticator.revoke_issued_tokens()
