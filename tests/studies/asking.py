"""Shared by the tests of studies: ask one as a shell does."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from peakwise.cli.study import study


def document(folder, *words):
    """The JSON of a study in its quick form; its tables are whole, its figures pictures."""
    words = (*words, "--quick", "--json", "--threads", "1", "-o", str(folder / "out"))
    done = CliRunner().invoke(study, list(words), env={"PEAKWISE_DATA": None})
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    for table in made["tables"]:
        for row in [*table["rows"], *table["published"]]:
            assert len(row) == len(table["columns"]), (table["columns"], row)
    for path in made["figures"]:
        assert str(folder) in path
        assert Path(path).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    return made
