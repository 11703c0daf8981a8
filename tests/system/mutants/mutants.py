"""Mistakes that exporters make. Each is made on purpose in a copy of the package, and the named test must fail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airflow_zendesk.dataset.publish import _publish
from airflow_zendesk.export.run import export_window
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.storage.store import put_and_confirm
from airflow_zendesk.zendesk.paging import Sweep


@dataclass(frozen=True)
class Mutant:
    """A mistake: in ``function``, the Python expression ``right`` is replaced by ``wrong``, and ``test`` fails.

    The expression must occur once in the function. Its layout in the source does not matter.
    """

    function: Callable[..., Any]
    right: str
    wrong: str
    test: str


_MODEL = "tests/crash/test_model.py::test_publisher_takes_the_schedules_on_which_broken_rules_fail"

MUTANTS = {
    "the expected version is read after the extraction": Mutant(
        export_window, "versions.get(sealed.key)", "store.version(sealed.key)", _MODEL
    ),
    "the expected version is read just before the PUT": Mutant(
        _publish,
        "put_and_confirm(store, key, sealed.file, expected, lambda: stored_footer(store, key).digest == digest)",
        "put_and_confirm(store, key, sealed.file, store.version(key),"
        " lambda: stored_footer(store, key).digest == digest)",
        _MODEL,
    ),
    "the file is written in its final place": Mutant(
        LocalStore.put,
        "self._temporary(path)",
        "contextlib.nullcontext((path, path.open('wb')))",
        "tests/crash/test_signals.py::test_signal_at_any_step_of_the_writer_and_of_the_put",
    ),
    "a refused PUT counts as done": Mutant(
        put_and_confirm,
        "is_there()",
        "True",
        "tests/storage/test_unknown_outcomes.py::test_rival_that_came_first_is_kept",
    ),
    "a refused PUT counts as failed, whatever is stored": Mutant(
        put_and_confirm,
        "is_there()",
        "False",
        "tests/storage/test_unknown_outcomes.py::test_lost_request_or_answer_ends_in_success[moto-answer lost]",
    ),
    "the worker's clock proves that events have settled": Mutant(
        Sweep.take,
        "min(proven, response.server_date - self._settle)",
        "min(proven, int(__import__('time').time()) - self._settle)",
        "tests/zendesk/test_paging.py",
    ),
    "other objects of the day are deleted": Mutant(
        LocalStore.put,
        "file.seek(0)",
        "(file.seek(0), *map(Path.unlink, path.parent.glob('*.parquet')))",
        "tests/export/test_run.py::test_sweep_fills_many_slices_with_few_requests",
    ),
    "the key depends on the data": Mutant(
        _publish,
        "sealed.key",
        "sealed.key.replace('.parquet', f'-{sealed.footer.rows}.parquet')",
        "tests/dataset/test_publish.py",
    ),
}
