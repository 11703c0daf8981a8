"""Who the credentials belong to.

Source: https://developer.zendesk.com/api-reference/ticketing/users/users/#show-self
"""

import msgspec

CURRENT_USER_PATH = "/api/v2/users/me"


class User(msgspec.Struct):
    """The user that Zendesk takes us for; wrong credentials are taken for an anonymous one, with status 200."""

    id: int | None = None
    role: str | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether Zendesk did not recognise the credentials."""
        return self.id is None

    @property
    def is_admin(self) -> bool:
        """Whether the user may use the incremental exports by Zendesk's documentation."""
        return self.role == "admin"


class _Envelope(msgspec.Struct):
    user: User


def read_user(body: bytes) -> User:
    """The user in an answer of ``CURRENT_USER_PATH``.

    Raises:
        ValueError: the body is no such answer.
    """
    return msgspec.json.decode(body, type=_Envelope).user
