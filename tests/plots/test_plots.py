"""Every figure: each mark is where the numbers say, in the colour that the legend says, and no word is cut off."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from figures import FEATURES, FIGURES, FOLDS, POINTS, POSITIVES, RULE, SCORED, STAGES, TREE, dashes, intervals
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.text import Annotation, Text

from lifeboat import plots
from lifeboat.evaluate import Scored
from lifeboat.evaluate.intervals import Interval, wilson
from lifeboat.evaluate.slices import CalibrationBin, GroupRow
from lifeboat.evaluate.thresholds import ThresholdCosts
from lifeboat.plots import alt


@pytest.fixture
def ax() -> Iterator[Axes]:
    with plt.rc_context():
        plots.use_style()
        figure, axes = plt.subplots()
        yield axes
        plt.close(figure)


COLOURS = {
    "#004488": "blue", "#d55e00": "orange", "#0099ee": "sky", "#773300": "brown", "#6e6e6e": "grey", "#222222": "ink",
    "#e8e8e8": "pale", "#dcebf5": "pale blue", "#f9dfd1": "pale orange", "#ffffff": "white",
}  # fmt: skip


def colour(value: Any) -> str:
    return COLOURS[to_hex(value)]


def rounded(values: Any) -> list[float]:
    return [round(float(value), 4) for value in values]


def mark(line: Line2D) -> str:
    """A line's look: ``blue -``, ``orange o``; a mark on a line has both."""
    dash = "" if line.get_linestyle() == "None" else line.get_linestyle()
    marker = "" if line.get_marker() in ("None", None, "") else str(line.get_marker())
    return f"{colour(line.get_color())} {marker}{dash}"


def lines(ax: Axes) -> list[tuple[str, list[float], list[float]]]:
    """Each line and mark with its look, its places along x and along y, in the order drawn; those of the legend not."""
    return [
        (mark(line), rounded(line.get_xdata()), rounded(line.get_ydata())) for line in ax.lines if len(line.get_xdata())
    ]


def legend(ax: Axes) -> list[tuple[str, str]]:
    """What the legend says of which look, from the first to the last."""
    drawn = ax.get_legend()
    assert drawn is not None
    texts = [plain(text.get_text()) for text in drawn.get_texts()]
    looks = [mark(h) if isinstance(h, Line2D) else colour(h.get_facecolor()) for h in drawn.legend_handles]
    return list(zip(looks, texts, strict=True))


def plain(text: str) -> str:
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def title(ax: Axes) -> str:
    return plain(ax.get_title(loc="left"))


def names(ax: Axes) -> list[str]:
    """The names of the rows, from the top to the bottom."""
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first is on top"
    ticks = [(tick, label.get_text()) for tick, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)]
    assert ticks == sorted(ticks)
    return [name for _, name in ticks]


def words(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts if not isinstance(text, Annotation)]


def positions(ax: Axes) -> list[tuple[str, float, float]]:
    """Each text and where it stands."""
    written = [text for text in ax.texts if not isinstance(text, Annotation)]
    return [(plain(text.get_text()), *rounded(text.get_position())) for text in written]  # type: ignore[misc]


def boxes(ax: Axes) -> list[tuple[float, float, float, float, str]]:
    """Each rectangle: left, lowest y, width, height, colour."""
    drawn = [patch for patch in ax.patches if isinstance(patch, Rectangle | FancyBboxPatch)]
    return [
        (*rounded((b.get_x(), b.get_y(), b.get_width(), b.get_height())), colour(b.get_facecolor()[:3])) for b in drawn
    ]  # type: ignore[misc]


def test_every_public_figure_is_among_those_drawn_here() -> None:
    rooms = (plots.spark, plots.load, plots.preprocess, plots.train_cv, plots.evaluate)
    public = {
        name
        for room in rooms
        for name, made in vars(room).items()
        if isinstance(made, FunctionType) and made.__module__ == room.__name__ and not name.startswith("_")
    }
    assert public <= set(FIGURES)
    assert {"tree_diagram", "confusion"} < public


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_returns_its_ax_and_has_a_title(name: str, ax: Axes) -> None:
    assert FIGURES[name](ax) is ax
    assert ax.get_title(loc="left")


@pytest.mark.parametrize("size", [(4.8, 4), (8, 4.5), (12, 5)])
def test_a_long_finding_is_broken_into_lines_that_fit_the_figure(size: tuple[float, float], ax: Axes) -> None:
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.set_size_inches(size)
    plots.load.rates_by_group(ax, {"a": (1, 2)}, title="what it leans on most " * 10, xlabel="of whom it is asked " * 9)
    figure.canvas.draw()
    assert figure.get_tightbbox().x1 < size[0] + 0.02


def test_a_finding_begins_at_the_left_edge_of_a_figure_and_above_its_own_ax_where_there_are_others(ax: Axes) -> None:
    figure = ax.get_figure(root=True)
    assert figure is not None
    plots.load.rates_by_group(ax, {"a rather long name": (1, 2)}, title="A finding")
    plots.load.rates_by_group(others := plt.figure().subplots(1, 2)[1], {"a rather long name": (1, 2)}, title="Another")
    for which in (figure, others.figure):
        which.canvas.draw()
    texts = {text.get_text(): text for axes in (ax, others) for text in axes.findobj(Text)}
    assert texts["A finding"].get_window_extent().x0 < 10 < 100 < ax.get_window_extent().x0
    assert texts["Another"].get_window_extent().x0 == pytest.approx(others.get_window_extent().x0, abs=2)
    plt.close(others.figure)


TITLED: dict[str, Callable[[Axes], Axes]] = {
    "missing_values": lambda ax: plots.load.missing_values(ax, {"Age": 1}, 8, title="A finding"),
    "rates_by_group": lambda ax: plots.load.rates_by_group(ax, {"a": (1, 2)}, title="A finding"),
    "pipeline_diagram": lambda ax: plots.preprocess.pipeline_diagram(ax, STAGES, title="A finding"),
    "driver_and_executors": lambda ax: plots.spark.driver_and_executors(ax, [1], title="A finding"),
    "tree_diagram": lambda ax: plots.train_cv.tree_diagram(ax, TREE, title="A finding"),
    "grid_of_fits": lambda ax: plots.train_cv.grid_of_fits(ax, 3, POINTS, title="A finding"),
    "fold_scores": lambda ax: plots.train_cv.fold_scores(ax, POINTS, FOLDS, title="A finding"),
}


@pytest.mark.parametrize("name", TITLED)
def test_a_caller_can_state_the_finding_itself(name: str, ax: Axes) -> None:
    assert title(TITLED[name](ax)) == "A finding"


@pytest.mark.parametrize(
    "name", ["confusion", "pipeline_diagram", "driver_and_executors", "tree_diagram", "grid_of_fits"]
)
def test_a_picture_without_scales_has_no_axes(name: str, ax: Axes) -> None:
    FIGURES[name](ax)
    assert (len(ax.get_xticks()), len(ax.get_yticks())) == (0, 0)
    assert not any(spine.get_visible() for spine in ax.spines.values())


# --- the rows ---------------------------------------------------------------------------------------------------


def test_missing_values_are_bars_of_their_counts_and_the_worst_column_is_on_top(ax: Axes) -> None:
    plots.load.missing_values(ax, {"Age": 1, "Cabin": 6, "Sex": 0}, 8)
    assert names(ax) == ["Cabin", "Age", "Sex"]
    assert [box for box in boxes(ax) if box[-1] == "pale"] == [(0, y - 0.3, 8, 0.6, "pale") for y in (0, 1, 2)]
    assert [box for box in boxes(ax) if box[-1] == "blue"] == [
        (0, -0.3, 6, 0.6, "blue"), (0, 0.7, 1, 0.6, "blue"), (0, 1.7, 0, 0.6, "blue"),
    ]  # fmt: skip
    assert [box[-1] for box in boxes(ax)] == ["pale"] * 3 + ["blue"] * 3, "the counts stand before all the rows"
    # the number of a long bar is in it, of a short one behind it
    assert positions(ax) == [("6 (75.0 %)", 5.92, 0), ("1 (12.5 %)", 1.08, 1), ("0 (0.0 %)", 0.08, 2)]
    assert [(text.get_ha(), colour(text.get_color())) for text in ax.texts] == [
        ("right", "white"), ("left", "ink"), ("left", "ink"),
    ]  # fmt: skip
    assert {colour(patch.get_edgecolor()) for patch in ax.patches[:3]} == {"grey"}, "all the rows have an outline"
    assert (ax.get_xlim(), ax.get_xlabel()) == ((0, 8), "rows without a value, of 8")
    assert title(ax) == "Cabin is missing most often, in 6 of 8 rows"


def test_no_gap_at_all_is_a_finding_too(ax: Axes) -> None:
    plots.load.missing_values(ax, {}, 10)
    assert title(ax) == "No value is missing"


def test_a_dollar_in_a_name_is_a_dollar(ax: Axes) -> None:
    plots.load.missing_values(ax, {r"$\nothing$ of maths": 1}, 10)
    ax.figure.canvas.draw()
    assert names(ax) == [r"$\nothing$ of maths"]


def test_rates_stand_at_their_share_with_their_interval_the_number_of_rows_and_the_overall_rate(ax: Axes) -> None:
    plots.load.rates_by_group(ax, [("female", 3, 4), (None, 0, 4)], xlabel="share of “lived”", title="By sex")
    high, low = wilson(3, 4), wilson(0, 4)
    assert names(ax) == ["female", "(none)"]
    assert lines(ax) == [
        ("grey --", [0.375, 0.375], [0, 1]),
        ("blue -", rounded([high.low, high.high]), [0, 0]),
        ("blue o", [0.75], [0]),
        ("blue -", rounded([low.low, low.high]), [1, 1]),
        ("blue o", [0], [1]),
    ]
    assert positions(ax) == [("n = 4", 1.03, 0), ("n = 4", 1.03, 1)]
    assert plain(ax.get_xlabel()) == "share of “lived” (dashed: all rows, 38 %)"
    assert plain(ax.xaxis.get_major_formatter()(0.25, None)) == "25 %"
    assert ax.get_xlim() == (-0.02, 1.02)
    assert title(ax) == "By sex"


def test_rates_of_kin_have_the_interval_of_what_the_rows_are_worth_and_the_confidence_asked_for(ax: Axes) -> None:
    plots.load.rates_by_group(ax, [("a", 3, 4, 2.0), ("b", 0, 0, 0.0)], overall=0.5, confidence=0.8)
    expected = wilson(1.5, 2, 0.8)
    assert lines(ax)[:3] == [
        ("grey --", [0.5, 0.5], [0, 1]),
        ("blue -", rounded([expected.low, expected.high]), [0, 0]),
        ("blue o", [0.75], [0]),
    ]
    assert words(ax) == ["n = 4", "n = 0"]


def test_a_mapping_of_groups_is_drawn_as_the_rows_are(ax: Axes) -> None:
    plots.load.rates_by_group(ax, {"female": (3, 4), "male": (1, 8)})
    assert names(ax) == ["female", "male"]
    assert [xs for look, xs, _ in lines(ax) if look == "blue o"] == [[0.75], [0.125]]
    assert lines(ax)[0][1] == rounded([4 / 12] * 2)
    assert words(ax) == ["n = 4", "n = 8"]


def test_of_very_many_groups_the_largest_are_drawn_in_their_order_and_the_title_says_so(ax: Axes) -> None:
    groups = [(f"group {n:02}", 1, 100 - n if n % 2 else 1000 + n) for n in range(60)]
    plots.load.rates_by_group(ax, groups, title="dest")
    assert names(ax) == [f"group {n:02}" for n in range(0, 60, 2)]
    assert title(ax) == "dest (30 largest of 60)"
    rate = sum(positives for _, positives, _ in groups) / sum(n for _, _, n in groups)
    assert ax.lines[0].get_xdata()[0] == rate, "the overall rate is that of all groups"


def test_a_figure_is_as_high_as_its_panels_need_up_to_what_is_drawn() -> None:
    assert plots.height([range(2)]) == 3.2
    assert plots.height([range(20)]) == 7.0
    assert plots.height([range(2), range(20)]) == 10.2, "one below the other"
    assert plots.height([range(4)], a_row=1) == 5.0
    assert plots.height([range(500)]) == plots.height([range(30)]) == 10.0
    assert plots.height([range(1)], least=2) == 2


# --- how things work --------------------------------------------------------------------------------------------


def test_a_pipeline_goes_down_with_what_each_stage_reads_on_its_left_and_makes_on_its_right(ax: Axes) -> None:
    plots.preprocess.pipeline_diagram(ax, STAGES, learns={"Title"}, title="Two stages")
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 10), (1.6, -1.1)), "the first stage on top"
    assert positions(ax) == [
        ("reads", 2.9, -0.8), ("stage", 5, -0.8), ("makes", 7.1, -0.8),
        ("Title", 5, 0), ("Name", 2.9, 0), ("Title", 7.1, 0),
        ("VectorAssembler", 5, 1), ("Pclass, Age_imputed, Fare, Alone", 2.9, 1), ("features", 7.1, 1),
    ]  # fmt: skip
    assert [text.get_ha() for text in ax.texts if not isinstance(text, Annotation)] == [
        "right", "center", "left", *["center", "right", "left"] * 2,
    ]  # fmt: skip
    assert "Pclass,\nAge_imputed,\nFare, Alone" in words(ax), "as many at a line as there is room for"
    assert boxes(ax) == [(3.3, -0.35, 3.4, 0.7, "pale orange"), (3.3, 0.65, 3.4, 0.7, "pale blue")]
    looks = [("orange", True), ("blue", False)]
    assert [(colour(box.get_edgecolor()), dashes(box)) for box in ax.patches] == looks
    arrows = [rounded((*text.xyann, *text.xy)) for text in ax.texts if isinstance(text, Annotation)]
    assert arrows == [[a, y, b, y] for y in (0, 1) for a, b in ((2.95, 3.28), (6.72, 7.05))], "from left to right"
    assert all(text.arrowprops["arrowstyle"] == "->" for text in ax.texts if isinstance(text, Annotation))
    assert lines(ax) == [("grey -", [5, 5], [0.35, 0.65])], "one stage leads to the next, the last to none"
    assert legend(ax) == [("pale orange", "learns from the training rows"), ("pale blue", "only computes")]
    assert [(colour(box.get_edgecolor()), dashes(box)) for box in ax.get_legend().legend_handles] == looks


def test_where_no_stage_learns_there_is_nothing_to_tell_apart(ax: Axes) -> None:
    plots.preprocess.pipeline_diagram(ax, STAGES)
    assert ax.get_legend() is None
    assert [box[-1] for box in boxes(ax)] == ["pale blue"] * 2


def test_of_very_many_columns_a_stage_names_the_first_and_counts_the_rest(ax: Axes) -> None:
    plots.preprocess.pipeline_diagram(ax, [("VectorAssembler", [f"c{n}" for n in range(12)], "features")])
    assert "c0, c1, c2, c3,\nc4, c5, c6, c7,\n4 more" in words(ax)


def test_the_name_of_a_stage_that_is_wider_than_its_box_is_broken_at_a_capital(ax: Axes) -> None:
    stages = [("GroupMeanImputer", "a", "b"), ("UnivariateFeatureSelector", "a", "b")]
    plots.preprocess.pipeline_diagram(ax, stages)
    assert {"GroupMeanImputer", "UnivariateFeature\nSelector"} <= set(words(ax))


def test_partitions_lie_in_executors_in_turn_and_the_driver_stands_above_them(ax: Axes) -> None:
    plots.spark.driver_and_executors(ax, [210, 1220, 250])
    where = {text: (x, y) for text, x, y in positions(ax)}
    assert where["partition 0 210 rows"][0] < where["partition 2 250 rows"][0] < where["partition 1 1,220 rows"][0]
    drawn = boxes(ax)
    driver, first, second = drawn[-1], drawn[0], drawn[3]
    assert [box[-1] for box in drawn] == ["white", "pale blue", "pale blue", "white", "pale blue", "pale orange"]
    assert driver[1] > first[1] + first[3], "above them"
    assert (driver[0], driver[0] + driver[2]) == pytest.approx((first[0], second[0] + second[2])), "over all of them"
    arrows = [text for text in ax.texts if isinstance(text, Annotation)]
    assert [arrow.xyann[1] < arrow.xy[1] for arrow in arrows] == [True, False] * 2, "answers up, tasks down"


def test_no_more_executors_are_drawn_than_there_are_partitions(ax: Axes) -> None:
    plots.spark.driver_and_executors(ax, [7])
    assert [text for text in words(ax) if text.startswith("executor")] == ["executor 1"]


def test_a_tree_shows_its_questions_and_what_is_in_its_leaves_yes_above(ax: Axes) -> None:
    plots.train_cv.tree_diagram(ax, TREE, classes=("died", "lived"))
    assert positions(ax) == [
        ("9 % lived 290 died 30 lived", 1, 0),
        ("94 % lived 7 died 118 lived", 2, 1),
        ("11 % lived 89 died 11 lived", 2, 2),
        ("yes", 1.5, 1.25), ("no", 1.5, 1.75), ("Fare ≤ 23.35?", 1, 1.5),
        ("yes", 0.5, 0.375), ("no", 0.5, 1.125), ("Title is Mr or Other?", 0, 0.75),
    ]  # fmt: skip
    assert lines(ax) == [
        ("grey -", [1, 2], [1.5, 1]), ("grey -", [1, 2], [1.5, 2]),
        ("grey -", [0, 1], [0.75, 0]), ("grey -", [0, 1], [0.75, 1.5]),
    ]  # fmt: skip
    assert (ax.get_xlim(), ax.get_ylim()) == ((-0.45, 2.45), (2.45, -0.45)), "from left to right, yes above no"
    edges = {
        plain(text.get_text()).split()[0]: colour(text.get_bbox_patch().get_edgecolor())
        for text in ax.texts
        if "%" in text.get_text()
    }
    assert edges == {"9": "orange", "94": "blue", "11": "orange"}, "blue where class 1 is more likely"


def test_a_deeper_tree_has_room_for_each_leaf_and_each_level_and_a_question_in_the_middle_of_its_answers(
    ax: Axes,
) -> None:
    def ask(name: str, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
        return {"feature": name, "threshold": 1, "left": left, "right": right}

    leaves = [{"counts": [10 - ones, ones]} for ones in (1, 2, 3, 4)]
    plots.train_cv.tree_diagram(ax, ask("c", ask("b", ask("a", leaves[0], leaves[1]), leaves[2]), leaves[3]))
    assert [text for text in positions(ax) if text[0] not in ("yes", "no")] == [
        ("10 % yes 9 no 1 yes", 3, 0), ("20 % yes 8 no 2 yes", 3, 1), ("a ≤ 1?", 2, 0.5),
        ("30 % yes 7 no 3 yes", 2, 2), ("b ≤ 1?", 1, 1.25), ("40 % yes 6 no 4 yes", 1, 3), ("c ≤ 1?", 0, 2.125),
    ]  # fmt: skip
    assert (ax.get_xlim(), ax.get_ylim()) == ((-0.45, 3.45), (3.45, -0.45))


def test_a_leaf_of_a_tree_without_names_for_the_classes_has_no_and_yes(ax: Axes) -> None:
    plots.train_cv.tree_diagram(ax, {"counts": [1, 3]})
    assert positions(ax) == [("75 % yes 1 no 3 yes", 0, 0)]


def test_a_question_of_very_many_categories_names_the_first_and_counts_the_rest(ax: Axes) -> None:
    leaf = {"counts": [1, 1]}
    many = [f"A{n:02}" for n in range(48)]
    plots.train_cv.tree_diagram(ax, {"feature": "dest", "categories": many, "left": leaf, "right": leaf})
    assert "dest\nis A00 or A01\nor A02 or A03\nor 44 more?" in words(ax)


def test_a_grid_of_fits_shares_the_preprocessing_of_a_fold(ax: Axes) -> None:
    plots.train_cv.grid_of_fits(ax, 2, ["maxDepth 2, numTrees 5", "maxDepth 4, numTrees 5"])
    assert positions(ax) == [
        ("without fold 0", -0.6, 0), ("fit once", 0, 0), ("fit", 1.15, 0), ("fit", 2.15, 0),
        ("without fold 1", -0.6, 1), ("fit once", 0, 1), ("fit", 1.15, 1), ("fit", 2.15, 1),
        ("all rows", -0.6, 2.3), ("fit once", 0, 2.3), ("fit best", 1.15, 2.3),
        ("preprocessing", 0, -0.6), ("maxDepth 2 numTrees 5", 1.15, -0.6), ("maxDepth 4 numTrees 5", 2.15, -0.6),
    ]  # fmt: skip
    assert [(x, y, look) for x, y, _, _, look in boxes(ax)] == [
        (-0.47, -0.42, "blue"), (0.68, -0.42, "blue"), (1.68, -0.42, "blue"),
        (-0.47, 0.58, "orange"), (0.68, 0.58, "orange"), (1.68, 0.58, "orange"),
        (-0.47, 1.88, "grey"), (0.68, 1.88, "grey"),
    ]  # fmt: skip
    assert [patch.get_facecolor()[3] for patch in ax.patches] == [0.2, 0, 0, 0.2, 0, 0, 0.2, 0], "shared: tinted"
    assert [colour(patch.get_edgecolor()) for patch in ax.patches] == ["blue"] * 3 + ["orange"] * 3 + ["grey"] * 2
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1.5, 2.7), (2.8, -1.4))
    assert title(ax) == "Shared preprocessing is fitted 3 times instead of 5"


def test_of_very_many_grid_points_the_first_are_drawn_and_all_are_counted(ax: Axes) -> None:
    plots.train_cv.grid_of_fits(ax, 1, [f"maxDepth {n}" for n in range(6)])
    top = [text for text, _, y in positions(ax) if y == -0.6]
    assert top == ["preprocessing", "maxDepth 0", "maxDepth 1", "maxDepth 2", "3 more"]
    assert title(ax) == "Shared preprocessing is fitted 2 times instead of 7"


# --- scores -----------------------------------------------------------------------------------------------------


def test_fold_scores_have_the_mean_with_one_standard_error_and_mark_the_chosen(ax: Axes) -> None:
    folds = [[0.80, 0.82, 0.84], [0.9, 0.9, 0.9]]
    plots.train_cv.fold_scores(ax, POINTS, folds, chosen=1, metric="roc_auc")
    # the standard deviation of 0.80, 0.82, 0.84 is 0.02: over the root of 3, 0.0115
    assert positions(ax) == [("0.820 ± 0.012", 0.82, 0.34), ("0.900 ± 0.000", 0.9, 1.34)]
    assert names(ax) == ["100 trees", "300 trees\n(chosen)"]
    assert lines(ax) == [
        ("blue o", [0.8, 0.82, 0.84], [-0.18] * 3),
        ("blue -", [0.8085, 0.8315], [0.12, 0.12]),
        ("blue D", [0.82], [0.12]),
        ("orange o", [0.9] * 3, [0.82] * 3),
        ("orange -", [0.9, 0.9], [1.12, 1.12]),
        ("orange D", [0.9], [1.12]),
    ]
    hollow = [line.get_markerfacecolor() == "none" for line in ax.lines if line.get_marker() == "o"]
    assert hollow == [True, True], "where folds score alike, one circle does not hide the other"
    assert ax.get_xmargin() == 0.2, "room for the numbers at the ends"
    assert plain(ax.get_xlabel()) == "ROC AUC (circles: one fold each; diamond: mean ± standard error)"
    assert ax.get_xlabel().startswith("ROC AUC\n")


def test_a_single_fold_has_no_standard_error(ax: Axes) -> None:
    plots.train_cv.fold_scores(ax, ["a"], [[0.8]])
    assert lines(ax) == [("blue o", [0.8], [-0.18]), ("blue -", [0.8, 0.8], [0.12, 0.12]), ("blue D", [0.8], [0.12])]
    assert names(ax) == ["a"], "nothing is chosen"
    assert ax.get_xlabel().startswith("accuracy\n")


THREE = {
    "forest": {"accuracy": Interval(0.8, 0.7, 0.85), "log_loss": Interval(0.4, 0.3, 0.6)},
    "rule": {"accuracy": Interval(0.75, 0.65, 0.8), "log_loss": Interval(0.5, 0.45, 0.7)},
    "coin": {"accuracy": Interval(0.5, 0.4, 0.55), "log_loss": Interval(math.nan, math.nan, math.nan)},
}


def test_each_metric_of_each_model_is_a_dot_on_its_interval_in_the_look_of_the_legend(ax: Axes) -> None:
    plots.evaluate.metric_intervals(ax, THREE)
    assert names(ax) == ["accuracy\nhigher is better", "log loss\nlower is better"]
    assert lines(ax) == [
        ("blue -", [0.7, 0.85], [-0.31, -0.31]), ("blue o", [0.8], [-0.31]),
        ("blue -", [0.3, 0.6], [0.69, 0.69]), ("blue o", [0.4], [0.69]),
        ("orange -", [0.65, 0.8], [0, 0]), ("orange s", [0.75], [0]),
        ("orange -", [0.45, 0.7], [1, 1]), ("orange s", [0.5], [1]),
        ("sky -", [0.4, 0.55], [0.31, 0.31]), ("sky D", [0.5], [0.31]),
        ("grey -", [0, 1], [0.5, 0.5]),
    ]  # fmt: skip
    assert legend(ax) == [("blue o", "forest"), ("orange s", "rule"), ("sky D", "coin")]
    assert (ax.get_xlim()[0], ax.get_xmargin()) == (0, 0.03)
    assert plain(ax.get_xlabel()) == "value on the hold-out, with its bootstrap interval"


def test_all_metrics_stand_under_their_names_and_say_which_way_is_better(ax: Axes) -> None:
    values = {name: Interval(0.5, 0.4, 0.6) for name in ("log_loss", "brier", "pr_auc", "roc_auc", "accuracy")}
    plots.evaluate.metric_intervals(ax, {"forest": values})
    assert names(ax) == [
        "accuracy\nhigher is better", "ROC AUC\nhigher is better", "PR AUC\nhigher is better",
        "Brier score\nlower is better", "log loss\nlower is better",
    ]  # fmt: skip
    assert [ys for look, _, ys in lines(ax) if look == "blue o"] == [[0], [1], [2], [3], [4]], "alone, in the middle"


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ({"accuracy": (0.03, -0.01, 0.08), "brier": (0.04, 0.01, 0.06), "log_loss": (0.1, 0.04, 0.17)},
         "Row by row, forest against rule: surely better in Brier score and log loss; not settled in accuracy"),
        ({"brier": (-0.04, -0.06, -0.01)}, "Row by row, forest against rule: surely worse in Brier score"),
        ({"brier": (0.0, 0.0, 0.1)}, "Row by row, forest against rule: not settled in Brier score"),
        ({"brier": (0.1, math.nan, math.nan)}, "Row by row, forest against rule: not settled in Brier score"),
    ],
)  # fmt: skip
def test_the_title_of_the_metrics_is_the_paired_finding_and_not_whether_intervals_overlap(
    gains: dict[str, tuple[float, float, float]], expected: str, ax: Axes
) -> None:
    plots.evaluate.metric_intervals(ax, THREE, paired={name: Interval(*gain) for name, gain in gains.items()})
    assert title(ax) == expected


def test_importance_is_the_mean_with_one_spread_on_either_side_and_a_tick_for_each_shuffle(ax: Axes) -> None:
    plots.evaluate.importance(ax, FEATURES)
    assert names(ax) == ["Sex", "Alone"]
    assert lines(ax) == [
        ("grey --", [0, 0], [0, 1]),
        ("sky |", [0.18, 0.2, 0.22], [0, 0, 0]), ("blue -", [0.18, 0.22], [0, 0]), ("blue o", [0.2], [0]),
        ("sky |", [-0.002, -0.001, 0], [1, 1, 1]), ("blue -", [-0.002, 0], [1, 1]), ("blue o", [-0.001], [1]),
    ]  # fmt: skip
    assert plain(ax.get_xlabel()) == "rise of the log loss when shuffled (dot: mean; line: spread; ticks: each shuffle)"
    assert title(ax) == "It leans most on Sex"


def test_what_shuffling_takes_from_a_score_where_more_is_better_is_a_fall(ax: Axes) -> None:
    plots.evaluate.importance(ax, FEATURES[:1], metric="roc_auc")
    assert ax.get_xlabel().startswith("fall of the ROC AUC when shuffled")


GROUPS = [
    GroupRow(
        "Sex", "female", 4, 3, Interval(0.75, 0.3, 0.95), Interval(0.1, 0.05, 0.4), Interval(0.9, 0.6, 1), 0.7, 0.1
    ),
    GroupRow("Sex", None, 6, 0, Interval(0.5, 0.2, 0.8), Interval(0.5, 0.25, 0.85), wilson(0, 0), 0.3, 0.2),
]


def test_groups_show_how_often_it_is_right_and_what_it_finds_of_either_class_each_with_its_interval(ax: Axes) -> None:
    plots.evaluate.group_metrics(ax, GROUPS, overall=0.6, classes=("died", "lived"), where="the hold-out")
    assert names(ax) == ["", ""]
    drawn = [(look, xs, ys) for look, xs, ys in lines(ax) if not np.isnan(xs).any()]
    assert drawn == [
        ("grey --", [0.6, 0.6], [0, 1]),
        ("blue -", [0.3, 0.95], [-0.06, -0.06]), ("blue o", [0.75], [-0.06]),
        ("ink -", [0.05, 0.4], [0.13, 0.13]), ("ink v", [0.1], [0.13]),
        ("orange -", [0.6, 1], [0.32, 0.32]), ("orange ^", [0.9], [0.32]),
        ("blue -", [0.2, 0.8], [0.94, 0.94]), ("blue o", [0.5], [0.94]),
        ("ink -", [0.25, 0.85], [1.13, 1.13]), ("ink v", [0.5], [1.13]),
    ]  # fmt: skip
    assert legend(ax) == [
        ("blue o-", "right, of all"), ("ink v-", "found, of “died”"), ("orange ^-", "found, of “lived”"),
    ]  # fmt: skip
    fill = {
        str(line.get_marker()): colour(line.get_markerfacecolor())
        for line in [*ax.lines, *ax.get_legend().legend_handles]
    }
    assert (fill["v"], fill["^"]) == ("white", "orange")
    assert positions(ax) == [("female (n = 4)", 0, -0.32), ("(none) (n = 6)", 0, 0.68)], "over the marks of a group"
    assert plain(ax.get_xlabel()) == "share of the group (dashed: accuracy in the hold-out, 60 %)"
    assert plain(ax.xaxis.get_major_formatter()(0.5, None)) == "50 %"
    assert ax.get_xlim() == (-0.02, 1.02)
    assert title(ax) == "The hold-out: least often right about (none), 50 % of 6"


def test_groups_of_several_columns_are_named_with_their_column_and_a_class_without_rows_has_no_mark(ax: Axes) -> None:
    of_class = GroupRow("Pclass", 3, 6, 0, Interval(0.5, 0.2, 0.8), Interval(0.5, 0.25, 0.85), wilson(0, 0), 0.3, 0.2)
    plots.evaluate.group_metrics(ax, [GROUPS[0], of_class], overall=0.6)
    assert words(ax) == ["Sex: female (n = 4)", "Pclass: 3 (n = 6)"]
    assert np.isnan(lines(ax)[-1][1]).all(), "nobody to find"
    assert [text for _, text in legend(ax)] == ["right, of all", "found, of “no”", "found, of “yes”"]
    assert title(ax) == "All rows: least often right about Pclass: 3, 50 % of 6"


def test_a_group_whose_name_is_wider_than_the_figure_has_a_shorter_one_and_still_its_number(ax: Axes) -> None:
    long = GroupRow("city", "in the north " * 9, 4, 3, *[Interval(0.5, 0.4, 0.6)] * 3, 0.3, 0.2)
    plots.evaluate.group_metrics(ax, [long], overall=0.6)
    assert words(ax) == ["in the north in the north in the north… (n = 4)"]


def test_of_very_many_groups_to_judge_the_largest_are_drawn(ax: Axes) -> None:
    rows = [GroupRow("dest", n, n, 1, *[Interval(0.5, 0.4, 0.6)] * 3, 0.3, 0.2) for n in range(1, 41)]
    plots.evaluate.group_metrics(ax, rows, overall=0.6)
    assert words(ax) == [f"{n} (n = {n})" for n in range(11, 41)]
    assert title(ax) == "All rows: least often right about 11, 50 % of 11 (30 largest of 40)"


# --- decisions --------------------------------------------------------------------------------------------------


def test_confusion_has_what_is_true_down_what_was_said_across_and_how_many_are_wrong(ax: Axes) -> None:
    five = Scored([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], [0.5] * 10, [0, 0, 0, 1, 1, 0, 0, 1, 1, 1])
    plots.evaluate.confusion(ax, five, classes=("died", "lived"))
    assert positions(ax) == [
        ("4", 0, -0.06), ("right", 0, 0.3), ("2", 1, -0.06), ("wrong", 1, 0.3),
        ("1", 0, 0.94), ("wrong", 0, 1.3), ("3", 1, 0.94), ("right", 1, 1.3),
        ("called “died”", 0, -0.56), ("really “died”", -0.56, 0),
        ("called “lived”", 1, -0.56), ("really “lived”", -0.56, 1),
    ]  # fmt: skip
    assert boxes(ax) == [
        (-0.47, -0.47, 0.94, 0.94, "pale blue"), (0.53, -0.47, 0.94, 0.94, "pale orange"),
        (-0.47, 0.53, 0.94, 0.94, "pale orange"), (0.53, 0.53, 0.94, 0.94, "pale blue"),
    ]  # fmt: skip
    assert [colour(patch.get_edgecolor()) for patch in ax.patches] == ["blue", "orange", "orange", "blue"]
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1.1, 1.5), (1.5, -0.8)), "class 0 on top"
    assert title(ax) == "3 of 10 rows are called wrongly"


def test_classes_without_names_are_called_no_and_yes_and_rows_rows(ax: Axes) -> None:
    plots.evaluate.confusion(ax, Scored([0, 1], [0.5] * 2, [0, 0]))
    assert [text for text in words(ax) if text.startswith("called")] == ["called “no”", "called “yes”"]
    assert title(ax) == "1 of 2 rows are called wrongly"


# from the surest to the least sure: 1, 0, 1, 0, 0
MODEL = Scored([0, 0, 0, 1, 1], [0.1, 0.4, 0.6, 0.5, 0.9], [0, 0, 1, 0, 1])
RULES = {
    "rule": Scored(MODEL.label, [0.5] * 5, [1, 0, 0, 1, 1]),
    "other": Scored(MODEL.label, [0.5] * 5, [0, 0, 0, 1, 0]),
    "nobody": Scored(MODEL.label, [0.1] * 5, [0] * 5),
}


def test_roc_has_false_alarms_across_and_found_up_and_each_rule_is_one_point(ax: Axes) -> None:
    plots.evaluate.roc_curve(ax, MODEL, RULES, classes=("died", "lived"))
    assert lines(ax) == [
        ("grey --", [0, 1], [0, 1]),
        ("blue -", [0, 0, 0.3333, 0.3333, 1], [0, 0.5, 0.5, 1, 1]),
        ("orange s", [0.3333], [1]),
        ("sky D", [0], [0.5]),
        ("brown ^", [0], [0]),
    ]
    assert legend(ax) == [
        ("grey --", "a coin"), ("blue -", "the model (area 0.83)"),
        ("orange s", "rule"), ("sky D", "other"), ("brown ^", "nobody"),
    ]  # fmt: skip
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("false alarms, of all “died”", "found, of all “lived”")
    assert title(ax) == "It ranks “lived” above “died” in 83 % of pairs"
    assert (ax.get_xlim(), ax.get_ylim(), ax.get_aspect()) == ((0, 1), (0, 1.02), 1)
    assert [plain(axis.get_major_formatter()(0.2, None)) for axis in (ax.xaxis, ax.yaxis)] == ["20 %", "20 %"]


def test_precision_recall_has_found_across_and_right_up_and_says_why_a_rule_has_no_point(ax: Axes) -> None:
    plots.evaluate.precision_recall(ax, MODEL, RULES, classes=("died", "lived"))
    assert lines(ax) == [
        ("grey --", [0, 1], [0.4, 0.4]),
        ("blue -", [1, 1, 1, 0.5, 0.5, 0], [0.4, 0.5, 0.6667, 0.5, 1, 1]),
        ("orange s", [1], [0.6667]),
        ("sky D", [0.5], [1]),
    ]
    assert ax.lines[1].get_drawstyle() == "steps-post", "no straight line between two points"
    texts = [text for _, text in legend(ax)]
    assert texts == [
        "all called “lived”", "the model (average 0.83)", "rule", "other", "nobody: none called “lived”, so no point",
    ]  # fmt: skip
    assert not legend_marker(ax, 4), "no mark stands for what is not drawn"
    assert ax.get_xlabel() == "found, of all “lived” (recall)"
    assert plain(ax.get_ylabel()) == "right, of all called “lived” (precision)"
    assert (ax.get_xlim(), ax.get_ylim(), ax.get_aspect()) == ((0, 1), (0, 1.02), 1)
    assert title(ax) == "Average precision 0.83, where calling all “lived” has 0.40"


def legend_marker(ax: Axes, index: int) -> str:
    """The mark beside a line of the legend; empty for none."""
    drawn = ax.get_legend()
    assert drawn is not None
    handle = drawn.legend_handles[index]
    assert isinstance(handle, Line2D)
    return str(handle.get_marker()).strip().replace("None", "") + handle.get_linestyle().replace("None", "")


def test_rows_of_one_class_have_no_curve_and_the_figure_says_why(ax: Axes) -> None:
    plots.evaluate.roc_curve(ax, POSITIVES)
    assert words(ax) == ["all 2 rows have label 1:\nto rank, there must be rows of both classes"]
    assert title(ax) == "No curve"
    assert [look for look, _, _ in lines(ax)] == ["grey --"]


def test_nor_have_they_a_precision_recall_curve(ax: Axes) -> None:
    plots.evaluate.precision_recall(ax, POSITIVES)
    assert words(ax) == ["all 2 rows have label 1:\nto rank, there must be rows of both classes"]
    assert title(ax) == "No curve"
    assert lines(ax) == [("grey --", [0, 1], [1, 1])]


LOW = CalibrationBin(10, 0.2, Interval(0.3, 0.1, 0.5))
HIGH = CalibrationBin(30, 0.7, Interval(0.9, 0.75, 0.95))


def test_calibration_has_what_was_given_across_and_what_was_observed_up_with_its_interval(ax: Axes) -> None:
    plots.evaluate.calibration(ax, [LOW, HIGH], classes=("died", "lived"))
    assert lines(ax) == [("grey --", [0, 1], [0, 1]), ("blue o", [0.2, 0.7], [0.3, 0.9])]
    (bars,) = ax.collections
    assert [segment.tolist() for segment in bars.get_segments()] == [
        [[0.2, 0.1], [0.2, 0.5]],
        [[0.7, 0.75], [0.7, 0.95]],
    ]
    assert colour(bars.get_color()) == "blue"
    assert legend(ax) == [("grey --", "says what comes"), ("blue o", "about 20 rows each")]
    assert ax.get_xlabel() == "probability of “lived”, as given"
    assert ax.get_ylabel() == "rate of “lived”, as observed"
    assert (ax.get_xlim(), ax.get_ylim(), ax.get_aspect()) == ((0, 1), (0, 1.02), 1)


@pytest.mark.parametrize(
    ("bins", "expected"),
    [
        ([LOW, HIGH], "1 of 2 bins contradicts what was said; in the others an error of 30 points could hide"),
        ([LOW], "None of 1 bins contradicts what was said, but an error of 30 points could hide"),
        ([HIGH, HIGH], "2 of 2 bins contradict what was said"),
        # at the end of an interval is in it; what reaches farthest counts, below as well as above
        ([CalibrationBin(9, 0.75, HIGH.rate), CalibrationBin(9, 0.95, HIGH.rate)],
         "None of 2 bins contradicts what was said, but an error of 20 points could hide"),
    ],
)  # fmt: skip
def test_bins_that_agree_are_no_proof_and_the_title_says_how_large_an_error_could_hide(
    bins: list[CalibrationBin], expected: str, ax: Axes
) -> None:
    plots.evaluate.calibration(ax, bins)
    assert title(ax) == expected


COSTS = ThresholdCosts(
    np.array([0, 0.25, 0.5, 0.75, 1]), np.array([4, 2, 1, 0, 0]), np.array([0, 0, 1, 2, 3]), np.array([4.0, 2, 3, 4, 6])
)


def test_the_threshold_in_use_stands_beside_the_cheapest_with_the_mistakes_of_either_kind(ax: Axes) -> None:
    plots.evaluate.threshold_costs(ax, COSTS, classes=("died", "lived"))
    assert lines(ax) == [
        ("grey --", [0.5, 0.5], [0, 1]),
        ("blue -", [0, 0.25, 0.5, 0.75, 1], [4, 2, 3, 4, 6]),
        ("grey s", [0.5], [3]),
        ("orange o", [0.25], [2]),
    ]
    assert ax.lines[1].get_drawstyle() == "steps-post", "a cost holds up to the next threshold"
    assert legend(ax) == [
        ("blue -", "both mistakes together"),
        ("grey s", "in use: 0.50 (1 called “lived” wrongly, 1 called “died” wrongly)"),
        ("orange o", "cheapest: 0.25 (2 called “lived” wrongly, 0 called “died” wrongly)"),
    ]
    assert plain(ax.get_xlabel()) == "threshold: called “lived” where its probability is above it"
    assert ax.get_ylabel() == "cost"
    assert (ax.get_xlim(), ax.get_ylim()[0]) == ((0, 1), 0)
    assert title(ax) == "Cheapest at 0.25: 2 against 3 at 0.50"


def test_the_spread_of_the_cheapest_and_the_honest_threshold_are_drawn_and_the_title_says_how_far_chance_moves_it(
    ax: Axes,
) -> None:
    plots.evaluate.threshold_costs(ax, COSTS, spread=Interval(0.25, 0.2, 0.6), honest=1 / 3)
    assert [(x, width, look) for x, _, width, _, look in boxes(ax)] == [(0.2, 0.4, "pale")]
    assert lines(ax)[:2] == [("brown :", [0.3333, 0.3333], [0, 1]), ("grey --", [0.5, 0.5], [0, 1])]
    assert lines(ax)[3] == ("grey s", [0.5], [3])
    assert legend(ax)[:2] == [
        ("pale", "the cheapest of rows drawn anew: 0.20 to 0.60"),
        ("brown :", "if probabilities are honest: 0.33"),
    ]
    assert title(ax) == "Cheapest at 0.25, but chance moves it between 0.20 and 0.60"


def test_a_spread_that_is_not_defined_is_not_drawn(ax: Axes) -> None:
    plots.evaluate.threshold_costs(ax, COSTS, spread=Interval(0.25, math.nan, math.nan))
    assert boxes(ax) == []
    assert title(ax) == "Cheapest at 0.25: 2 against 3 at 0.50"


def test_own_and_others_has_both_means_with_the_folds_spread_and_says_how_far_apart_they_end(ax: Axes) -> None:
    plots.train_cv.own_and_others(
        ax, [1, 5, 9], [[0.7, 0.8], [0.9, 1.0], [1, 1]], [[0.7, 0.6], [0.8, 0.7], [0.7, 0.7]], xlabel="q"
    )
    assert lines(ax) == [
        ("orange s-", [1, 5, 9], [0.75, 0.95, 1.0]),
        ("blue o-", [1, 5, 9], [0.65, 0.75, 0.7]),
    ]
    assert legend(ax) == [("orange s-", "on the rows learned from"), ("blue o-", "on rows never seen")]
    assert (ax.get_xscale(), list(ax.get_xticks()), len(ax.get_xticks(minor=True))) == ("log", [1, 5, 9], 0)
    assert [colour(band.get_edgecolor()[0]) for band in ax.collections] == ["orange", "blue"]
    bands = [band.get_paths()[0].get_extents() for band in ax.collections]
    assert [(round(band.y0, 4), round(band.y1, 4)) for band in bands] == [(0.7, 1.0), (0.6, 0.8)]
    assert ax.get_title(loc="left").replace("\n", " ") == "At the end 30 points apart; rows never seen do best at 5"


def test_a_figure_says_its_findings_and_their_numbers_in_words() -> None:
    figure, axes = plt.subplots(1, 2)
    gains = {"log_loss": Interval(0.095, 0.036, 0.15), "accuracy": Interval(0.04, -0.01, 0.09)}
    models = {"model": intervals(SCORED), "rule by Sex": intervals(RULE)}
    plots.evaluate.metric_intervals(axes[0], models, paired=gains)
    plots.load.missing_values(axes[1], {"Age": 177, "Cabin": 687}, 891)
    assert alt.text_of(figure) == (
        "Row by row, model against rule by Sex: surely better in log loss; not settled in accuracy. It is better in "
        "log loss by 0.095, interval 0.036 to 0.150, in accuracy by 0.040, interval -0.010 to 0.090. "
        f"{' '.join(axes[1].get_title('left').split())}."
    )
    plt.close(figure)


def test_a_figure_without_a_finding_says_nothing() -> None:
    figure, _ = plt.subplots()
    assert alt.text_of(figure) == ""
    plt.close(figure)
