"""Mistakes that exporters make, each made on purpose in a copy of the package, and the test that must see it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A mistake: in a file of the package, the text ``right`` becomes ``wrong``, and ``test`` fails."""

    file: str
    right: str
    wrong: str
    test: str


_MODEL = "tests/crash/test_model.py::test_publisher_takes_the_schedules_on_which_broken_rules_fail"

MUTANTS = {
    "the token is read after the extraction": Mutant(
        "export.py",
        "self.deliver(sealed, stored.get(key))",
        "self.deliver(sealed, self.store.token(key))",
        _MODEL,
    ),
    "the token is not read before the PUT": Mutant(
        "dataset/publish.py",
        "put_and_confirm(store, key, sealed.file, expected,",
        "put_and_confirm(store, key, sealed.file, store.token(key),",
        _MODEL,
    ),
    "the file is written in its place": Mutant(
        "dataset/stores/local.py",
        """            with self._temporary(path) as (name, temporary):
                file.seek(0)
""",
        """            with path.open("wb") as temporary:
                name = path
                file.seek(0)
""",
        "tests/crash/test_signals.py::test_signal_at_any_step_of_the_writer_and_of_the_put",
    ),
    "a refused PUT counts as done": Mutant(
        "dataset/store.py",
        "                if is_there():\n",
        "                if True:\n",
        "tests/dataset/stores/test_unknown_outcomes.py::test_rival_that_came_first_is_kept",
    ),
    "a refused PUT counts as failed, without a look at what is there": Mutant(
        "dataset/store.py",
        """                if is_there():
                    return
""",
        "",
        "tests/dataset/stores/test_unknown_outcomes.py::test_lost_request_or_answer_ends_in_success[moto-answer lost]",
    ),
    "the worker's clock proves that events have settled": Mutant(
        "zendesk/incremental_export.py",
        "min(reach, answer.server_date - self._settle)",
        'min(reach, int(__import__("time").time()) - self._settle)',
        "tests/zendesk/test_incremental_export.py",
    ),
    "other objects of the day are swept": Mutant(
        "dataset/stores/local.py",
        """                file.seek(0)
""",
        """                for other in path.parent.glob("*.parquet"):
                    other.unlink()
                file.seek(0)
""",
        "tests/test_export.py::test_sweep_fills_many_slices_with_few_requests",
    ),
    "names follow from the data": Mutant(
        "dataset/publish.py",
        "    key = slice_key(record.resource, sealed.slice)\n",
        '    key = slice_key(record.resource, sealed.slice).replace(".parquet", f"-{sealed.footer.rows}.parquet")\n',
        "tests/dataset/test_publish.py",
    ),
}
