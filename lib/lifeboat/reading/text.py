"""A file's bytes as UTF-8 text, whole lines at a time: every byte is checked, and a wrong one is named."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from lifeboat.errors import DataError
from lifeboat.parameters.csv_format import CsvFormat

BLOCK = 8 * 2**20  # bytes that are looked at together
MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
UTF8_MARK = codecs.BOM_UTF8


@dataclass(frozen=True)
class Block:
    """Whole lines of a file.

    Attributes:
        start: Its first byte's place in the file, in bytes of the file's encoding.
        end: The place behind its last byte.
        text: The lines in UTF-8, each ended by a line feed.
        line: The number of its first line in the file, from 1.
    """

    start: int
    end: int
    text: bytes
    line: int

    def lines(self) -> int:
        """How many lines it has."""
        return self.text.count(b"\n")


def compression(file: str | bytes) -> str | None:
    """How a file, or its content, is packed; None for one that is not."""
    with _bytes_of(file) as stream:
        head = stream.read(4)
    return next((kind for mark, kind in MAGIC.items() if head.startswith(mark)), None)


def splits(encoding: str) -> bool:
    """Whether a line's end is found in an encoding's bytes without reading what stands before."""
    return encoding in ("utf-8", "utf-8-sig", "ascii") or encoding.startswith(
        ("iso8859", "cp125", "cp85", "koi8", "mac")
    )


def _bytes_of(file: str | bytes) -> BinaryIO:
    return io.BytesIO(file) if isinstance(file, bytes) else Path(file).open("rb")


def blocks(
    file: str | bytes, name: str, csv: CsvFormat, start: int = 0, end: int | None = None, line: int = 1
) -> Iterator[Block]:
    """The lines of a file, or of a range of it that ``Block`` gave.

    A line ends with LF, CR LF or CR.

    Args:
        file: Its path, or its content.
        name: What messages call it.
        csv: Its encoding.
        start: The range's first byte.
        end: The place behind its last byte; None: the file's end.
        line: The number of the range's first line.

    Raises:
        DataError: A byte is none of the encoding's, or NUL; the message names it and its line.
    """
    kind, stream = compression(file), _bytes_of(file)
    with stream if kind is None else cast(BinaryIO, pa.input_stream(stream, compression=kind)) as stream:
        if start:
            stream.seek(start)
        raws = _limited(stream, end and end - start)
        if not splits(csv.encoding):
            raws, csv = _transcoded(stream, name, csv), CsvFormat()
        for at, raw in _cut(raws, start):
            block = Block(at, at + len(raw), _decoded(raw, at, line, name, csv), line)
            line += block.lines()
            yield block


def _limited(stream: BinaryIO, length: int | None) -> Iterator[bytes]:
    while raw := stream.read(BLOCK if length is None else min(BLOCK, length)):
        length = None if length is None else length - len(raw)
        yield raw


def _cut(raws: Iterator[bytes], at: int) -> Iterator[tuple[int, bytes]]:
    """Bytes cut behind a line's end; the last may have none."""
    held: list[bytes] = []
    for raw in raws:
        # a CR at the very end may have its LF in the next block
        cut = raw.rfind(b"\n") + 1 or raw.rfind(b"\r", 0, len(raw) - 1) + 1
        if cut:
            whole = b"".join([*held, raw[:cut]])
            yield at, whole
            at, held = at + len(whole), [raw[cut:]]
        else:
            held.append(raw)
    if rest := b"".join(held):
        yield at, rest


def _decoded(raw: bytes, at: int, line: int, name: str, csv: CsvFormat) -> bytes:
    if at == 0 and csv.encoding in ("utf-8", "utf-8-sig"):
        raw = raw.removeprefix(UTF8_MARK)
    try:
        text = raw.decode(csv.encoding)
    except UnicodeDecodeError as error:
        raise _wrong_byte(name, raw[error.start], at + error.start, line + _ends(raw[: error.start]), csv) from error
    if "\0" in text:
        index = text.index("\0")
        raise _nul(name, at + len(text[:index].encode(csv.encoding)), line + _ends(text[:index].encode()), csv)
    if csv.encoding in ("utf-8", "utf-8-sig", "ascii"):
        return _lf_ended(raw)
    if not raw.isascii() and raw.decode("utf-8", "ignore").encode() == raw:
        first = next(index for index, byte in enumerate(raw) if byte > 127)
        raise DataError(
            f"{name}: the bytes from {at + first} on, in line {line + _ends(raw[:first])}, are UTF-8; as "
            f"{csv.encoding} they would be other letters: write csv: {{encoding: utf-8}}, or leave encoding out"
        )
    return _lf_ended(text.encode())


def _transcoded(stream: BinaryIO, name: str, csv: CsvFormat) -> Iterator[bytes]:
    """The bytes in UTF-8, of an encoding whose lines cannot be told by their bytes alone."""
    decoder, at, line = codecs.getincrementaldecoder(csv.encoding)(), 0, 1
    while True:
        raw = stream.read(BLOCK)
        try:
            text = decoder.decode(raw, final=not raw)
        except UnicodeError as error:
            index = getattr(error, "start", 0)
            byte = raw[index] if index < len(raw) else 0
            raise _wrong_byte(name, byte, at + index, line, csv) from error
        text = text.removeprefix("\ufeff") if at == 0 else text
        if "\0" in text:
            raise _nul(name, at, line + text[: text.index("\0")].count("\n"), csv)
        yield text.encode()
        if not raw:
            return
        at, line = at + len(raw), line + text.count("\n")


def _lf_ended(raw: bytes) -> bytes:
    """Each line ended by LF alone, the last too."""
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return raw if raw.endswith(b"\n") or not raw else raw + b"\n"


def _ends(raw: bytes) -> int:
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n")


def _wrong_byte(name: str, byte: int, at: int, line: int, csv: CsvFormat) -> DataError:
    likely = (
        "utf-16" if at == 0 and byte in (0xFE, 0xFF) else "latin-1" if csv.encoding.startswith("utf-8") else "utf-8"
    )
    return DataError(
        f"{name}: byte {at} (0x{byte:02X}) in line {line} is no {csv.encoding.upper()}: say how the file is written, "
        f"such as csv: {{encoding: {likely}}}"
    )


def _nul(name: str, at: int, line: int, csv: CsvFormat) -> DataError:
    return DataError(
        f"{name}: byte {at} in line {line} is NUL, which no {csv.encoding.upper()} text has: if the file is one of two "
        "bytes a letter, write csv: {encoding: utf-16-le}"
    )
