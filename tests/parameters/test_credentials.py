"""No credential of an address in what a run says or leaves."""

from __future__ import annotations

import pytest

from lifeboat.errors import ParameterError, credential_error, need_none, redacted, redacted_all

PLAIN = [
    "local[*]",
    "spark://host:7077",
    "sc://host:443/;x-databricks-cluster-id=0123",
    "sqlite:///outputs/mlflow.db",
    "postgresql://ann@host/runs",
    "s3a://bucket/rows.parquet",
    "data/titanic/titanic_train.csv",
    "mail to ann@example.org: 10:30",
]


@pytest.mark.parametrize("text", PLAIN)
def test_an_address_without_a_credential_is_left_as_it_is(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("sc://host:443/;token=abc;user_id=1", "sc://host:443/;token=***;user_id=1"),
        ("postgresql://ann:pa-ss@host/runs", "postgresql://ann:***@host/runs"),
        ("mysql+pymysql://ann:p@host:3306/runs", "mysql+pymysql://ann:***@host:3306/runs"),
        ("s3a://KEY:SECRET@bucket/rows", "s3a://KEY:***@bucket/rows"),
        ("wasbs://c@a.blob.core.windows.net/x?sv=1&sig=abc%3D&se=2", "wasbs://c@a.blob.core.windows.net/x?sv=1&sig=***&se=2"),
        ("https://0123456789abcdef0123@host/", "https://***@host/"),
        ("jdbc:postgresql://h/d?user=a&password=b", "jdbc:postgresql://h/d?user=a&password=***"),
        ("it failed at sc://h/;token=abc, twice: sc://h/;token=abc", "it failed at sc://h/;token=*** twice: sc://h/;token=***"),
    ],
)  # fmt: skip
def test_a_credential_is_hidden_and_the_rest_can_still_be_read(text: str, hidden: str) -> None:
    assert redacted(text) == hidden
    assert redacted_all({"a": [text, 1], "b": {"c": text}}) == {"a": [hidden, 1], "b": {"c": hidden}}


def test_a_parameter_with_a_credential_is_refused_with_the_variable_to_set() -> None:
    with pytest.raises(ParameterError) as caught:
        need_none("tracking_uri", "postgresql://ann:pass@host/runs")
    assert str(caught.value) == (
        "tracking_uri holds a credential (postgresql://ann:***@host/runs): set MLFLOW_TRACKING_URI in the environment, "
        "which no run writes down"
    )
    assert "set SPARK_REMOTE or LIFEBOAT_SPARK in" in credential_error("spark", "sc://host/;token=abc")
    assert "AWS_ACCESS_KEY_ID" in credential_error("enrich", {"join": [{"path": "s3a://k:s@b/x"}]})
    assert credential_error("spark", "local[2]") == ""
