"""What a file is: parquet, a text, or something that is no table."""

from __future__ import annotations

from pathlib import Path

from lifeboat.errors import DataError

NO_TABLE = {  # how files start that are neither CSV nor parquet
    b"PK\x03\x04": "a zip archive, as a spreadsheet of .xlsx is one too: unpack it, or save it as CSV",
    b"ARROW1": "an Arrow file: write it as parquet",
    b"ORC": "an ORC file: write it as parquet",
    b"Obj\x01": "an Avro file: write it as parquet",
    b"SQLite format 3": "a database of SQLite: write its table as CSV",
    b"7z\xbc\xaf": "a 7z archive: unpack it",
    b"\xfd7zXZ": "packed by xz: pack it by gzip, or not at all",
    b"Rar!": "a rar archive: unpack it",
    b"\xd0\xcf\x11\xe0": "a spreadsheet of .xls: save it as CSV",
    b"%PDF": "a PDF",
}


def is_parquet_file(file: Path) -> bool:
    """Whether a file starts as parquet does; else it must be a text.

    Raises:
        DataError: It starts as something else does, such as an archive.
    """
    with file.open("rb") as stream:
        head = stream.read(16)
    for mark, kind in NO_TABLE.items():
        if head.startswith(mark):
            raise DataError(f"{file.name} is {kind}; a table is CSV, plain or packed by gzip, or parquet")
    if file.suffix == ".parquet" and not head.startswith(b"PAR1"):
        raise DataError(f"{file.name} is no parquet, whatever its name says: it does not start with PAR1")
    return head.startswith(b"PAR1")
