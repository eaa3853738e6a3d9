"""Lifeboat: from a CSV to a served machine-learning model, in five notebooks."""

from importlib.metadata import version

__version__ = version("lifeboat")
