"""One page of a run to send round: verdict, metrics, figures, data, parameters, provenance, and the notebooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from lifeboat.errors import DataError
from lifeboat.run import STAGES, Run
from lifeboat.run.writing import write_whole
from lifeboat.runner.record import Record, read_record
from lifeboat.runner.summary import REPORT, interval, json_or_nothing
from lifeboat.runner.without import ADDRESSES, without

with without(ADDRESSES):
    import nbformat
    from nbconvert import HTMLExporter

HERE = jinja2.FileSystemLoader(Path(__file__).parent)
SHOWN = ("03_train_cv", "04_evaluate")  # the notebooks whose figures stand in front
FAILED = "papermill-error-cell"  # papermill's own mark
HEADING = re.compile(r"<(/?)h([1-5])\b[^>]*>")
LINK = re.compile(r'<a\b[^>]*?href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
DIGITS = 12  # of a digest that a reader sees


@dataclass(frozen=True)
class Table:
    """A section with a table: its first column names the rows."""

    anchor: str
    title: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    text: str = ""


def write_report(run_dir: Path) -> Path:
    """Make a run's report of what is there: ``report.html`` in its folder, one file that asks nothing of anywhere.

    Args:
        run_dir: The run's folder.

    Raises:
        DataError: No run has been there.
    """
    if not (run_dir / "run.json").is_file():
        raise DataError(f"there is no run in {run_dir}: it has no run.json")
    record, run = read_record(run_dir, STAGES), Run(run_dir)
    failed = next((stage for stage in record.stages if stage.error), None)
    verdict, metrics = json_or_nothing(run.where("verdict")), json_or_nothing(run.where("metrics"))
    executed = {stage: file for stage in STAGES if (file := run_dir / f"{stage}.ipynb").is_file()}
    contents = {stage: nbformat.read(file, as_version=4) for stage, file in executed.items()}  # type: ignore[no-untyped-call]
    notebooks = [{"name": stage, "html": _cells(content)} for stage, content in contents.items()]
    data = record.parameters.get("labelled_path", "")
    when = max((stage.started or "" for stage in record.stages), default="")[:16].replace("T", " ")
    page = {
        "title": f"{run_dir.name}: {record.parameters.get('label', '')} of {Path(data).name}",
        "subtitle": f"{data}, {when} UTC",
        "failure": failed.error if failed else "",
        "failed_at": _failed_at(failed.name if failed else "", notebooks),
        "verdict": verdict.get("sentence", ""),
        "metrics": _metrics(metrics, record),
        "figures": [figure for stage in SHOWN if stage in contents for figure in _figures(stage, contents[stage])],
        "tables": [table for table in _tables(record, run) if table.rows or table.text],
        "notebooks": notebooks,
    }
    page["contents"] = _contents(page)
    environment = jinja2.Environment(loader=HERE, autoescape=True)
    write_whole(run_dir / REPORT, environment.get_template("page.html.j2").render(page))
    return run_dir / REPORT


def _failed_at(name: str, notebooks: Sequence[Mapping[str, str]]) -> str:
    """Where the page opens of a run that failed: papermill's mark, else that notebook, else the message."""
    if any(f'id="{FAILED}"' in notebook["html"] for notebook in notebooks):
        return FAILED
    return name if name in [notebook["name"] for notebook in notebooks] else "failure"


def _contents(page: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = {"failure": "What went wrong", "verdict": "Verdict", "metrics": "How good it is", "figures": "Figures"}
    sections = [(anchor, name) for anchor, name in names.items() if page[anchor]]
    sections += [(table.anchor, table.title) for table in page["tables"]]
    return sections + [(notebook["name"], notebook["name"]) for notebook in page["notebooks"]]


def _cells(content: Any) -> str:
    """A notebook's cells as HTML whose headings stand below the page's, and whose links lead to a place in it."""
    html, _ = _exporter().from_notebook_node(content)
    html = html.replace("<pre>", '<pre tabindex="0">')  # what scrolls is reached by the keyboard
    html = html.replace("<th></th>", "<td></td>")  # pandas heads the column of an index by nothing
    return LINK.sub(_link, HEADING.sub(lambda tag: f"<{tag[1]}h{int(tag[2]) + 1}>", html))


@cache  # it compiles its templates anew each time that it is made
def _exporter() -> HTMLExporter:
    return HTMLExporter(template_name="classic", template_file="cells.html.j2", extra_loaders=[HERE])  # type: ignore[no-untyped-call]


def _link(link: re.Match[str]) -> str:
    target, text = link[1], link[2]
    if text.strip() in ("", "&#182;", "\N{PILCROW SIGN}"):  # the mark behind a heading
        return ""
    notebook = re.match(r"(?:\.\./|\./)*(0\d_\w+)\.ipynb", target)
    if notebook and notebook[1] in STAGES:
        return f'<a href="#{notebook[1]}">{text}</a>'
    return f'<a href="{target}">{text}</a>' if target.startswith(("http", f"#{FAILED}")) else text


def _figures(stage: str, content: Any) -> Iterator[dict[str, str]]:
    for cell in content.cells:
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                own = output.get("metadata", {}).get("image/png", {}).get("alt")
                yield {"png": png, "text": own or cell.metadata.get("alt", "A figure."), "notebook": stage}


def _metrics(content: Mapping[str, Any], record: Record) -> dict[str, Any]:
    columns = {who: metrics for who, metrics in content.items() if isinstance(metrics, dict)}
    names = [name for name, value in next(iter(columns.values()), {}).items() if isinstance(value, dict)]
    rows = [(name, [interval(metrics.get(name)) for metrics in columns.values()]) for name in names]
    confidence = record.parameters.get("confidence", 0.95)
    return {"columns": list(columns), "rows": rows, "confidence": f"{confidence:.0%}"} if rows else {}


def _tables(record: Record, run: Run) -> Iterator[Table]:
    summary = json_or_nothing(run.where("summary"))
    rows = tuple((name, f"{count:,}") for name, count in summary.get("rows", {}).items())
    yield Table("rows", "The rows", ("part", "rows"), rows)
    total = sum(count for name, count in summary.get("rows", {}).items() if name in ("train", "holdout"))
    missing = {name: count for name, count in summary.get("missing", {}).items() if count}
    gaps = tuple((name, f"{count:,}", f"{count / max(total, 1):.1%}") for name, count in missing.items())
    text = "" if gaps or not rows else "Nothing is missing in any column."
    yield Table("quality", "What is missing", ("column", "rows without a value", "share"), gaps, text)
    values = ((n, _json(v), record.origins.get(n, "default")) for n, v in record.parameters.items())
    yield Table("parameters", "Parameters, and where each is from", ("parameter", "value", "from"), tuple(values))
    yield Table("provenance", "What made it", ("what", "is"), tuple(_provenance(record)))


def _provenance(record: Record) -> Iterator[tuple[str, str]]:
    clean = {True: "as committed", False: "with changes that are not committed"}.get(record.code.get("clean", ""), "")
    yield "code", " ".join(filter(None, [record.code.get("commit", "")[:DIGITS], clean])) or "no checkout of git"
    yield from ((f"input {path}", digest[:DIGITS]) for path, digest in record.inputs.items())
    yield from ((f"notebook {name}", digest[:DIGITS]) for name, digest in record.notebooks.items())
    for stage in record.stages:
        yield f"{stage.name}", f"{stage.state}, {stage.started or 'not started'}, {stage.seconds or 0:.0f} s"
    yield from record.versions.items()


def _json(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
