"""A PostgreSQL server for the tests, from the system's package, on a Unix socket of its own."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

INSTALL = "PostgreSQL is not installed: apt-get install --no-install-recommends postgresql"


def binaries() -> Path:
    """Return the folder of the newest installed server. Without one the test is skipped, but never in CI."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        if os.environ.get("CI"):
            pytest.fail(INSTALL)
        pytest.skip(INSTALL)
    return Path(initdb).parent


@contextmanager
def server() -> Iterator[str]:
    """Start an empty server without a TCP port; yield an Airflow connection to it, as JSON."""
    programs = binaries()
    folder = Path(tempfile.mkdtemp(prefix="airflow-zendesk-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        # PostgreSQL does not run as root; its package creates a user.
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(programs / program), "--pgdata", str(folder / "data"), *arguments]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)

    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    try:
        run("initdb", "--username=zendesk", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        run("pg_ctl", "start", "--wait", "--log", str(folder / "log"), "--options", options)
        try:
            yield json.dumps({"conn_type": "postgres", "host": str(folder), "login": "zendesk", "schema": "postgres"})
        finally:
            run("pg_ctl", "stop", "--mode=immediate")
    finally:
        shutil.rmtree(folder)
