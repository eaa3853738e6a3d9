"""A real cluster on this machine: it works, ends with its owner however that ends, and says why it did not start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lifeboat.cluster import Cluster, ClusterDidNotStartError, members
from lifeboat.errors import ParameterError

OWNER = """
import sys
from lifeboat.cluster import Cluster
cluster = Cluster(workers=1)
print(cluster.folder, *cluster.worker_pids, flush=True)
sys.stdin.read()
"""


def lifeboat(home: Path, *arguments: str) -> str:
    environment = os.environ | {"LIFEBOAT_HOME": str(home)}
    command = [sys.executable, "-m", "lifeboat", *arguments]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert said.returncode == 0, said.stderr
    return said.stdout


def test_a_cluster_ends_when_its_owner_is_killed() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    folder, worker = owner.stdout.readline().split()
    alive = members(Path(folder))
    assert int(worker) in [process.pid for process in alive]
    assert len(alive) == 3  # the master, the worker, and who watches over the owner
    owner.kill()
    owner.communicate()
    assert psutil.wait_procs(alive, timeout=60)[1] == []
    assert members(Path(folder)) == []
    assert not Path(folder).exists()


def test_up_leaves_a_cluster_and_down_ends_it_though_its_master_has_crashed(tmp_path: Path) -> None:
    assert lifeboat(tmp_path, "cluster", "down") == "There is no cluster here.\n"
    said = lifeboat(tmp_path, "cluster", "up", "--workers", "1")
    folder = tmp_path / "outputs" / ".cluster"
    url = json.loads((folder / "addresses.json").read_text())["url"]
    assert f"-p spark={url}" in said
    again = lifeboat(tmp_path, "cluster", "up")
    assert again.startswith("A cluster is up already")
    assert url in again
    alive = members(folder)
    (master,) = [process for process in alive if any("master.Master" in part for part in process.cmdline())]
    assert len(alive) == 2
    master.kill()
    psutil.wait_procs([master])
    assert lifeboat(tmp_path, "cluster", "down") == "The cluster is down.\n"
    assert psutil.wait_procs(alive, timeout=60)[1] == []
    assert not folder.exists()


def test_a_start_that_fails_says_what_the_part_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_DAEMON_MEMORY", "much")
    with pytest.raises(ClusterDidNotStartError, match=r"(?s)the cluster's master ended with status 1.*-Xmxmuch"):
        Cluster(folder=tmp_path / "cluster")
    assert members(tmp_path / "cluster") == []
    assert not (tmp_path / "cluster").exists()


def test_a_cluster_without_workers_or_with_too_little_memory_is_refused() -> None:
    with pytest.raises(ParameterError, match="0 workers of 1 cores cannot be"):
        Cluster(workers=0)
    for memory in ("1 GB", "512m", "0g"):
        with pytest.raises(ParameterError, match=f"memory is '{memory}'; it takes '1g' or more"):
            Cluster(memory=memory)
