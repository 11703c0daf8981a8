"""The age at which an event is exported.

Since October 2024, Zendesk withholds the events of the last minute before a request. Whether it adds events later than
that is unknown. Therefore a second is exported only when it is ``settle`` old by Zendesk's own clock.

Source: https://support.zendesk.com/hc/en-us/articles/8143500919322-Announcing-a-new-limit-for-the-Incremental-Export-API
"""

import math
from datetime import timedelta

#: The minute that Zendesk withholds, and a margin for clock differences and replication lag.
MIN_SETTLE = timedelta(seconds=60 + 30)
#: A cautious choice: no measurement has been published.
DEFAULT_SETTLE = timedelta(minutes=5)


def settle_seconds(settle: timedelta) -> int:
    """The settle time in whole seconds, rounded up and never below ``MIN_SETTLE``."""
    return math.ceil(max(settle, MIN_SETTLE).total_seconds())
