"""Lifeboat: from a CSV to a served machine-learning model, in five notebooks."""

__version__ = "0.1.0"
