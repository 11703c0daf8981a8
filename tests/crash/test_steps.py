"""The steps at which tests stop and kill an export cover all of its code, and have stable names."""

from pathlib import Path

import pytest

from airflow_zendesk import dataset, export, storage
from airflow_zendesk.dataset import publish, settings, slice_file
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.storage import local, store
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.zendesk.resources import Query
from tests.support.crash.steps import Step, at, first_step_in, steps_of
from tests.support.slices import DAY


@pytest.mark.usefixtures("emulator")
def test_steps_cover_the_code_between_the_response_and_the_stored_object(tmp_path: Path) -> None:
    """A module that is moved to a folder without steps is noticed here. In version 0.1 an export had 319 steps."""
    steps = steps_of(lambda: export_window(ZendeskHook(), tmp_path.as_uri(), Query.of("ticket_events"), DAY))
    counts = {scope.__name__: sum(step.is_in(scope) for step in steps) for scope in (export, dataset, storage)}
    assert len(steps) >= 250, counts
    assert all(count >= 50 for count in counts.values()), counts
    for module in (slice_file, settings, publish, store, local):
        assert any(step.is_in(module) for step in steps), module


def test_step_is_named_by_its_function(tmp_path: Path) -> None:
    """And by the number of the line in it: edits elsewhere rename nothing."""
    store_ = LocalStore.__new__(LocalStore)
    store_._uri = tmp_path.as_uri()
    (step,) = steps_of(lambda: store_.uri("key"))
    assert Step("airflow_zendesk.storage.store", "Store.uri", 2) == step
    assert step.is_in(store.Store)
    assert step.is_in(LocalStore, store.Store.uri)
    assert not step.is_in(LocalStore, store.Store.open, dataset)
    assert 0 == first_step_in([step], store.Store.uri)


def test_exception_is_raised_at_the_step(tmp_path: Path) -> None:
    """Once; after that the step is passed."""
    store_ = LocalStore.__new__(LocalStore)
    store_._uri = tmp_path.as_uri()
    (step,) = steps_of(lambda: store_.uri("key"))

    def fail() -> None:
        raise KeyboardInterrupt

    with at(step, fail):
        with pytest.raises(KeyboardInterrupt):
            store_.uri("key")
        assert f"{tmp_path.as_uri()}/key" == store_.uri("key")
