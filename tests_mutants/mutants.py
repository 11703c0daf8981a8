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
        "sealed, stored.get(key), ",
        "sealed, self.store.token(key), ",
        _MODEL,
    ),
    "the token is not read before the PUT": Mutant(
        "dataset/publish.py",
        "put_surely(store, key, sealed.file, expected,",
        "put_surely(store, key, sealed.file, store.token(key),",
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
}
