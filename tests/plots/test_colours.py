"""Whoever sees fewer colours, or a page's dark theme, can tell apart and read what the figures show.

Colours are compared as they look with each kind of dichromacy. ColorAide simulates it: by the model of Brettel, Viénot
and Mollon (1997), the one that is sound for all three kinds, and for protanopia and deuteranopia by those of Viénot,
Brettel and Mollon (1999) and of Machado, Oliveira and Fernandes (2009) too, since the models differ. The distance is
that of CAM02-UCS, in which equal numbers look about equally far apart. At least 20 is what Petroff (2021,
arXiv:2107.02270) asks of six colours for lines and points.
"""

from __future__ import annotations

from collections import Counter
from io import BytesIO
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from coloraide.everything import ColorAll as Color
from cycler import Cycler
from figures import FIGURES, dashes, drawn, words
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch
from matplotlib.text import Annotation, Text

from lifeboat import plots
from lifeboat.plots import style

DOCS = Path(__file__).parents[2] / "docs"
MARKS = {name: vars(style)[name] for name in ("BLUE", "ORANGE", "SKY", "BROWN", "GREY", "INK")}
ALL = ("brettel", "vienot", "machado")
MODELS = {"protan": ALL, "deutan": ALL, "tritan": ALL[:1]}
FAR_APART = 20  # in CAM02-UCS
OF_MARKS, OF_TEXT = 3, 4.5  # WCAG 2.2, 1.4.11 and 1.4.3: the contrast of graphical objects and of text


def seen(colour: str) -> dict[str, Color]:
    """How a colour looks to everybody."""
    looks = {"normal": Color(colour)}
    for kind, models in MODELS.items():
        looks |= {f"{kind}, {model}": Color(colour).filter(kind, 1, method=model).clip("srgb") for model in models}
    return looks


def distance(one: str, other: str) -> float:
    """How far two colours are apart for whom they are least so."""
    return min(
        a.delta_e(b, method="cam02", space="cam02-ucs")
        for a, b in zip(seen(one).values(), seen(other).values(), strict=True)
    )


def contrast(one: str, other: str) -> float:
    return float(Color(one).contrast(other, method="wcag21"))


def test_the_measure_finds_what_is_known_to_be_alike() -> None:
    # Okabe and Ito's blue and green for tritanopia; their green and a grey as light for deuteranopia; red and green
    assert distance("#0072B2", "#009E73") < FAR_APART < Color("#0072B2").delta_e("#009E73", method="cam02")
    assert distance("#009E73", "#777777") < 10
    assert distance("#B04020", "#607020") < 10 < FAR_APART < Color("#B04020").delta_e("#607020", method="cam02")
    assert distance("#000000", "#FFFFFF") > 95
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize(("one", "other"), list(combinations(MARKS, 2)))
def test_all_marks_are_told_apart_whatever_colours_one_sees(one: str, other: str) -> None:
    assert distance(MARKS[one], MARKS[other]) >= FAR_APART


@pytest.mark.parametrize("name", MARKS)
def test_all_marks_stand_out_from_the_page(name: str) -> None:
    assert contrast(MARKS[name], "white") >= OF_MARKS


def test_a_plain_plot_of_the_notebooks_has_the_same_colours_as_the_figures() -> None:
    with plt.rc_context():
        plots.use_style()
        cycle = plt.rcParams["axes.prop_cycle"]
        assert isinstance(cycle, Cycler)
        assert [to_hex(colour).upper() for colour in cycle.by_key()["color"]] == list(style.COLOURS)
        assert {to_hex(plt.rcParams[f"{axis}tick.color"]).upper() for axis in "xy"} == {style.INK}
        assert to_hex(plt.rcParams["axes.labelcolor"]).upper() == style.INK
        assert to_hex(plt.rcParams["axes.edgecolor"]).upper() == style.GREY


def test_only_after_thirty_do_two_of_a_series_look_alike() -> None:
    looks = [style.series(index) for index in range(30)]
    assert len(set(looks)) == 30
    assert looks[:5] == [("#004488", "o"), ("#D55E00", "s"), ("#0099EE", "D"), ("#773300", "^"), ("#222222", "v")]
    assert all(one[0] != other[0] and one[1] != other[1] for one, other in pairwise(looks))


def over_white(colour: object) -> str | None:
    """A colour as it looks on the page; None for one that is not there."""
    *rgb, alpha = to_rgba(colour)  # type: ignore[arg-type]
    return to_hex([alpha * part + 1 - alpha for part in rgb]).upper() if alpha else None


def of_lines(ax: Axes) -> set[str | None]:
    """The colours of lines, marks and arrows: of a hollow mark its edge."""
    legend = ax.get_legend()
    of: set[str | None] = set()
    for line in [*ax.lines, *(legend.get_lines() if legend else [])]:
        if line.get_linestyle() != "None":
            of.add(over_white(line.get_color()))
        if line.get_marker() not in ("None", None, " ", ""):
            of.add(over_white(line.get_markeredgecolor()))
    arrows = [text.arrow_patch for text in ax.texts if isinstance(text, Annotation) and text.arrow_patch]
    of |= {over_white(arrow.get_edgecolor()) for arrow in [*arrows, *ax.findobj(FancyArrowPatch)]}
    return of - {None}


def enclosed(ax: Axes) -> list[tuple[str | None, str | None]]:
    """The edge and the fill of each box, bar and band, those around words too."""
    patches: list[Patch] = [*ax.patches, *(text.get_bbox_patch() for text in ax.texts if text.get_bbox_patch())]  # type: ignore[list-item]
    looks = [(over_white(patch.get_edgecolor()), over_white(patch.get_facecolor())) for patch in patches]
    for drawn_together in ax.findobj(Collection):
        edges, fills = drawn_together.get_edgecolor(), drawn_together.get_facecolor()
        looks += [(over_white(edge), over_white(fills[0]) if len(fills) else None) for edge in edges]
    return looks


@pytest.mark.parametrize("name", FIGURES)
def test_what_a_figure_draws_is_of_these_colours_and_stands_out_from_what_is_behind_it(name: str) -> None:
    with drawn(name) as ax:
        lines, boxes = of_lines(ax), enclosed(ax)
        outlines = {edge or fill for edge, fill in boxes} - {"#FFFFFF"}
        fills = {fill for _, fill in boxes if fill} - set(MARKS.values())
        assert lines | outlines, "something is drawn"
        assert lines | outlines <= set(MARKS.values())
        assert all(contrast(line, fill) >= OF_MARKS for line in lines - {style.SKY} for fill in fills if line)


def without_words(figure: Figure) -> np.ndarray:
    """The figure's pixels where no word is."""
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    figure.set_layout_engine("none")  # everything stays where it is
    for text in figure.findobj(Text):
        text.set_alpha(0)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.mark.parametrize("name", FIGURES)
def test_every_word_of_a_figure_can_be_read_on_what_is_behind_it(name: str) -> None:
    with drawn(name) as ax:
        figure = ax.get_figure(root=True)
        assert figure is not None
        pixels = without_words(figure)
        written = words(figure)
        assert len(written) > 2
        for text in written:
            patch, box = text.get_bbox_patch(), text.get_window_extent()
            rows = slice(int(len(pixels) - box.y1), int(len(pixels) - box.y0))
            behind = pixels[rows, int(box.x0) : int(box.x1), :3].reshape(-1, 3)
            ((most, _),) = Counter(map(tuple, behind.tolist())).most_common(1)
            ground = over_white(patch.get_facecolor()) if patch else to_hex([part / 255 for part in most])
            assert contrast(to_hex(text.get_color()), ground or "white") >= OF_TEXT, text.get_text()


def shape(handle: object) -> tuple[object, ...]:
    """What is left of a look without its colour."""
    if isinstance(handle, Line2D):
        hollow = over_white(handle.get_markerfacecolor()) == "#FFFFFF"
        return (handle.get_linestyle(), handle.get_marker(), hollow)
    assert isinstance(handle, Patch)
    return ("area", dashes(handle))


@pytest.mark.parametrize("name", FIGURES)
def test_no_two_entries_of_a_legend_differ_by_colour_alone(name: str) -> None:
    with drawn(name) as ax:
        legend = ax.get_legend()
        shapes = [shape(handle) for handle in legend.legend_handles] if legend else []
        assert len(set(shapes)) == len(shapes)


def test_a_figure_brings_its_white_along_so_that_a_dark_page_changes_nothing() -> None:
    with drawn("metric_intervals") as ax:
        figure, shown = ax.get_figure(root=True), BytesIO()
        assert figure is not None
        # as notebooks show it
        figure.savefig(shown, dpi=figure.dpi, bbox_inches="tight", facecolor=figure.get_facecolor())
        saved = BytesIO()
        figure.savefig(saved)
    for png in (shown, saved):
        png.seek(0)
        assert opaque_white(imread(png))


@pytest.mark.parametrize("picture", ["result.png", "scale.png", "teaching/concepts.png"])
def test_so_do_the_pictures_of_the_docs(picture: str) -> None:
    assert opaque_white(imread(DOCS / picture))


def opaque_white(pixels: np.ndarray) -> bool:
    """Whether nothing shines through, and the margin is white."""
    margin = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return bool((pixels[..., 3:] == 1).all() and (margin[:, :3] == 1).all())
