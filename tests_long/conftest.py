"""Tests of a minute each."""

#: The environment of all tests, and the servers.
pytest_plugins = ["tests.conftest"]
