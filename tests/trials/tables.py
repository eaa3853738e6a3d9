"""Small tables of the kinds that people have, made by this file; what each must come to stands beside it.

A table is a function that writes one file or folder; ``TABLES`` names them with what is typed to describe them. All
have 300 rows unless they say otherwise, and a label that follows their columns well enough to learn it.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

Columns = dict[str, list[Any]]


def columns(count: int = 300, seed: int = 5) -> Columns:
    """A key, a size, a colour, a grade and whether it was late, which the size and the colour tell, with noise."""
    random, made = Random(seed), {name: [] for name in ("ref", "size", "colour", "grade", "late")}
    for row in range(count):
        size, colour, grade = (
            round(random.gauss(45, 8), 1),
            random.choice(["red", "green", "blue"]),
            random.randint(1, 4),
        )
        late = int(size + (6 if colour == "red" else 0) + random.gauss(0, 4) > 48)
        for name, value in zip(made, (f"r{row:04}", size, colour, grade, late), strict=True):
            made[name].append(value)
    return made


def csv_text(made: Columns, separator: str = ",", header: bool = True) -> str:
    """The columns as CSV, nothing quoted."""
    lines = [separator.join(map(str, row)) for row in zip(*made.values(), strict=True)]
    return "\n".join([*([separator.join(made)] if header else []), *lines]) + "\n"


@dataclass(frozen=True)
class Trial:
    """A table, and what must become of it.

    Attributes:
        file: What it is called.
        write: Writes it to the place it is given.
        label: Its label.
        options: More for ``lifeboat new``.
        parameters: More for ``lifeboat run``.
        refused: The sentence that refuses it, before anything is trained; empty where it is scored in full.
        by: Which command refuses it.
        rejected: How many of its records are no rows.
    """

    file: str
    write: Callable[[Path], object]
    label: str = "late"
    options: Sequence[str] = ()
    parameters: Sequence[str] = ()
    refused: str = ""
    by: str = "new"
    rejected: int = 0


def text(content: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    return lambda place: place.write_bytes(content.encode(encoding))


def parquet(**more: Any) -> Callable[[Path], object]:
    return lambda place: pq.write_table(pa.table({**columns(), **more}), place)


def in_parts(place: Path) -> None:
    made = columns()
    place.mkdir()
    for number, order in enumerate((list(made), list(reversed(made)))):
        half = {name: made[name][150 * number : 150 * number + 150] for name in order}
        (place / f"{number}.csv").write_text(csv_text(half))


def in_partitions(place: Path) -> None:
    made = pa.table(columns())
    for colour in ("red", "green", "blue"):
        folder = place / f"colour={colour}"
        folder.mkdir(parents=True)
        some = made.filter(pa.array([value == colour for value in made["colour"].to_pylist()]))
        pacsv.write_csv(some.drop_columns(["colour"]), folder / "part.csv")


def archive(place: Path) -> None:
    with zipfile.ZipFile(place, "w") as packed:
        packed.writestr("rows.csv", csv_text(columns()))


def days(form: str) -> list[str]:
    return [(date(2022, 1, 1) + timedelta(2 * row)).strftime(form) for row in range(300)]


def with_quote() -> str:
    lines = csv_text(columns()).split("\n")
    return "\n".join([*lines[:60], '"' + lines[60], *lines[61:]])


def with_broken_texts() -> str:
    made = columns()
    made["colour"] = [f'"{value}\nish"' for value in made["colour"]]
    return csv_text(made)


def with_gaps(word: str) -> str:
    made = columns()
    made["size"] = [word if row % 11 == 3 else value for row, value in enumerate(made["size"])]
    made["colour"] = [word if row % 13 == 5 else value for row, value in enumerate(made["colour"])]
    return csv_text(made)


def more_columns(count: int) -> Columns:
    random = Random(8)
    return {f"more{number}": [round(random.gauss(0, 1), 3) for _ in range(300)] for number in range(count)}


def in_groups(count: int) -> Columns:
    """Two rows for each place but gaps in the height of some; whole numbers name the places."""
    made = columns(count)
    places = [row // 2 for row in range(count)]
    return made | {"place": places, "height": [None if row % 5 == 1 else float(row % 97) for row in range(count)]}


def named(**names: str) -> str:
    return csv_text({names.get(name, name): cells for name, cells in columns().items()})


def of_all_kinds() -> str:
    """Names that hurt, words for gaps, semicolons, and a quote that is not closed."""
    made = columns()
    made["colour"] = ["NA" if row % 13 == 5 else value for row, value in enumerate(made["colour"])]
    lines = csv_text({HURTFUL[name]: cells for name, cells in made.items()}, ";").split("\n")
    return "\n".join([*lines[:60], '"' + lines[60], *lines[61:]])


HURTFUL = {"size": "a.b", "colour": "`tick` {y}", "grade": "fold", "ref": "id:1", "late": "prediction"}

TABLES: dict[str, Trial] = {
    "plain": Trial("plain.csv", text(csv_text(columns()))),
    "an unclosed quote": Trial("quote.csv", text(with_quote()), rejected=1),
    "texts of several lines": Trial("broken.csv", text(with_broken_texts())),
    "other column orders": Trial("parts", in_parts),
    "partitions": Trial("partitioned", in_partitions),
    "semicolons in latin-1": Trial(
        "latin.csv", text(csv_text(columns(), ";").replace("size", "Größe"), "latin-1"),
        options=("--encoding", "latin-1"),
    ),
    "a header that is not UTF-8": Trial(
        "kopf.csv", text(csv_text(columns()).replace("size", "Größe"), "latin-1"),
        refused="byte 6 (0xF6) in line 1 is no UTF-8",
    ),
    "UTF-16 with tabs": Trial(
        "wide.csv", text(csv_text(columns(), "\t"), "utf-16"), options=("--encoding", "utf-16")
    ),
    "gzip": Trial("packed.csv.gz", lambda place: place.write_bytes(gzip.compress(csv_text(columns()).encode()))),
    "an archive": Trial("packed.zip", archive, refused="packed.zip is a zip archive"),
    "a title above": Trial(
        "preamble.csv", text("Report,Orders\n\n" + csv_text(columns())), refused="write csv: {skip_lines: 2}"
    ),
    "a title left out": Trial(
        "titled.csv", text("Report,Orders\n\n" + csv_text(columns())), options=("--skip-lines", "2")
    ),
    "separators behind": Trial(
        "trailing.csv", text("\n".join(f"{line}," if number else line for number, line in
                                       enumerate(csv_text(columns()).split("\n")[:-1])) + "\n"),
    ),
    "days as texts": Trial(
        "days.csv", text(csv_text(columns() | {"day": days("%d/%m/%Y")})), parameters=("-p", "split_by=day_date")
    ),
    "split by days as texts": Trial(
        "daystext.csv", text(csv_text(columns() | {"day": days("%d/%m/%Y")})), parameters=("-p", "split_by=day"),
        by="run", refused="whose order is not that of time",
    ),
    "days in ISO": Trial(
        "iso.csv", text(csv_text(columns() | {"day": days("%Y-%m-%d")})), parameters=("-p", "split_by=day")
    ),
    "decimals": Trial("decimals.parquet", parquet(size=[Decimal(str(v)) for v in columns()["size"]])),
    "truths with gaps": Trial(
        "gaps.parquet", parquet(gift=[None if row % 13 == 2 else row % 3 == 0 for row in range(300)])
    ),
    "times in nanoseconds": Trial(
        "nanos.parquet",
        parquet(when=pa.array([datetime(2024, 1, 1) + timedelta(hours=row) for row in range(300)], pa.timestamp("ns"))),
    ),
    "words for gaps": Trial("words.csv", text(with_gaps("NA"))),
    "texts alone": Trial(
        "letters.csv", text(csv_text({name: cells for name, cells in columns().items() if name in ("colour", "late")}
                                     | {"cap": [value[0] for value in columns(seed=6)["colour"]]})),
    ),
    "names that hurt": Trial("names.csv", text(named(**HURTFUL)), label="prediction"),
    "much at once": Trial(
        "much_é.csv",
        text(of_all_kinds(), "latin-1"),
        label="prediction",
        options=("--encoding", "latin-1"),
        parameters=("-p", "refit=all"),
        rejected=1,
    ),
    "text labels": Trial(
        "words_label.csv", text(csv_text(columns() | {"late": ["late" if v else "in time" for v in columns()["late"]]}))
    ),
    "three classes": Trial(
        "classes.csv", text(csv_text(columns() | {"late": ["low" if v < 42 else "high" if v > 50 else "mid"
                                                           for v in columns()["size"]]})),
        options=("--positive", "high"),
    ),
    "fifty rows": Trial("few.csv", text(csv_text(columns(50)))),
    "a constant column": Trial("constant.csv", text(csv_text(columns() | {"always": [1] * 300}))),
    "one feature": Trial("one.csv", text(csv_text({name: columns()[name] for name in ("ref", "size", "late")}))),
    "numbers beyond single precision": Trial(
        "huge.csv", text(csv_text(columns() | {"size": [value * 1e300 for value in columns()["size"]],
                                               "fine": [16777216 + row // 2 for row in range(300)]})),
    ),
    "one in a hundred": Trial(
        "rare.csv", text(csv_text(columns(1500) | {"late": [int(value > 63) for value in columns(1500)["size"]]})),
    ),
    "two hundred columns": Trial("wide.parquet", parquet(**more_columns(200))),
    "many groups": Trial(
        "groups.parquet", lambda place: pq.write_table(pa.table(in_groups(12_000)), place),
        parameters=("-p", "impute={height: mean by place}", "-p", "categorical=[colour]",
                    "-p", "numeric=[size, grade, height]"),
    ),
    "keys that stand twice": Trial(
        "twice.csv", text(csv_text(columns() | {"ref": [f"r{row // 2 if row < 4 else row:04}" for row in range(300)]})),
        parameters=("-p", "key=ref", "-p", "enrich={}",
                    "-p", "schema=ref STRING, size DOUBLE, colour STRING, grade INT, late INT",
                    "-p", "baseline=colour", "-p", "groups=[colour]", "-p", "compare=[colour]"),
        rejected=4,
    ),
    "a name with an accent": Trial("commandes_é.csv", text(csv_text(columns()))),
}  # fmt: skip
