"""Ask a served model over HTTP: does it answer as Spark did?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifeboat.deploy.azure.bundle import Bundle
from lifeboat.deploy.azure.client import AzureError, step
from lifeboat.deploy.azure.slots import Endpoint
from lifeboat.parameters.azure import AzureSettings
from lifeboat.spark.environment import spare_loopback

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

AT_ONCE = 100  # records in a request of the smoke test
SHOWN = 300  # characters of an answer
PATIENCE = 2.0  # times the endpoint's own limit, until a request is given up from here


@dataclass(frozen=True)
class Asker:
    """Asks one endpoint; holds the key, and shows it nowhere.

    Attributes:
        uri: Where.
        timeout: Seconds until a request is given up.
    """

    uri: str
    timeout: float
    _key: str = field(repr=False)

    def ask(self, body: Any, slot: str = "") -> tuple[int, Any]:
        """Send a body to a slot, or to whichever the traffic's shares pick; the status and the answer.

        Raises:
            requests.RequestException: There is no answer, or none in time.
        """
        import requests

        spare_loopback()
        headers = {"Authorization": f"Bearer {self._key}"} | ({"azureml-model-deployment": slot} if slot else {})
        answer = requests.post(self.uri, json=body, headers=headers, timeout=self.timeout)
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, answer.text


def asker(client: MLClient, endpoint: Endpoint, settings: AzureSettings) -> Asker:
    """An Asker with the endpoint's key."""
    with step(f"fetch the key of {endpoint.name}"):
        key = str(client.online_endpoints.get_keys(endpoint.name).primary_key)
        return Asker(endpoint.uri, PATIENCE * settings.request_timeout_ms / 1000, key)


def smoke_test(ask: Asker, slot: str, bundle: Bundle) -> int:
    """Ask a slot about rows whose answers by Spark are known; the number of rows.

    Raises:
        AzureError: It refuses, does not answer, or answers otherwise than Spark did.
    """
    records, expected = bundle.records, bundle.expected
    answers: list[Any] = []
    for start in range(0, len(records), AT_ONCE):
        with step(f"smoke test of {slot}"):
            status, answer = ask.ask({"input_data": records[start : start + AT_ONCE]}, slot)
        if error := answer_error(status, answer):
            raise AzureError(f"smoke test of {slot}: {error}")
        answers += answer["predictions"]
    wrong = [row for row, (got, wanted) in enumerate(zip(answers, expected, strict=False)) if got != wanted]
    if wrong or len(answers) != len(expected):
        first = (
            f"; the first: {records[wrong[0]]}, {answers[wrong[0]]} instead of {expected[wrong[0]]}" if wrong else ""
        )
        raise AzureError(
            f"smoke test of {slot}: {len(answers)} answers to {len(expected)} rows, "
            f"{len(wrong)} of them not Spark's{first}"
        )
    return len(records)


def answer_error(status: int, answer: Any) -> str:
    """What is wrong with an answer, in words; empty where it holds predictions."""
    if status != 200:
        return f"status {status}, {str(answer)[:SHOWN]}"
    if not isinstance(answer, dict) or not isinstance(answer.get("predictions"), list):
        return f"an answer that is none of the model's ({str(answer)[:SHOWN]}); a proxy?"
    return ""
