"""What a process that scores without Spark must have installed."""

from __future__ import annotations

from importlib.metadata import version

SCORING = ("numpy", "onnxruntime")
INFERENCE_SERVER = "azureml-inference-server-http==1.5.1"  # what runs ``score.py``


def requirements() -> list[str]:
    """``name==version`` of each package that ``Scorer`` imports, as installed here."""
    return [f"{name}=={version(name)}" for name in SCORING]
