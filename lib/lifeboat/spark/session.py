"""Start and stop Spark: on this machine, on a cluster or by Spark Connect."""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import socket
import sys
import uuid
import warnings
from collections.abc import Callable

import psutil
from pyspark.sql import DataFrame, SparkSession

from lifeboat import moved_from
from lifeboat.errors import ParameterError, need_none, redacted
from lifeboat.spark.environment import LOOPBACK, UI, need_memory, spare_loopback
from lifeboat.spark.jvm import ROWS, WHERE, WarmJvm, plain_start, shared, where_spark_runs
from lifeboat.spark.lazy_trees import keep_trees_in_spark

Settings = dict[str, bool | float | int | str | None]  # as Spark's builder takes them

SETTINGS: Settings = {
    "spark.app.name": "lifeboat",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    # what a machine's or a cluster's own defaults may say otherwise, and rows would mean something else
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    # Java never compiles a method of more bytes, and Spark makes one of all that a query does to a row: it then goes
    # through such a method byte by byte for each row, three times slower than through several
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # Spark joins small shuffle partitions by itself; this is where it starts from
    "spark.sql.shuffle.partitions": "16",
}
# Where rows are few, Spark else takes longer to plan the rest of a query anew after each exchange of rows, as a job of
# its own, than to do it; and to write several methods in place of a long one, than to go through that
FEW_ROWS: Settings = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.hugeMethodLimit": "65535",
}
# those that Spark Connect lets a session set
IN_A_SESSION: Settings = {name: value for name, value in SETTINGS.items() if name.startswith("spark.sql.")}
CLASSIC: Settings = {"spark.api.mode": "classic"}  # SPARK_API_MODE may say `connect`, and start a server here
# with spark on this machine alone, no address of a network and no other file system than its own has a say
ON_THIS_MACHINE: Settings = {
    "spark.driver.host": LOOPBACK,
    "spark.driver.bindAddress": LOOPBACK,
    "spark.hadoop.fs.defaultFS": "file:///",
}

__getattr__ = moved_from(__name__)
_jvm: WarmJvm | None = None


def start(spark: str = "local[*]", explicit: bool = False) -> SparkSession:
    """Start Spark, or take the session that is there.

    An active session wins (a hosted notebook brings one), then ``SPARK_REMOTE`` and ``LIFEBOAT_SPARK`` in the
    environment, then the argument: so one set of parameters runs anywhere. A notebook says where Spark runs if that is
    not what its cell says. ``LIFEBOAT_SPARK_UI=on`` in the environment has Spark show its jobs on a page of its own,
    whose address is printed.

    Args:
        spark: ``local[4]`` (four cores of this machine), ``local[*]`` (all of them), ``local-cluster[2,1,1024]`` (a
            cluster on this machine: two workers of one core and 1024 MB), a cluster's address such as
            ``spark://host:7077``, ``yarn`` or ``k8s://...``, or ``sc://host`` (Spark Connect). ``SPARK_REMOTE`` may
            be ``local[2]`` too: Spark Connect to a server that this process starts.
        explicit: Whether somebody typed it for this process: then the environment has no say in it.

    Returns:
        The session. Stop it with ``spark.stop()``.

    Raises:
        lifeboat.spark.jvm.JavaNotFoundError: There is no Java that Spark can use.
        ParameterError: There is no way to the cluster that ``spark`` names, or it holds a token: that belongs into the
            environment.
    """
    _need_whole_parameters()
    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    need_none("spark", spark)
    keep_trees_in_spark()
    if explicit:
        for variable in WHERE:
            os.environ.pop(variable, None)
    where = where_spark_runs(spark)
    if where != spark and "ipykernel" in sys.modules:
        variable = next(name for name in WHERE if os.environ.get(name))
        print(f"Spark runs on {redacted(where)!r}, as {variable} in the environment says; here stands {spark!r}.")
    spare_loopback()
    if where.startswith("sc://"):
        return SparkSession.builder.remote(where).config(map=IN_A_SESSION).getOrCreate()
    if where.startswith("local") or "PYSPARK_PYTHON" not in os.environ:  # a cluster's Python may be at another place
        os.environ["PYSPARK_PYTHON"] = sys.executable
    if not shared():
        global _jvm  # kept for the life of the process: the next session starts in a fraction of the time
        _jvm = WarmJvm()
    settings = SETTINGS | for_executors(where) | (ON_THIS_MACHINE if where.startswith("local") else {})
    settings |= FEW_ROWS if os.environ.get(ROWS) == "few" else {}
    with plain_start(where, _jvm), warnings.catch_warnings():
        if os.environ.get("SPARK_REMOTE"):
            # that a session cannot set what its server was just started with
            warnings.filterwarnings("ignore", "Failed to set spark", UserWarning)
            return SparkSession.builder.remote(where).config(map=settings).getOrCreate()
        page: Settings = {"spark.ui.enabled": "true", "spark.ui.port": "0"} if os.environ.get(UI) == "on" else {}
        session = SparkSession.builder.master(where).config(map=settings | CLASSIC | page).getOrCreate()
    if page:
        print(f"Spark shows its jobs at {session.sparkContext.uiWebUrl}, as long as this session lasts.")
    return session


def _need_whole_parameters() -> None:
    """Raise ParameterError in a notebook that was handed a parameter file's ``extends``: papermill takes any name."""
    if "ipykernel" in sys.modules:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if base := shell and shell.user_ns.get("extends"):
            raise ParameterError(
                f"extends: {base} is for `lifeboat run`; `lifeboat params FILE --flat` prints one file for papermill"
            )


def for_executors(where: str) -> Settings:
    """Settings for executors, which are processes of their own: their memory, and where and how they find this one."""
    settings: Settings = {}
    if memory := need_memory("LIFEBOAT_EXECUTOR_MEMORY"):
        settings["spark.executor.memory"] = memory
    if where.startswith("local-cluster"):  # its master takes work from nobody else
        settings |= {"spark.authenticate": "true", "spark.authenticate.secret": secrets.token_hex(32)}
    if not where.startswith("local") and os.environ.get("SPARK_LOCAL_IP") in (None, LOOPBACK):
        settings["spark.driver.host"] = own_address(where)
    return settings


def own_address(master: str) -> str:
    """This machine's address as a cluster's master sees it: the loopback one where both are on one machine."""
    match = re.search(r"([^/:,]+):(\d+)", master)
    try:
        if not match:  # yarn, or a Kubernetes whose address names no port
            return socket.gethostbyname(socket.gethostname())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect((match[1], int(match[2])))  # of a datagram socket: nothing is sent
            return str(way.getsockname()[0])
    except OSError as error:
        raise ParameterError(f"spark is {master!r}, and there is no way to it from here: {error}") from error


def steps_of_plan(df: DataFrame) -> list[str]:
    """The names of the steps of a frame's plan, from the last to the first."""
    with contextlib.redirect_stdout(io.StringIO()) as plan:
        df.explain()
    return re.findall(r"^[ *+\-:(\d)]*([A-Z]\w+)", plan.getvalue(), re.MULTILINE)


def executors(session: SparkSession) -> list[psutil.Process]:
    """The processes on this machine that work for a session on a cluster."""
    application = session.sparkContext.applicationId
    processes = psutil.process_iter(["cmdline"])
    return [process for process in processes if application in (process.info["cmdline"] or [])]


def count_jobs(session: SparkSession, work: Callable[[], object]) -> int | None:
    """Do ``work`` and count the Spark jobs it took; None where Spark does not tell (Spark Connect)."""
    if not hasattr(session, "_jvm"):
        work()
        return None
    context, group = session.sparkContext, str(uuid.uuid4())
    context.setJobGroup(group, "counted")
    try:
        work()
    finally:
        context.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]
    return len(context.statusTracker().getJobIdsForGroup(group))
