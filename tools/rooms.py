"""How large each room of the library is: its lines, and its statements (nodes of ``ast.stmt``)."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

LIB = Path(__file__).resolve().parents[1] / "lib" / "lifeboat"
PARTED = ("deploy", "parameters")  # rooms whose own packages are counted by themselves


def room_of(path: Path) -> str:
    """The package that a module is in, or the module itself where it lies at the top."""
    parts = path.relative_to(LIB).with_suffix("").parts
    return "/".join(parts[:2]) if parts[0] in PARTED and len(parts) > 2 else parts[0]


def main() -> None:
    """Print a line for each room, then their sum."""
    sizes: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path in sorted(LIB.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        statements = sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(text)))
        for room in (room_of(path), "all"):
            sizes[room][0] += len(text.splitlines())
            sizes[room][1] += statements
    print(f"{'room':20}{'lines':>8}{'statements':>12}")
    for room, (lines, statements) in sizes.items():
        if room != "all":
            print(f"{room:20}{lines:8,}{statements:12,}")
    print(f"{'all':20}{sizes['all'][0]:8,}{sizes['all'][1]:12,}")


if __name__ == "__main__":
    main()
