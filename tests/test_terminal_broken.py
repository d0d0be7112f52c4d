"""Settings that lead nowhere: each is named in a line, with the exit status for settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from tests.terminal import ptq

if TYPE_CHECKING:
    from pathlib import Path


async def told(directory: Path, *argv: str, **settings: str) -> str:
    """Return what a command says that cannot begin."""
    said = await ptq(*argv, stdin=b"", HOME=str(directory), **settings)
    assert (said.exit_status, said.out) == (2, "")
    return said.err.replace(str(directory), "DIR")


async def test_a_state_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """The first job says so, and not with a traceback."""
    (tmp_path / "file").touch()
    nowhere = {"PTQ_STATE_DIR": str(tmp_path / "file" / "state")}
    assert [
        await told(tmp_path, *argv, **nowhere)
        for argv in (("auto", "-m", "x"), ("finish",), ("db", "upgrade"), ("list",))
    ] == snapshot(
        [
            "ptq: PTQ_STATE_DIR: DIR/file/state cannot be written: Not a directory\n",
            "ptq: PTQ_STATE_DIR: DIR/file/state cannot be written: Not a directory\n",
            "ptq: PTQ_DATABASE_URL, PTQ_STATE_DIR: sqlite:///DIR/file/state/ptq.sqlite cannot be opened: [Errno 20] Not a directory: 'DIR/file/state'\n",
            "ptq: PTQ_DATABASE_URL, PTQ_STATE_DIR: there is no database to open at sqlite:///DIR/file/state/ptq.sqlite. The first job makes it (`ptq auto --issue N`), or `ptq db upgrade`; where the service has another one, name that\n",
        ]
    )


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """It is left as it is."""
    file = tmp_path / "ptq.sqlite"
    file.write_text("no database, but some other file of somebody's\n" * 20)
    before = file.read_bytes()
    there = {"PTQ_STATE_DIR": str(tmp_path)}
    assert [
        await told(tmp_path, *argv, **there) for argv in (("list",), ("auto", "-m", "x"))
    ] == snapshot(
        [
            "ptq: PTQ_DATABASE_URL, PTQ_STATE_DIR: sqlite:///DIR/ptq.sqlite cannot be opened: file is not a database\n",
            "ptq: PTQ_DATABASE_URL, PTQ_STATE_DIR: sqlite:///DIR/ptq.sqlite cannot be opened: file is not a database\n",
        ]
    )
    assert file.read_bytes() == before


async def test_a_command_that_looks_makes_no_database(tmp_path: Path) -> None:
    """Where there is none, it says who makes it."""
    assert await told(tmp_path, "list", PTQ_STATE_DIR=str(tmp_path)) == snapshot(
        "ptq: PTQ_DATABASE_URL, PTQ_STATE_DIR: there is no database to open at sqlite:///DIR/ptq.sqlite. The first job makes it (`ptq auto --issue N`), or `ptq db upgrade`; where the service has another one, name that\n"
    )
    assert not (tmp_path / "ptq.sqlite").exists()


async def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    """The reason is told, and never the password."""
    url = "postgresql://ptq:secret@127.0.0.1:1/ptq"
    assert await told(tmp_path, "status", "7", PTQ_DATABASE_URL=url) == snapshot(
        'ptq: PTQ_DATABASE_URL, PTQ_STATE_DIR: postgresql+psycopg://ptq:***@127.0.0.1:1/ptq cannot be opened: connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused\n'
    )


async def test_another_kind_of_database(tmp_path: Path) -> None:
    """It is not taken for one of ours."""
    url = "mysql://127.0.0.1/ptq"
    assert await told(tmp_path, "list", PTQ_DATABASE_URL=url) == snapshot("""\
ptq: The settings are wrong:
  PTQ_DATABASE_URL (database_url): takes sqlite:///… or postgresql://…
""")
