"""Say at the end of a run how good the model is, where it is and how to serve it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lifeboat.run import Run
from lifeboat.run.paths import shown
from lifeboat.runner.record import Record

REPORT = "report.html"


def summary(record: Record, run_dir: Path) -> str:
    """The closing lines of a run.

    Args:
        record: The run's record.
        run_dir: Its folder; metrics, verdict and model are read from the stages' files, those that are there.

    Returns:
        Text of some lines, without a line end.
    """
    return "\n".join(_lines(record, run_dir))


def _lines(record: Record, run_dir: Path) -> Iterator[str]:
    here, run = shown(run_dir), Run(run_dir)
    seconds = sum(stage.seconds or 0.0 for stage in record.stages)
    yield f"{here}: {len(record.stages)} notebooks in {seconds:.0f} s"
    table = list(_table(json_or_nothing(run.where("metrics"))))
    if table:
        yield ""
        yield from table
    verdict = json_or_nothing(run.where("verdict")).get("sentence")
    if verdict:
        yield f"\nVerdict  {verdict}"
    deployed = json_or_nothing(run.where("deployed"))
    if deployed:
        yield f"Model    {deployed.get('name')} version {deployed.get('version')}, alias {deployed.get('alias')}"
    yield "Time     " + ", ".join(f"{stage.name} {stage.seconds or 0:.0f} s" for stage in record.stages)
    if deployed:
        yield f"Serve    make serve    (or: lifeboat serve {run_dir.name})"
        yield "Look     make mlflow   (MLflow's pages on this and every run)"
    if (run_dir / REPORT).is_file():
        yield f"Report   {here}{os.sep}{REPORT} (one file to send round)"
    yield f"Read     {here}{os.sep}" + ", ".join(f"{stage.name}.ipynb" for stage in record.stages)


def _table(content: dict[str, Any]) -> Iterator[str]:
    """A line for each metric: the model's value with its interval, then those of the rules it was held against."""
    columns = {who: metrics for who, metrics in content.items() if isinstance(metrics, dict)}
    names = [name for name, value in next(iter(columns.values()), {}).items() if isinstance(value, dict)]
    width = max([26, *(len(who) + 2 for who in columns)])
    if names:
        yield "On held-out rows  " + "".join(f"{who:<{width}}" for who in columns).rstrip()
    for name in names:
        yield f"  {name:<16}" + "".join(f"{interval(cells.get(name)):<{width}}" for cells in columns.values()).rstrip()


def interval(metric: Any) -> str:
    """A value and the ends of its interval; a metric that could not be computed is a dash."""
    try:
        return f"{metric['value']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"
    except (TypeError, KeyError, ValueError):
        return "-"


def json_or_nothing(file: Path) -> dict[str, Any]:
    """The mapping in a JSON file; empty where there is none."""
    if not file.is_file():
        return {}
    content = json.loads(file.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}
