"""Export a list as it is now: one slice with all its objects, for the day that Zendesk's clock shows."""

from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime, timedelta

from airflow_zendesk.dataset.layout import parse_slice_key
from airflow_zendesk.dataset.publish import PublishResult, publish, stored_footer
from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.slice_file import END_OF_LIST, Certificate, SealedSlice, SliceWriter
from airflow_zendesk.exceptions import ShrinkRefusedError
from airflow_zendesk.export.extract import ExtractedPage, write_records
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.storage.store import Store, Version
from airflow_zendesk.window import Slice
from airflow_zendesk.zendesk.redaction import Redactor


def take_snapshot(
    hook: ZendeskHook, settings: DatasetSettings, on_page: Callable[[ExtractedPage], None] = lambda _: None
) -> Generator[SealedSlice, None, None]:
    """Read a list, and yield its slice, which is valid until the generator is closed.

    The time of every row is the start of the day, so an equal list makes an equal slice all day.
    """
    query = settings.query()
    redactor = Redactor(query.privacy, hook.connection_settings.hash_key)
    writer: SliceWriter | None = None
    duplicates = 0
    try:
        for page in hook.iter_list(query):
            if writer is None:
                writer = SliceWriter(settings, _day(page.server_date))
            time = writer.slice.start_time * 1_000_000
            extracted = ExtractedPage(page=page)
            duplicates += page.anomalies.duplicates
            write_records(writer, redactor, [record._replace(timestamp=time) for record in page.records], extracted)
            on_page(extracted)
        assert writer is not None
        yield writer.seal(Certificate(END_OF_LIST, None, writer.slice.start_time), duplicates)
    finally:
        if writer is not None:
            writer.close()


def publish_snapshot(
    store: Store, settings: DatasetSettings, sealed: SealedSlice, stored: Mapping[str, Version], *, allow_shrink: bool
) -> PublishResult:
    """Publish the slice of a list, in place of an earlier one of the same day.

    ``stored`` has the versions of all slices, as they were before the first request.

    Raises:
        ShrinkRefusedError: it has at most half of the objects of the newest stored snapshot.
        ZendeskError: as ``publish``.
    """
    keys = sorted(key for key in stored if parse_slice_key(key) and key <= sealed.key)
    if keys and not allow_shrink:
        before, now = stored_footer(store, keys[-1]).rows, sealed.footer.rows
        # A list of two may lose one.
        if 2 * now <= before and (before - now > 1 or not now):
            raise ShrinkRefusedError(store.uri(keys[-1]), before, now, before - now)
    # An object that was deleted is missing in the list, unlike an event in its slice.
    return publish(store, settings, sealed, stored.get(sealed.key), allow_shrink=True)


def _day(second: int) -> Slice:
    start = datetime.fromtimestamp(second, UTC).replace(hour=0, minute=0, second=0)
    return Slice(start, start + timedelta(days=1))
