"""How old an event must be before an export can rely on having seen it.

Since October 2024 Zendesk withholds the events of the minute before the request, and whether events surface later than
that is not known; so a second counts as covered only when it is ``settle`` old by the server's own clock.

Source: https://support.zendesk.com/hc/en-us/articles/8143500919322-Announcing-a-new-limit-for-the-Incremental-Export-API
"""

import math
from datetime import timedelta

#: The minute that Zendesk withholds, and a margin for clocks and copies that lag.
MIN_SETTLE = timedelta(seconds=60 + 30)
#: Five minutes are a choice: nobody has published a measurement.
DEFAULT_SETTLE = timedelta(minutes=5)


def settle_seconds(settle: timedelta) -> int:
    """The settling time that is kept, in whole seconds, whatever is asked for."""
    return math.ceil(max(settle, MIN_SETTLE).total_seconds())
