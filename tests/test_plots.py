"""Every figure: what it draws is where the numbers say, and no word of it is cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text

from lifeboat import evaluate, plots
from lifeboat.evaluate import GroupRates, Scored
from lifeboat.importance import Importance

SEX = np.array(["female", "male", "male", "female"] * 10, dtype=object)
CHANCE = np.linspace(0.05, 0.95, 40)
SCORED = Scored((np.arange(40) % 3 > 0).astype(int), CHANCE, (CHANCE > 0.5).astype(int), groups={"Sex": SEX})
RULE = GroupRates("Sex", {"female": 0.74, "male": 0.19}, 0.4).score(SEX, SCORED)
ONE_CLASS = Scored([1, 1], [0.4, 0.6], [0, 1])
STAGES = [("Title", ["Name"], ["Title"]), ("VectorAssembler", ["Pclass", "Age_imputed", "Fare", "Alone"], "features")]
TREE = {
    "feature": "Title",
    "categories": ["Mr", "Other"],
    "left": {"counts": [290, 30]},
    "right": {"feature": "Fare", "threshold": 23.35, "left": {"counts": [7, 118]}, "right": {"probability": 0.11}},
}
FOUND = [Importance("Sex", 0.2, 0.02, (0.18, 0.2, 0.22)), Importance("Alone", -0.001, 0.001, (-0.002, -0.001, 0.0))]
POINTS = ["100 trees", "300 trees"]
FOLDS = [[0.80, 0.83, 0.82], [0.81, 0.83, 0.84]]


def intervals(scored: Scored) -> dict[str, evaluate.Interval]:
    return evaluate.bootstrap(scored, 20)


FIGURES: dict[str, Callable[[Axes], Axes]] = {
    "missing_values": lambda ax: plots.missing_values(ax, {"Age": 177, "Cabin": 687, "Sex": 0}, 891),
    "rates_by_group": lambda ax: plots.rates_by_group(ax, {"female": (233, 314), "male": (109, 577)}, title="By sex"),
    "pipeline_diagram": lambda ax: plots.pipeline_diagram(ax, STAGES, learns={"Title"}, title="Two stages"),
    "tree_diagram": lambda ax: plots.tree_diagram(ax, TREE, classes=("died", "lived"), title="Two questions"),
    "grid_of_fits": lambda ax: plots.grid_of_fits(ax, 3, POINTS),
    "fold_scores": lambda ax: plots.fold_scores(ax, POINTS, FOLDS, chosen=0, baseline=0.787, title="A"),
    "metric_intervals": lambda ax: plots.metric_intervals(
        ax, {"forest": intervals(SCORED), "rule": intervals(RULE)}, title="A"
    ),
    "confusion": lambda ax: plots.confusion(ax, SCORED, classes=("died", "lived"), unit="passengers"),
    "roc_curve": lambda ax: plots.roc_curve(ax, SCORED, {"rule": RULE}),
    "precision_recall": lambda ax: plots.precision_recall(ax, SCORED, {"rule": RULE}),
    "roc of one class": lambda ax: plots.roc_curve(ax, ONE_CLASS),
    "precision and recall of one class": lambda ax: plots.precision_recall(ax, ONE_CLASS),
    "metrics of one class": lambda ax: plots.metric_intervals(ax, {"forest": intervals(ONE_CLASS)}, title="A"),
    "calibration": lambda ax: plots.calibration(ax, evaluate.calibration(SCORED, 4), what="survival"),
    "importance": lambda ax: plots.importance(ax, FOUND),
    "threshold_costs": lambda ax: plots.threshold_costs(ax, evaluate.threshold_costs(SCORED, 1, 2)),
    "group_metrics": lambda ax: plots.group_metrics(ax, evaluate.by_group(SCORED), overall=0.6, title="A"),
}


@pytest.fixture
def ax() -> Iterator[Axes]:
    with plt.rc_context():
        plots.use_style()
        figure, axes = plt.subplots()
        yield axes
        plt.close(figure)


def words(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_every_public_figure_is_among_those_drawn_here() -> None:
    assert set(plots.__all__) - {"use_style", "height"} <= set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_returns_its_ax_has_a_title_and_cuts_no_word_off(name: str, ax: Axes) -> None:
    assert FIGURES[name](ax) is ax
    assert ax.get_title(loc="left")
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.canvas.draw()
    room, used = figure.bbox_inches, figure.get_tightbbox()
    assert (used.x0 > -0.02, used.y0 > -0.02) == (True, True)
    assert (used.x1 < room.x1 + 0.02, used.y1 < room.y1 + 0.02) == (True, True)
    assert all(text.get_fontsize() >= 11 for text in figure.findobj(Text))


@pytest.mark.parametrize("size", [(5.5, 4), (8, 4.5), (12, 5)])
def test_a_long_finding_is_broken_into_lines_that_fit_the_figure(size: tuple[float, float], ax: Axes) -> None:
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.set_size_inches(size)
    plots.importance(ax, FOUND, title="what it leans on most " * 10)
    figure.canvas.draw()
    assert figure.get_tightbbox().x1 < size[0] + 0.02


def test_missing_values_are_counted_and_the_worst_column_is_on_top(ax: Axes) -> None:
    plots.missing_values(ax, {"Age": 177, "Cabin": 687, "Sex": 0}, 891)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Cabin", "Age", "Sex"]
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in words(ax)] == [
        "687  (77.1 %)",
        "177  (19.9 %)",
        "0  (0.0 %)",
    ]
    assert ax.get_title(loc="left") == "Cabin is missing most often, in 687 of 891 rows"


def test_rates_stand_at_their_share_with_the_number_of_rows_and_the_overall_rate(ax: Axes) -> None:
    plots.rates_by_group(ax, [("female", 3, 4), (None, 0, 4)])
    overall, *drawn = ax.lines
    dots = [line.get_xdata()[0] for line in drawn if len(line.get_xdata()) == 1]
    assert overall.get_xdata()[0] == 3 / 8
    assert dots == [3 / 4, 0]
    assert words(ax) == ["n = 4", "n = 4"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["female", "(none)"]


def test_a_tree_shows_its_questions_and_what_is_in_its_leaves(ax: Axes) -> None:
    plots.tree_diagram(ax, TREE, classes=("died", "lived"))
    told = [text.replace("\N{NO-BREAK SPACE}", " ") for text in words(ax)]
    assert "Title\nis Mr or Other?" in told
    assert "Fare\n≤ 23.35?" in told
    assert "9 % lived\n290 died\n30 lived" in told
    assert "11 % lived" in told
    assert (told.count("yes"), told.count("no")) == (2, 2)
    left = next(text for text in ax.texts if text.get_text().startswith("9"))
    right = next(text for text in ax.texts if text.get_text().startswith("11"))
    assert left.get_position()[0] < right.get_position()[0]  # what fits the question goes left


def test_a_grid_of_fits_shares_the_preprocessing_of_a_fold(ax: Axes) -> None:
    plots.grid_of_fits(ax, 3, POINTS)
    assert words(ax).count("fit once") == 4
    assert words(ax).count("fit") == 6
    assert words(ax).count("fit best") == 1
    assert ax.get_title(loc="left") == "Shared preprocessing is fitted 4 times instead of 7"


def test_fold_scores_have_the_mean_with_one_standard_error_and_mark_the_chosen(ax: Axes) -> None:
    plots.fold_scores(ax, POINTS, [[0.80, 0.82, 0.84], [0.9, 0.9, 0.9]], chosen=1)
    # the standard deviation of 0.80, 0.82, 0.84 is 0.02: over the root of 3, 0.0115
    assert words(ax) == ["0.820 ± 0.012", "0.900 ± 0.000"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["100 trees", "300 trees\n(chosen)"]


def test_confusion_writes_the_four_counts_and_how_many_are_wrong(ax: Axes) -> None:
    plots.confusion(ax, Scored([0, 0, 0, 1, 1], [0.5] * 5, [0, 0, 1, 0, 1]), unit="passengers")
    assert [text for text in words(ax) if text.isdigit()] == ["2", "1", "1", "1"]
    assert ax.get_title(loc="left") == "2 of 5 passengers are called wrongly"


def test_a_baseline_is_one_point_on_the_roc_and_the_precision_recall_plane() -> None:
    label = [0, 0, 0, 0, 1, 1]
    rule = Scored(label, [0.5] * 6, [1, 0, 0, 0, 1, 1])
    model = Scored(label, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0, 0, 0, 0, 0, 1])
    _, (left, right) = plt.subplots(1, 2)
    plots.roc_curve(left, model, {"rule": rule})
    plots.precision_recall(right, model, {"rule": rule, "nobody": Scored(label, [0.1] * 6, [0] * 6)})
    points = [next(line for line in axes.lines if line.get_label() == "rule").get_xydata() for axes in (left, right)]
    assert points[0].tolist() == [[1 / 4, 1]]
    assert points[1].tolist() == [[1, 2 / 3]]
    assert "nobody" not in [line.get_label() for line in right.lines]
    title = " ".join(left.get_title(loc="left").split())
    assert title == "It ranks a 1 above a 0 in 100 % of pairs"
    plt.close()


def test_rows_of_one_class_have_no_curve_and_the_figure_says_why(ax: Axes) -> None:
    plots.roc_curve(ax, ONE_CLASS)
    assert words(ax) == ["all 2 rows have label 1:\nto rank, there must be rows of both classes"]


def test_the_threshold_in_use_stands_beside_the_cheapest(ax: Axes) -> None:
    four = Scored([1, 0, 1, 0], [0.9, 0.2, 0.4, 0.6], [1, 0, 0, 1])
    plots.threshold_costs(ax, evaluate.threshold_costs(four, 1, 3), threshold=0.5)
    assert ax.get_title(loc="left") == "Cheapest at 0.39: 1 against 4 at 0.5"
    legend = ax.get_legend()
    assert legend is not None
    assert "in use: 0.50 (1 called 1 wrongly, 1 called 0 wrongly)" in [text.get_text() for text in legend.get_texts()]


def test_a_caller_can_state_the_finding_itself(ax: Axes) -> None:
    plots.importance(ax, FOUND, title="Sex decides")
    assert ax.get_title(loc="left") == "Sex decides"


def test_of_very_many_groups_the_largest_are_drawn_in_their_order_and_the_title_says_so(ax: Axes) -> None:
    groups = [(f"group {n:02}", 1, 100 - n if n % 2 else 1000 + n) for n in range(60)]
    plots.rates_by_group(ax, groups, title="dest")
    drawn = [label.get_text() for label in ax.get_yticklabels()]
    assert drawn == [f"group {n:02}" for n in range(0, 60, 2)]
    assert ax.get_title(loc="left") == "dest (30 largest of 60)"
    rate = sum(positives for _, positives, _ in groups) / sum(n for _, _, n in groups)
    assert ax.lines[0].get_xdata()[0] == rate, "the overall rate is that of all groups"


def test_a_figure_is_as_high_as_its_longest_panel_needs_up_to_what_is_drawn() -> None:
    assert plots.height([range(2), range(5)]) == 3.2
    assert plots.height([range(2), range(20)]) == 7.0
    assert plots.height([range(500)]) == plots.height([range(30)]) == 10.0
    assert plots.height([], least=4) == 4


def test_a_dollar_in_a_name_is_a_dollar(ax: Axes) -> None:
    plots.missing_values(ax, {r"$\nothing$ of maths": 1}, 10)
    ax.figure.canvas.draw()
    assert r"$\nothing$ of maths" in [label.get_text() for label in ax.get_yticklabels()]


def test_no_gap_at_all_is_a_finding_too(ax: Axes) -> None:
    plots.missing_values(ax, {}, 10)
    assert ax.get_title(loc="left") == "No value is missing"


def test_a_question_of_very_many_categories_names_the_first_and_counts_the_rest(ax: Axes) -> None:
    leaf = {"counts": [1, 1]}
    names = [f"A{n:02}" for n in range(48)]
    plots.tree_diagram(ax, {"feature": "dest", "categories": names, "left": leaf, "right": leaf})
    assert "dest\nis A00 or A01 or A02 or A03\nor 44 more?" in words(ax)
