"""A forest's trees stay in Spark until somebody asks for them.

Since Spark 4.0 ``trees`` of a fitted forest is a ``cached_property`` (SPARK-50843), and ``Params.params`` asks for
every attribute that is no ``property``: so a model that is fitted, loaded or copied makes an object in Python of each
of its trees, with twenty questions to the JVM each. With hundreds of trees that takes as long as to fit them.
"""

from __future__ import annotations

from functools import cached_property


def keep_trees_in_spark() -> None:
    """Make ``trees`` of Spark's forests and boosted trees a plain property again, as it was before Spark 4.0."""
    from pyspark.ml import classification, regression

    for models in (classification, regression):
        for model in vars(models).values():
            if isinstance(model, type) and isinstance(trees := vars(model).get("trees"), cached_property):
                model.trees = property(trees.func, doc=trees.__doc__)  # type: ignore[attr-defined]
