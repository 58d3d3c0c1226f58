"""A PostgreSQL server on a free port of loopback, for as long as a test lasts."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.proof.shipping.web import free_port, wait
from tests.tools import need

OWNER, PASSWORD = "owner", "p@ss/w:rd?#%"


@dataclass(frozen=True)
class Database:
    """Where it is; its name and that of its owner are one."""

    port: int
    psql: Path

    def uri(self, password: str) -> str:
        """Return its URI with a password, or with what stands for one."""
        return f"postgresql://{OWNER}:{password}@127.0.0.1:{self.port}/postgres"

    def __call__(self, statement: str) -> str:
        """Have its owner run a statement, and return what it prints, one row a line."""
        place = ("--host=127.0.0.1", f"--port={self.port}", f"--username={OWNER}", "--dbname=postgres")
        quiet = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
        done = subprocess.run(
            [self.psql, *place, *quiet, f"--command={statement}"],
            env={**os.environ, "PGPASSWORD": PASSWORD},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def postgresql() -> Iterator[Database]:
    """Run a server with an empty database whose owner has a password that a URI has to escape."""
    programs = Path(need("initdb")).resolve().parent
    with tempfile.TemporaryDirectory() as name:
        folder, user = Path(name), _who()
        (folder / "password").write_text(PASSWORD, "utf-8")
        if user:  # it refuses to be run by root
            for path in (folder, folder / "password"):
                shutil.chown(path, user["user"], user["group"])
        made: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL, **user}
        access = ("--auth=scram-sha-256", f"--username={OWNER}", f"--pwfile={folder / 'password'}", "--no-sync")
        subprocess.run(
            [programs / "initdb", f"--pgdata={folder / 'data'}", *access], check=True, capture_output=True, **made
        )
        port = free_port()
        options = ("-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-c", "fsync=off")
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([programs / "postgres", *options], stdout=log, stderr=log, **made)
        try:
            wait(lambda: server.poll() is not None or b"ready to accept" in (folder / "log").read_bytes(), "it starts")
            assert server.poll() is None, (folder / "log").read_text("utf-8")
            yield Database(port, programs / "psql")
        finally:
            server.terminate()
            server.wait(30)


def _who() -> Mapping[str, str]:
    """Return who runs it where we are root: the user that its package has made."""
    return {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
