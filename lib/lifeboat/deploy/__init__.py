"""Notebook 5: keep the model, write it so that it needs no Spark, and serve it.

Nothing is imported here: the server starts without Spark, MLflow and pandas.
"""

from lifeboat import moved_from

__getattr__ = moved_from(__name__)
