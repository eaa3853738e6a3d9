"""The figures, in modules called as the notebooks. Each draws on the ``ax`` it is given and returns it; none shows.

Call ``use_style()`` once, before the first figure. One that is ``WIDTH`` wide can be read on a telephone too.
"""

from lifeboat import moved_from
from lifeboat.plots import evaluate, load, preprocess, spark, train_cv
from lifeboat.plots.style import WIDTH, height, use_style

__all__ = ["WIDTH", "evaluate", "height", "load", "preprocess", "spark", "train_cv", "use_style"]

__getattr__ = moved_from(__name__)
