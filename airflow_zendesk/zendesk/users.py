"""The user that the credentials belong to.

Source: https://developer.zendesk.com/api-reference/ticketing/users/users/#show-self
"""

import msgspec

CURRENT_USER_PATH = "/api/v2/users/me"


class User(msgspec.Struct):
    """The current user. For wrong credentials, Zendesk returns 200 with an anonymous user, whose id is null."""

    id: int | None = None
    role: str | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether Zendesk did not accept the credentials."""
        return self.id is None

    @property
    def is_admin(self) -> bool:
        """Whether the user is an administrator, as Zendesk's documentation requires for incremental exports."""
        return self.role == "admin"


class _Envelope(msgspec.Struct):
    user: User


def read_user(body: bytes) -> User:
    """Parse the body of a response from ``CURRENT_USER_PATH``.

    Raises:
        ValueError: the body does not have that form.
    """
    return msgspec.json.decode(body, type=_Envelope).user
