"""From a file or a folder to records: one way for every reader, whether Arrow or Spark asks."""

from lifeboat.parameters.csv_format import CsvFormat, parse_csv
from lifeboat.reading.batches import ERROR, FILE, LINE, OURS, UNREADABLE, Lines
from lifeboat.reading.table import Table, open_table

__all__ = ["ERROR", "FILE", "LINE", "OURS", "UNREADABLE", "CsvFormat", "Lines", "Table", "open_table", "parse_csv"]
