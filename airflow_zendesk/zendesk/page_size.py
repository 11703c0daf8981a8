"""How many records to request per page: fewer after a page failed, then step by step back to Zendesk's maximum.

Zendesk's documentation recommends "progressively backing-off on the per_page parameter" after a timeout:
https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

#: "Up to a maximum of 1,000", which is also Zendesk's default.
MAX_PER_PAGE = 1_000
#: The most pages of a reduced size that must succeed before a larger size is tried.
_MAX_PAGES_BEFORE_RECOVERY = 32


class PageSize:
    """The ``per_page`` of the next request of a sweep.

    A reduced size is doubled again after enough pages succeeded. Each further page that needs a reduced size doubles
    that number of pages.
    """

    def __init__(self, maximum: int = MAX_PER_PAGE) -> None:
        self.per_page = self._maximum = maximum
        self._pages = 0
        self._pages_before_recovery = 0
        self._reduced_at = -1

    def reduce(self, start_time: int) -> bool:
        """Halve the size for the page at ``start_time``; False if it is one record already."""
        if self.per_page == 1:
            return False
        self.per_page //= 2
        self._pages = 0
        if start_time != self._reduced_at:
            self._reduced_at = start_time
            self._pages_before_recovery = min(max(1, 2 * self._pages_before_recovery), _MAX_PAGES_BEFORE_RECOVERY)
        return True

    def recover(self) -> None:
        """Count a page that succeeded, and double the size if there were enough of them."""
        if self.per_page == self._maximum:
            self._pages_before_recovery = 0
        self._pages += 1
        if self._pages >= self._pages_before_recovery:
            self.per_page, self._pages = min(self.per_page * 2, self._maximum), 0
