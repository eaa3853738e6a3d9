from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from rich.console import Console

from lifeboat.errors import ParameterError
from lifeboat.parameters import titanic
from lifeboat.parameters.files import Chosen
from lifeboat.parameters.resolve import Resolved
from lifeboat.run import digest
from lifeboat.runner.execute import NotebookError
from lifeboat.runner.folders import run_folder
from lifeboat.runner.progress import Bars, Tell, nobody
from lifeboat.runner.record import Record
from lifeboat.runner.runner import expected_rows, input_bytes, run
from lifeboat.runner.series import Options, Series

Write = Callable[..., Path]
FIRST = 'run_dir: str = "outputs/tutorial"\nword: str = "a"  # written down\n'
SECOND = 'run_dir: str = "outputs/tutorial"\ntimes: int = 1  # how often\n'
WRITE_WORD = """from pathlib import Path
from lifeboat.run import resolve
_ = (resolve(run_dir) / "word.txt").write_text(word)"""
REPEAT_WORD = """from lifeboat.run import resolve
print(resolve(run_dir).joinpath("word.txt").read_text() * times)"""


class Seen:
    """Writes down what a run tells."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def __call__(self, event: str, **facts: Any) -> None:
        if event in ("cells", "cell"):
            self.events.append((event, facts[event]))
        elif event == "notebook":
            self.events.append((facts["notebook"], facts["state"]))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's root with nothing in it; no JVM is started, as these notebooks use no Spark."""
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    monkeypatch.setenv("SPARK_REMOTE", "sc://nowhere")
    return tmp_path


def run_all(
    notebooks: list[Path], parameters: dict[str, Any], run_dir: Path, tell: Tell = nobody, **options: Any
) -> Record:
    resolved = Resolved(parameters, dict.fromkeys(parameters, "-p"), Chosen(parameters), environment={})
    return run(Series(notebooks, resolved, run_dir, Options(**options)), tell)


def printed(notebook: Path) -> str:
    return "".join(
        output.text
        for cell in nbformat.read(notebook, as_version=4).cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    )


def test_notebooks_run_in_order_and_each_gets_only_the_parameters_it_declares(
    home: Path, write_notebook: Write
) -> None:
    notebooks = [
        write_notebook(home / "notebooks" / "01_write.ipynb", FIRST, WRITE_WORD, "assert 'times' not in globals()"),
        write_notebook(home / "notebooks" / "02_read.ipynb", SECOND, REPEAT_WORD, "assert 'word' not in globals()"),
    ]
    before = [notebook.read_bytes() for notebook in notebooks]
    run_dir, seen = run_folder("trial"), Seen()
    run_all(notebooks, {"word": "ab", "times": 2}, run_dir, tell=seen)
    assert printed(run_dir / "02_read.ipynb") == "abab\n"
    assert [notebook.read_bytes() for notebook in notebooks] == before
    cells = [("cell", index) for index in range(4)]
    assert seen.events == [
        ("01_write", "running"), ("cells", 4), *cells, ("01_write", "done"),
        ("02_read", "running"), ("cells", 4), *cells, ("02_read", "done"),
    ]  # fmt: skip
    assert [file.name for file in run_dir.iterdir() if "unfinished" in file.name] == []


def test_the_record_says_what_ran_on_what(home: Path, write_notebook: Write) -> None:
    (home / "rows.csv").write_text("a\n1\n")
    notebook = write_notebook(home / "notebooks" / "01.ipynb", 'rows_path: str = "rows.csv"', "pass")
    run_dir = run_folder("trial")
    run_all([notebook], {"rows_path": "rows.csv"}, run_dir)
    record = json.loads((run_dir / "run.json").read_text())
    assert record["parameters"] == {"rows_path": "rows.csv", "run_dir": "outputs/trial"}
    # by sha256sum
    assert record["inputs"] == {"rows.csv": "309b0e45a73d3fc5325e2b6ed0a01ef8b9cde6b05a5633c1f893f970d52bfddc"}
    assert record["notebooks"] == {"01": digest(notebook)}
    assert record["versions"]["papermill"] == "2.7.0"
    (stage,) = record["stages"]
    assert (stage["name"], stage["state"], stage["error"]) == ("01", "done", None)
    assert stage["seconds"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", stage["started"])


def test_no_credential_of_an_address_is_left_in_the_record_the_message_or_the_executed_notebook(
    home: Path, write_notebook: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_REMOTE", "sc://host:443/;token=SECRET")
    cell = "import os\nplace = os.environ['SPARK_REMOTE']\nprint(place)\nraise OSError(f'no answer from {place}')"
    notebook = write_notebook(home / "notebooks" / "01.ipynb", 'tracking_uri: str = ""', cell)
    run_dir = run_folder("trial")
    with pytest.raises(NotebookError, match=r"no answer from sc://host:443/;token=\*\*\*") as caught:
        run_all([notebook], {"tracking_uri": "postgresql://ann:SECRET@host/runs"}, run_dir)
    left = [file.read_text() for file in (run_dir / "run.json", run_dir / "01.ipynb")]
    assert not [text for text in (str(caught.value), *left) if "SECRET" in text]
    assert "sc://host:443/;token=***" in left[1]


def test_a_failure_stops_the_series_and_says_where_and_what_to_open(home: Path, write_notebook: Write) -> None:
    notebooks = [
        write_notebook(home / "notebooks" / "01.ipynb", "a: int = 1", "b = 1", "\n\nint('x' *\n    a)", "c = 1"),
        write_notebook(home / "notebooks" / "02.ipynb", "a: int = 1", "pass"),
    ]
    run_dir = run_folder("trial")
    with pytest.raises(NotebookError) as caught:
        run_all(notebooks, {"a": 2}, run_dir)
    message = str(caught.value)
    assert message == (
        "01 stopped at cell [4]: int('x' *\n"
        "  ValueError: invalid literal for int() with base 10: 'xx'\n"
        f"Open {run_dir / '01.ipynb'} to see it where it happened."
    )
    states = [stage["state"] for stage in json.loads((run_dir / "run.json").read_text())["stages"]]
    assert states == ["failed", "waiting"]
    assert not (run_dir / "02.ipynb").exists()
    opened = nbformat.read(run_dir / "01.ipynb", as_version=4)
    assert "An Exception was encountered" in opened.cells[0].source
    assert [cell.get("execution_count") for cell in opened.cells if cell.cell_type == "code"] == [1, 2, 3, 4, None]


def test_a_long_message_is_cut_and_has_no_colour_codes(home: Path, write_notebook: Write) -> None:
    source = "raise RuntimeError('\\x1b[31mred\\x1b[0m' + '\\nat java.lang.Thread' * 99)"
    notebook = write_notebook(home / "notebooks" / "01.ipynb", "a: int = 1", source)
    with pytest.raises(NotebookError) as caught:
        run_all([notebook], {}, run_folder("trial"))
    lines = str(caught.value).splitlines()
    assert lines[1] == "  RuntimeError: red"
    assert lines[13] == "  ... (the notebook has all of it)"
    assert len(lines) == 15


def test_a_kernel_that_dies_is_told_with_the_cell_it_died_in_and_its_last_words(
    home: Path, write_notebook: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    dies = "import os; os.write(2, b'out of memory'); os.abort()"
    notebook = write_notebook(home / "notebooks" / "01.ipynb", "a: int = 1", dies)
    run_dir = run_folder("trial")
    with pytest.raises(NotebookError) as caught:
        run_all([notebook], {}, run_dir)
    message = str(caught.value)
    assert message.startswith("01 stopped at cell number 2: import os; os.write(2, b'out of memory'); os.abort()\n")
    assert message.splitlines()[1:3] == ["  DeadKernelError: Kernel died (by SIGABRT)", "  out of memory"]
    assert (run_dir / "01.ipynb").exists()
    assert capfd.readouterr().err == ""


KILL_JVM = """import os, psutil, threading
runner = psutil.Process(int(os.environ["LIFEBOAT_RUN_HOLDER"]))
here = int(os.environ["PYSPARK_GATEWAY_PORT"])
for process in runner.children(recursive=True):
    if process.name() == "java" and here in {at.laddr.port for at in process.net_connections()}:
        process.kill()
threading.Event().wait()"""


def test_a_jvm_that_dies_ends_the_run_though_the_cell_has_not_noticed_and_is_told_with_its_last_words(
    tmp_path: Path, write_notebook: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET", "SPARK_REMOTE"):
        monkeypatch.delenv(name, raising=False)
    notebook = write_notebook(tmp_path / "notebooks" / "01.ipynb", 'spark: str = "local[1]"', KILL_JVM)
    with pytest.raises(NotebookError) as caught:
        run_all([notebook], {"spark": "local[1]"}, run_folder("trial"))
    lines = str(caught.value).splitlines()
    assert lines[:2] == [
        "01 stopped at cell number 3: import os, psutil, threading",
        "  Spark's JVM died (by SIGKILL). It said last:",
    ]


def test_the_kernel_is_this_python_though_another_is_installed_by_that_name(
    home: Path, write_notebook: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = home / "jupyter" / "kernels" / "python3"
    other.mkdir(parents=True)
    argv = [str(home / "no-such-python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (other / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(home / "jupyter"))
    notebook = write_notebook(home / "notebooks" / "01.ipynb", "a: int = 1", "import sys; print(sys.executable)")
    run_all([notebook], {}, run_folder("trial"))
    assert printed(run_folder("trial") / "01.ipynb").strip() == sys.executable


def test_a_kernel_runs_nothing_that_a_person_has_set_up_for_work_by_hand(
    home: Path, write_notebook: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    startup = home / "ipython" / "profile_default" / "startup" / "habit.py"
    startup.parent.mkdir(parents=True)
    startup.write_text("habit = 1; print('habit')")
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    monkeypatch.setenv("PYTHONSTARTUP", str(startup))
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("HOME", "/proc/none")
    cell = "import warnings; warnings.warn('w', DeprecationWarning); print('habit' in globals())"
    notebook = write_notebook(home / "notebooks" / "01.ipynb", "a: int = 1", cell)
    run_all([notebook], {}, run_folder("trial"))
    assert printed(run_folder("trial") / "01.ipynb").startswith("False\n")  # and then the warning


DRAW = """import matplotlib.pyplot as plt
from lifeboat import plots
plots.use_style()
plots.use_style()
_, ax = plt.subplots()
_ = ax.set_title("12 of 40 rows are\\ncalled wrongly", loc="left")"""


def test_a_figure_in_a_notebook_says_what_it_found_to_who_cannot_see_it(home: Path, write_notebook: Write) -> None:
    notebook = write_notebook(home / "notebooks" / "01.ipynb", "a: int = 1", DRAW, "_ = plt.subplots()")
    run_all([notebook], {}, run_folder("trial"))
    first, second = (cell.outputs for cell in nbformat.read(run_folder("trial") / "01.ipynb", as_version=4).cells[-2:])
    assert [output.metadata.get("image/png") for output in first] == [{"alt": "12 of 40 rows are called wrongly."}]
    assert [output.metadata.get("image/png") for output in second] == [None]
    html, _ = HTMLExporter(template_name="basic").from_filename(str(run_folder("trial") / "01.ipynb"))
    assert 'alt="12 of 40 rows are called wrongly."' in html


EXTENDED = "from lifeboat.spark import session; session.start()"


def test_a_notebook_that_is_handed_a_file_which_extends_another_says_how_papermill_is_given_the_whole(
    home: Path, write_notebook: Write
) -> None:
    notebook = write_notebook(home / "notebooks" / "01.ipynb", 'extends: str = ""', EXTENDED)
    with pytest.raises(NotebookError, match=r"extends: base\.yaml is for `lifeboat run`; `lifeboat params FILE"):
        run_all([notebook], {"extends": "base.yaml"}, run_folder("trial"))


def test_no_notebook_may_send_usage_figures(home: Path, write_notebook: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    cell = "import os; print(os.environ['MLFLOW_DISABLE_TELEMETRY'], os.getcwd())"
    notebook = write_notebook(home / "notebooks" / "01.ipynb", "a: int = 1", cell)
    run_all([notebook], {}, run_folder("trial"))
    assert printed(run_folder("trial") / "01.ipynb").strip() == f"true {home / 'notebooks'}"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "false"


def test_notebooks_share_one_jvm_and_stop_only_their_own_session(
    tmp_path: Path, write_notebook: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET", "SPARK_REMOTE"):
        monkeypatch.delenv(name, raising=False)
    cells = (
        "from lifeboat.spark import session; s = session.start(spark); s.range(7).count()",
        "import os; print(s.sparkContext._jvm.java.lang.ProcessHandle.current().pid()); s.stop()",
    )
    parameters = 'spark: str = "local[1]"'
    notebooks = [write_notebook(tmp_path / "notebooks" / f"0{n}.ipynb", parameters, *cells) for n in (1, 2)]
    run_dir = run_folder("trial")
    run_all(notebooks, {"spark": "local[1]"}, run_dir)
    pids = {printed(run_dir / f"0{n}.ipynb").strip() for n in (1, 2)}
    assert len(pids) == 1
    assert "PYSPARK_GATEWAY_PORT" not in os.environ
    assert not Path("/proc", pids.pop()).exists()


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "mlartifacts", "a b"])
def test_a_run_takes_a_plain_name(name: str) -> None:
    with pytest.raises(ParameterError, match="a run cannot be named"):
        run_folder(name)


def test_the_size_of_the_input_is_that_of_all_files_and_folders_that_paths_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "part-0.csv").write_text("12345")
    (tmp_path / "more.csv").write_text("123")
    parameters = {"labelled_path": "rows", "unlabelled_path": "more.csv", "other_path": "", "label": "rows"}
    assert input_bytes(parameters) == 8


@pytest.mark.parametrize("path", [titanic.LABELLED, "data/others.csv"])
def test_a_notebook_that_ran_on_another_data_set_says_so_on_top_and_leaves_out_what_is_about_its_own(
    home: Path, write_notebook: Write, path: str
) -> None:
    about = f'labelled_path: str = "{titanic.LABELLED}"  # CSV\n'
    notebooks = [write_notebook(home / "01.ipynb", about, "pass"), write_notebook(home / "02.ipynb", SECOND, "pass")]
    content = nbformat.read(notebooks[1], as_version=4)
    tags = {"tags": ["about-this-data", "demonstration"]}
    content.cells += [nbformat.v4.new_markdown_cell("Look at the sailors.", metadata=tags)]
    content.cells += [nbformat.v4.new_code_cell("print('sailors')", metadata=tags), nbformat.v4.new_code_cell("1")]
    nbformat.write(content, notebooks[1])
    before = notebooks[1].read_bytes()
    run_all(notebooks, {"labelled_path": path}, home / "run")
    assert notebooks[1].read_bytes() == before
    assert [left.name for left in (home / "run").glob(".*")] == [".lock"]
    executed = nbformat.read(home / "run" / "02.ipynb", as_version=4)
    assert executed.metadata.papermill.input_path == str(notebooks[1])
    assert executed.metadata.papermill.output_path == str(home / "run" / "02.ipynb")
    assert executed.cells[-1].source == "1"
    assert [cell.source for cell in executed.cells if "sailors" in cell.source] == (
        ["Look at the sailors.", "print('sailors')"] if path == titanic.LABELLED else []
    )
    run_all(notebooks, {"labelled_path": path}, home / "lean", lean=True)
    lean = nbformat.read(home / "lean" / "02.ipynb", as_version=4)
    assert not [cell.source for cell in lean.cells if "sailors" in cell.source]
    assert ["**Lean.**" in lean.cells[0].source, lean.cells[-1].source] == [True, "1"]
    for notebook in notebooks:
        first = nbformat.read(home / "run" / notebook.name, as_version=4).cells[0]
        if path == titanic.LABELLED:
            assert first.cell_type == "code"
        else:
            assert f"was written about `{titanic.LABELLED}`; this run read `data/others.csv`" in first.source


def test_on_a_terminal_a_bar_for_the_notebooks_and_one_for_the_cells_say_how_far_the_run_is() -> None:
    screen = io.StringIO()
    with Bars(5, Console(file=screen, force_terminal=True, width=100)) as bars:
        bars("notebook", notebook="01_load", state="running", seconds_left=0)
        bars("notebook", notebook="01_load", state="done", seconds=2.34)
        bars("notebook", notebook="02_preprocess", state="running", seconds_left=170)
        bars("cells", cells=7)
        bars("cell", cell=3)
        bars("step", text="2 of 6 done (fold 1 of 3)")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "01_load        done           2.3 s\n" in text
    *_, series, cells = [line for line in text.splitlines() if "/" in line]
    assert re.fullmatch(r"\s*series +\S+ +1/5 notebooks \d:\d\d:\d\d about 3 min left *", series)
    assert re.fullmatch(r"02_preprocess +\S+ +3/7 cells +\d:\d\d:\d\d 2 of 6 done \(fold 1 of 3\) *", cells)


@pytest.mark.parametrize(
    ("size", "rows"), [(0, "few"), (2**20, "few"), (2**20 + 1, ""), (2**22, ""), (2**22 + 1, "many")]
)
def test_how_many_rows_to_expect_follows_from_the_size_of_the_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, rows: str
) -> None:
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    (tmp_path / "rows.csv").write_bytes(bytes(size))
    assert expected_rows({"labelled_path": "rows.csv"}) == rows


def test_of_an_address_on_other_storage_nobody_knows_how_many_rows_it_has() -> None:
    assert expected_rows({"enrich": {"joins": [{"path": "s3a://bucket/rows.csv"}]}}) == ""
