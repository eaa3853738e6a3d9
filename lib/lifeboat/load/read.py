"""Read a table into Spark: a CSV file as text, parquet in its own types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StringType, StructField, StructType

from lifeboat.errors import DataError, need_none
from lifeboat.parameters.names import check_names
from lifeboat.reading import FILE, LINE, OURS, CsvFormat, Table, open_table, parse_csv
from lifeboat.reading.batches import Fragment, csv_batches
from lifeboat.reading.scan import scan
from lifeboat.reading.table import same_columns
from lifeboat.run import resolve_input
from lifeboat.run.paths import local_path
from lifeboat.spark.parquet import read_parquet

READ_HERE = 4 * 2**20  # bytes of a file at most
GLOB = re.compile(r"([\\{}\[\]*?])")  # what Spark takes for a pattern in a path


def read_raw(spark: SparkSession, path: str | Path, csv: Mapping[str, Any] | CsvFormat | None = None) -> DataFrame:
    """A CSV file (or a folder of them) with every column as text, or parquet with its own types.

    Text first, so that a value that does not fit its type is still there to be shown. Beside the table's columns
    stand four of ours: ``lifeboat:line`` and ``lifeboat:file`` say where a record starts (in parquet, which row it
    is); a record that is no row has its text in ``lifeboat:unreadable``, the reason in ``lifeboat:fault`` and null in
    the table's columns.

    Args:
        spark: The session.
        path: A file or folder on this machine, read as ``reading.open_table`` says, by as many tasks as it has
            pieces; or any address that Spark can read, such as ``s3a://bucket/rows.parquet``: with an ending other
            than ``.parquet`` it is CSV, each file read whole by one task; with none a folder of parquet files.
        csv: How CSV files are written, as ``parse_csv`` takes it; None: as usual.

    Raises:
        DataError: There is nothing at ``path``, or it is no table.
        ParameterError: ``csv`` has a part that is none, or the address holds a credential.
    """
    written, address = parse_csv(csv or {}), str(path)
    need_none("path", address)
    local = local_path(address)
    if local is None:  # not this machine's: only Spark can look there
        if PurePosixPath(address).suffix in (".parquet", ""):
            return _with_ours(spark.read.parquet(address))
        return _elsewhere(spark, address, written)
    table = open_table(resolve_input(local if "://" in address else path), written)
    return _parquet(spark, table) if table.parquet else _csv(spark, table)


def _with_ours(df: DataFrame) -> DataFrame:
    """Beside the rows of parquet: the number of the row in its file, and the file."""
    known = {LINE: F.col("_metadata.row_index") + 1, FILE: F.col("_metadata.file_path")}
    ours = from_arrow_schema(OURS)
    return df.select("*", *[known.get(our.name, F.lit(None)).cast(our.dataType).alias(our.name) for our in ours])


def _parquet(spark: SparkSession, table: Table) -> DataFrame:
    """The files that ``open_table`` found, by name; values of ``column=value`` folders stay text."""
    spark.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    base = table.path if table.path.is_dir() else table.path.parent
    files = [GLOB.sub(r"\\\1", file.path) for file in table.fragments]
    reader = spark.read.option("basePath", str(base))
    differ = len({pq.read_schema(file.path).remove_metadata() for file in table.fragments}) > 1  # some are narrower
    return _with_ours(read_parquet(reader, files, table.schema, differ))


def _texts(names: list[str]) -> StructType:
    return StructType([*[StructField(name, StringType()) for name in names], *from_arrow_schema(OURS)])


def _csv(spark: SparkSession, table: Table) -> DataFrame:
    schema, count = _texts(table.names), len(table.pieces())
    # one that is packed, or whose texts go over several lines, is a single piece however large it is
    if count > 1 or Path(table.fragments[0].path).stat().st_size > READ_HERE:
        return spark.range(0, count, 1, count).mapInArrow(table.numbered, schema)
    # a task would have to start a Python first, and so would each that reads it again
    records = table.numbered([pa.RecordBatch.from_pydict({"id": range(count)})])
    return spark.createDataFrame(pa.Table.from_batches(records, to_arrow_schema(schema)), schema)


def _elsewhere(spark: SparkSession, address: str, csv: CsvFormat) -> DataFrame:
    """CSV on other storage: a task for each file, which Spark hands to it whole."""
    files = spark.read.format("binaryFile").load(address).select("path", "content")
    names = _names_elsewhere(files, csv)
    return files.select("content", "path").mapInArrow(partial(_read_contents, names, csv), _texts(names))


def _names_elsewhere(files: DataFrame, csv: CsvFormat) -> list[str]:
    """The columns of files on other storage, which must all have the same."""
    headers = files.mapInArrow(partial(_headers, csv), "path string, names array<string>").orderBy("path").collect()
    if not headers:
        raise DataError("there is no file at that address")
    for row in headers:
        same_columns(headers[0].names, row.names, headers[0].path, row.path)
    check_names(headers[0].names, headers[0].path)
    return list(headers[0].names)


def _headers(csv: CsvFormat, files: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in files:
        paths, contents = (batch.column(name).to_pylist() for name in ("path", "content"))
        names = [scan(content, path, csv).names for path, content in zip(paths, contents, strict=True)]
        yield pa.RecordBatch.from_pydict({"path": paths, "names": names})


def _read_contents(names: list[str], csv: CsvFormat, files: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in files:
        for path, content in zip(batch.column("path").to_pylist(), batch.column("content").to_pylist(), strict=True):
            scanned = scan(content, path, csv)
            fragment = Fragment(path, path, {}, scanned, [scanned.names.index(name) for name in names])
            for lines in scanned.ranges:
                yield from (b for b, _ in csv_batches(content, fragment, csv, lines, names, names, path))
