"""A process's memory, and scripts under a limit of it."""

from __future__ import annotations

import os
import time

import psutil
import pytest

from lifeboat.spark.memory import ScriptError, run_within, usage


def test_a_process_s_memory_and_processor_seconds_are_seen() -> None:
    held, used = usage(psutil.Process())
    assert held >= psutil.Process().memory_info().rss // 2
    assert 0 < used[os.getpid()] <= time.process_time() + 60


def test_a_script_that_stays_below_the_limit_is_what_it_prints() -> None:
    assert run_within("print(sum(range(4)))", 1024) == "6\n"


def test_a_script_that_goes_over_the_limit_is_ended_before_it_prints() -> None:
    assert run_within("import time; held = bytearray(2**28); time.sleep(60); print(len(held))", 128) is None


def test_what_a_script_starts_counts_too_and_is_ended_with_it() -> None:
    child = "import time; held = bytearray(2**28); time.sleep(61)"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    assert run_within(script, 128) is None
    left = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    assert not [words for words in left if words and words[-1] == child]


def test_a_script_that_fails_within_the_limit_says_why() -> None:
    with pytest.raises(ScriptError, match=r"ended with 1:(?s:.)*ZeroDivisionError"):
        run_within("1 / 0", 1024)


def test_a_spark_of_the_script_s_own_gets_half_of_the_limit_and_no_other_s_jvm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFEBOAT_DRIVER_MEMORY", "8g")
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    monkeypatch.setenv("LIFEBOAT_SPARK_UI", "on")  # its session would print where the page is, beside the answer
    names = "LIFEBOAT_DRIVER_MEMORY", "PYSPARK_GATEWAY_PORT", "LIFEBOAT_SPARK_UI"
    asked = f"import os; print([os.environ.get(name) for name in {names}])"
    assert run_within(asked, 1024) == "['512m', None, None]\n"
