"""The files that parameters name, and digests: of a file's bytes, and of what rows and JSON say however kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifeboat.run.paths import local_path, resolve, resolve_input

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from pyspark.sql import SparkSession

BATCH = 65_536  # rows whose digest is computed at once
IDS = ("mlflow_run", "version", "compared_with")  # of a registry, which gives new ones each time


def input_paths(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each parameter's name with a path that it names: ``..._path``'s value, and that of ``path`` in a list's parts.

    An address on other storage, such as ``s3a://bucket/rows.parquet``, is Spark's to find, and not among them.
    """
    yield from ((name, path) for name, path in _named(values) if "://" not in path)


def addresses(values: Mapping[str, Any]) -> list[str]:
    """The addresses on other storage that parameters name."""
    return [path for _, path in _named(values) if "://" in path]


def _named(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        paths = [value] if name.endswith("_path") else _inside(value)
        yield from ((name, path) for path in paths if isinstance(path, str) and path)


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from (item["path"] for item in value if isinstance(item, dict) and "path" in item)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        yield from _inside(item)


def files(path: str | Path) -> list[Path]:
    """The file at a path, or those of the folder there in order of their names; none where there is nothing.

    Files and folders whose names start with ``.`` or ``_`` are other programs' own notes, and do not count.
    """
    resolved = resolve(path)
    if resolved.is_file():
        return [resolved]
    inside = (f for f in resolved.rglob("*") if not any(name[0] in "._" for name in f.relative_to(resolved).parts))
    return sorted(f for f in inside if f.is_file())


def digest(path: str | Path, spark: SparkSession | None = None) -> str:
    """The SHA-256 of a file, in hexadecimal digits; of a folder, that of its files' SHA-256s in order of their names.

    The names themselves do not count: Spark gives its files new ones each time.

    Args:
        path: A file or folder, or an address such as ``s3a://bucket/rows``.
        spark: Who can list an address's files. The digest is then that of their names, sizes and times, and starts
            with ``listing:`` to say so; without Spark, or where it cannot list them, it is ``not read``.

    Raises:
        DataError: There is nothing at that path.
    """
    local = local_path(path)
    if local is None:
        return _listing(str(path), spark)
    resolved = resolve_input(local if "://" in str(path) else path)  # named in an error as it was given
    if resolved.is_dir():
        return hashlib.sha256(b"".join(bytes.fromhex(digest(file)) for file in files(resolved))).hexdigest()
    with resolved.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _listing(address: str, spark: SparkSession | None) -> str:
    if spark is None:
        return "not read"
    files = spark.read.format("binaryFile").option("recursiveFileLookup", True)
    try:
        rows = files.load(address).select("path", "length", "modificationTime").collect()
    except Exception:  # each kind of storage has errors of its own, and a digest is no reason to stop
        return "not read"
    lines = sorted(f"{row.path} {row.length} {row.modificationTime.isoformat()}" for row in rows)
    return f"listing:{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"


def stamps(path: Path) -> list[list[str | int]]:
    """Name, size and time (ns) of each file at a path: while they are the same, so is ``content_digest``."""
    kept = ((file, file.stat()) for file in files(path))
    return [[file.relative_to(path.parent).as_posix(), stat.st_size, stat.st_mtime_ns] for file, stat in kept]


def content_digest(path: Path) -> str:
    """The SHA-256 of what is kept at an absolute path: the same however often, and in how many files, it was written.

    Args:
        path: A parquet folder or file: its columns' names and types, and its rows in whatever order. A JSON file: its
            values but for the ids that a registry gave. Anything else: the names and bytes of its files.
    """
    kept, inside = hashlib.sha256(), files(path)
    if parquet := [file for file in inside if file.suffix == ".parquet"]:
        kept.update(_rows(parquet))
    elif path.suffix == ".json":
        kept.update(json.dumps(_without_ids(json.loads(path.read_text(encoding="utf-8"))), sort_keys=True).encode())
    else:
        for file in inside:
            kept.update(f"{file.relative_to(path.parent).as_posix()} {digest(file)}\n".encode())
    return kept.hexdigest()


def _without_ids(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _without_ids(value) for name, value in content.items() if name not in IDS}
    return [_without_ids(value) for value in content] if isinstance(content, list) else content


def _rows(parquet: list[Path]) -> bytes:
    """The columns, the number of rows, and the sums of each row's 64-bit hash and of its square: no order counts."""
    import numpy as np
    import pyarrow.parquet as pq

    rows, sums = 0, np.zeros(2, np.uint64)
    schema = pq.read_schema(parquet[0])
    for file in parquet:
        for batch in pq.ParquetFile(file).iter_batches(BATCH):
            hashes = _row_hashes(batch)
            rows += len(hashes)
            sums += np.array([hashes.sum(), (hashes * hashes).sum()], np.uint64)
    columns = [f"{field.name} {field.type}" for field in schema]
    return json.dumps([columns, rows, *map(int, sums)]).encode()


def _row_hashes(batch: pa.RecordBatch) -> np.ndarray:
    """A 64-bit hash of each row, which a null changes as a value does."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    hashes = np.zeros(len(batch), np.uint64)
    for column in batch.columns:
        kind = column.type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind):  # Arrow has no text of these
            column = pa.array([None if value is None else repr(value) for value in column.to_pylist()], pa.string())
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
        plain = column.fill_null(pa.scalar(0).cast(kind)) if number else column.cast(pa.string())
        for values in (plain, column.is_valid()):
            hashed = pd.util.hash_array(values.to_numpy(zero_copy_only=False))
            hashes = hashes * np.uint64(1_000_003) ^ hashed
    return hashes
