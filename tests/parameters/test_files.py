"""Parameter files and ``-p``: what is read, with the line of each value."""

from __future__ import annotations

from pathlib import Path

import pytest
from papermill.iorw import NoDatesSafeLoader
from yaml import load

from lifeboat.errors import ParameterError
from lifeboat.parameters.files import read_parameters
from lifeboat.parameters.yaml_text import read_yaml


def test_each_value_and_each_part_of_one_is_known_by_its_file_and_line(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("# a head\nseed: 1\ngrid:\n  maxDepth:\n    - 2\n    - 3\nshow: [a,\n b]\n")
    second.write_text("seed: 2\ngrid: {numTrees: [5]}\n")
    chosen = read_parameters([first])
    assert chosen.values == {"seed": 1, "grid": {"maxDepth": [2, 3]}, "show": ["a", "b"]}
    assert chosen.origin(("seed",)) == f"{first}, line 2"
    assert chosen.origin(("grid", "maxDepth", 1)) == f"{first}, line 6"
    assert chosen.origin(("show", 1)) == f"{first}, line 8"
    assert chosen.origin(("grid", "other", 0)) == f"{first}, line 3", "the next around it that somebody wrote"
    assert chosen.origin(("num_folds",)) == ""
    both = read_parameters([first, second], ["show=[c]", "show=[d]"])
    assert both.values == {"seed": 2, "grid": {"numTrees": [5]}, "show": ["d"]}
    assert both.origin(("seed",)) == f"{second}, line 1"
    assert both.origin(("grid", "maxDepth", 1)) == f"{second}, line 2", "what is no longer there has no line"
    assert both.origin(("show", 0)) == "-p show=[d]"
    assert both.overrides == {"show"}


def test_a_key_given_twice_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("seed: 1\nlabel: a\nseed: 2\n")
    with pytest.raises(ParameterError, match=r"p\.yaml: 'seed' is given twice, in lines 1 and 3"):
        read_parameters([file])
    file.write_text("grid:\n  a: [1]\n  a: [2]\n")
    with pytest.raises(ParameterError, match="'a' is given twice, in lines 2 and 3"):
        read_parameters([file])


@pytest.mark.parametrize(("text", "kind"), [("- a\n- b\n", "list"), ("hello\n", "str")])
def test_a_file_that_is_no_mapping_is_an_error(tmp_path: Path, text: str, kind: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(text)
    with pytest.raises(ParameterError, match=f"this is a {kind}"):
        read_parameters([file])


@pytest.mark.parametrize("text", ["a: [1\n", "? [a]\n: b\n", "a: *b\n", "a: !!python/object:os.system {}\n"])
def test_a_file_that_is_no_yaml_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(ParameterError, match="this is no YAML"):
        read_parameters([tmp_path / "p.yaml"])


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"cannot read the parameter file .*q\.yaml"):
        read_parameters([tmp_path / "q.yaml"])


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("# nothing yet\n")
    assert read_parameters([tmp_path / "p.yaml"]).values == {}


def test_an_alias_may_lead_back_to_where_it_stands() -> None:
    value, lines = read_yaml("a: &x [1, *x]\nb: *x\n")
    assert value["b"] is value["a"]
    assert lines[("a", 0)] == 1


def test_overrides_are_read_as_yaml_and_win(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("a: 1\nb: x\n")
    chosen = read_parameters([file], ["a=true", "c=[1, 2]", "d=007", "e=local[2]", "f=", "g=x=y", "h=2026-11-24"])
    assert chosen.values == {
        "a": True, "b": "x", "c": [1, 2], "d": 7, "e": "local[2]", "f": "", "g": "x=y", "h": "2026-11-24",
    }  # fmt: skip
    assert chosen.origin(("a",)) == "-p a=true"


def test_what_is_read_is_what_papermill_reads() -> None:
    text = "a: 2026-11-24\nb: 2026-11-24 18:00:00\nc: 1e3\nd: 1.0e3\ne: no\nf: 0o7\ng: 1_000\nh: ~\ni: .nan\nj: '007'\n"
    assert repr(read_yaml(text)[0]) == repr(load(text, NoDatesSafeLoader))


def test_an_override_without_an_equals_sign_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="-p seed: write name=value"):
        read_parameters([], ["seed"])
