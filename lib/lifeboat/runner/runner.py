"""Run the notebooks that are not up to date, in order: one run folder, one warm JVM, stop at the first failure."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

from lifeboat.errors import DataError
from lifeboat.parameters.resolve import RUN_DIR
from lifeboat.run import digest
from lifeboat.run.inputs import addresses, files, input_paths
from lifeboat.run.lock import HOLDER, now, run_lock
from lifeboat.run.paths import from_root
from lifeboat.run.writing import remove
from lifeboat.runner.limits import Clock
from lifeboat.runner.made_from import left_by, made_from, versions
from lifeboat.runner.notebook import Notebook
from lifeboat.runner.progress import Log, Tell, nobody, several
from lifeboat.runner.record import DONE, Record, code_version, read_record
from lifeboat.runner.series import Series
from lifeboat.spark.environment import for_a_while
from lifeboat.spark.jvm import Rows, WarmJvm, shared, where_spark_runs

FEW_UP_TO = 2**20  # bytes of input: some ten thousand rows of text, a hundred thousand where they are packed
QUICK_START_UP_TO = 4 * 2**20  # bytes of input: beyond, the JVM's thorough compiler is worth its time
CHAMPION_MOVED = "RegistryChangedError"  # what notebook 5 says where notebook 4 judged against another champion
LOG = "log.txt"


def run(series: Series, tell: Tell = nobody) -> Record:
    """Execute the notebooks that are not up to date, one after another.

    Args:
        series: What is to be done.
        tell: Who is told how far the run is.

    Returns:
        The record.

    Raises:
        NotebookError: A cell failed or its kernel died; later notebooks have not been started.
        TimeLimitError: A cell, a notebook or the run took too long.
        RunFolderBusyError: Another run is writing into the folder.
        StageOrderError: A notebook before the first that is to run is not up to date.
    """
    environment = {"MLFLOW_DISABLE_TELEMETRY": "true", HOLDER: str(os.getpid()), **series.parameters.environment}
    with ExitStack() as stack:
        stack.enter_context(run_lock(series.run_dir))
        tidy(series.run_dir)
        log = stack.enter_context(Log(series.run_dir / LOG))
        stack.enter_context(for_a_while(environment))
        series.record = read_record(series.run_dir, series.names)
        tell_all = several(tell, log)
        try:
            _run(series, tell_all)
        except BaseException as error:
            if isinstance(error, Exception) and any(stage.error for stage in series.record.stages):
                _report(series)
            tell_all("end", state=_state(error), message=str(error) or "interrupted")
            raise
        tell_all("end", state=DONE, message="the run has ended well")
    return series.record


def _report(series: Series) -> None:
    if series.options.report:
        from lifeboat.runner.report import write_report  # takes a second to import

        write_report(series.run_dir)


def _run(series: Series, tell: Tell) -> None:
    to_come = {name for name, reasons in series.plan().items() if reasons}
    earlier = {name: seconds for name, seconds in seconds_of_earlier_runs(series).items() if name in to_come}
    clock = Clock(series.options.limits)
    clock.start("run")
    _begin(series)
    tell("run", message=f"run {series.run_dir.name}", run=series.run_dir.name, notebooks=series.names)
    waiting, repeated = [*series.notebooks], False
    with _Engine(series) as engine:
        while waiting:
            notebook = waiting.pop(0)
            facts = {"notebook": notebook.name, "seconds_left": sum(earlier.get(later.name, 0) for later in waiting)}
            if not (reasons := series.reasons(notebook)):
                tell("notebook", **facts, state="up to date", seconds=series.stage(notebook).seconds or 0)
                continue
            try:
                with _recorded(series, notebook, tell, reasons, facts, earlier.get(notebook.name, 0)):
                    _execute(series, notebook, tell, clock, engine.jvm([notebook, *waiting]))
            except Exception as error:
                if repeated or getattr(error, "kind", "") != CHAMPION_MOVED or notebook is series.notebooks[0]:
                    raise
                repeated, judge = True, series.notebooks[series.notebooks.index(notebook) - 1]
                series.stage(judge).state = "waiting"  # it judged against a champion that is none any more
                waiting[:0] = [judge, notebook]
                engine.stop()
    if engine.started:
        _report(series)


def _begin(series: Series) -> None:
    record, values = series.record, series.values
    record.parameters, record.origins = values, series.parameters.origins
    record.inputs = {path: digest(path) for _, path in input_paths(values) if files(path)}
    record.notebooks = {notebook.name: digest(notebook.path) for notebook in series.notebooks}
    record.versions, record.code, record.lean = versions(), code_version(), series.options.lean
    record.write(series.run_dir)


class _Engine:
    """What kernels need: folders of their own, and one JVM for all. It starts once something runs."""

    def __init__(self, series: Series) -> None:
        self._series, self._stack = series, ExitStack()
        self._warm: WarmJvm | None = None
        self._runs = self.started = False

    def jvm(self, to_come: Sequence[Notebook]) -> WarmJvm | None:
        """The JVM; None where there is none of ours: Spark Connect needs none, one that is kept warm will do.

        Args:
            to_come: The notebook that needs it, and those after it.
        """
        if not self._runs:
            from lifeboat.runner.forked import can_fork, preloaded
            from lifeboat.runner.kernel import own_homes, without_habits

            values = self._series.values
            self._stack.enter_context(own_homes(self._series.run_dir))
            Thread(target=import_module, args=("lifeboat.runner.execute",)).start()  # while Java starts
            if can_fork():
                # it imports while Java starts
                self._stack.enter_context(preloaded(to_come, without_habits(os.environ)))
            if not where_spark_runs(str(values.get("spark", ""))).startswith("sc://") and not shared():
                self._warm = self._stack.enter_context(WarmJvm(expected_rows(values)))
            self._runs = self.started = True
        return self._warm

    def stop(self) -> None:
        """End the JVM, in which a notebook that failed may have left its session; the next one starts anew."""
        self._stack.close()
        self._warm, self._runs = None, False

    def __enter__(self) -> _Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def expected_rows(values: Mapping[str, Any]) -> Rows:
    """How many rows parameters name, by the size of the files; of an address on other storage nobody knows."""
    size = input_bytes(values)
    if size > QUICK_START_UP_TO:
        return "many"
    return "few" if size <= FEW_UP_TO and not addresses(values) else ""


def input_bytes(values: Mapping[str, Any]) -> int:
    """The size of all files that parameters name, those of folders included."""
    return sum(file.stat().st_size for _, path in input_paths(values) for file in files(path))


def _execute(series: Series, notebook: Notebook, tell: Tell, clock: Clock, jvm: WarmJvm | None) -> None:
    """Execute one notebook, and note what it was made from and what it left."""
    from lifeboat.runner.execute import execute

    stage, offered = series.stage(notebook), {**series.parameters.handed(), RUN_DIR: from_root(series.run_dir)}
    notebook = Notebook(notebook.path, notebook.left_out)  # as it is now: the plan may have read it minutes ago
    stage.made_from, stage.left = {}, {}
    begun = made_from(notebook, series.values)
    for path, now_there in begun["inputs"].items():
        if series.record.inputs.get(path, now_there["digest"]) != now_there["digest"]:
            raise DataError(f"{path} has changed since this run began: run again, and what read it before is done anew")
    clock.start("notebook")
    handed = {name: offered[name] for name in notebook.taken if name in offered}
    execute(notebook, series.run_dir / notebook.path.name, handed, tell, series.notes, clock, jvm)
    stage.made_from, stage.left = begun, left_by(series.run_dir, notebook.name)
    series.executed.add(notebook.name)


@contextmanager
def _recorded(
    series: Series,
    notebook: Notebook,
    tell: Tell,
    reasons: list[str],
    facts: Mapping[str, Any],
    own_seconds: float,
) -> Iterator[None]:
    """Keep ``run.json`` true while a notebook runs and however it ends."""
    stage, clock = series.stage(notebook), time.perf_counter()
    stage.state, stage.started, stage.error = "running", now(), None
    series.record.write(series.run_dir)
    left = facts["seconds_left"] + own_seconds
    tell("notebook", **{**facts, "seconds_left": left}, state=stage.state, reasons=reasons)
    try:
        yield
        stage.state = DONE
    except BaseException as error:
        stage.state, stage.error = _state(error), str(error) or type(error).__name__
        raise
    finally:
        stage.seconds = round(time.perf_counter() - clock, 3)
        series.record.write(series.run_dir)
        tell("notebook", **facts, state=stage.state, seconds=stage.seconds)


def _state(error: BaseException) -> str:
    return "failed" if isinstance(error, Exception) else "interrupted"


def seconds_of_earlier_runs(series: Series) -> dict[str, float]:
    """How long each notebook took: in this run folder, else in the run beside it that was written last."""
    beside = sorted(series.run_dir.parent.glob("*/run.json"), key=lambda file: file.stat().st_mtime)
    known: dict[str, float] = {}
    for file in beside:
        known |= read_record(file.parent, series.names).seconds
    return known | series.record.seconds


def tidy(run_dir: Path) -> None:
    """Remove what a killed run left half written, and put back what it was about to replace."""
    for path in run_dir.glob(".*.unfinished*"):
        remove(path)
    for old in run_dir.glob(".*.old"):
        target = old.with_name(old.name[1 : -len(".old")])
        remove(old) if target.exists() else old.rename(target)
