"""On a telephone every letter of a figure can be read: none is too small, covers another or is cut off.

A page of 390 pixels, as most telephones have, leaves 358 to a figure, with 16 on either side. No letter may then be of
less than 11 pixels: the least size of text that Apple's guidelines allow on a telephone. In this font that is 8 pixels
for a capital, about 1.3 mm, or 14 minutes of arc at reading distance, between the 10 that can just be read and the 16
that ISO 9241-3 asks for running text.
"""

from __future__ import annotations

import base64
from io import BytesIO
from itertools import combinations
from pathlib import Path

import nbformat
import pytest
from figures import FIGURES, drawn, words
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from lifeboat import plots

ROOT = Path(__file__).parents[2]
ROOM, LEAST = 358, 11  # pixels
LEAST_POINTS = 11  # of a letter in any figure
AROUND = 0.2  # inches of white that a notebook puts around a figure


def pixels(points: float, inches: float) -> float:
    """The height of a letter in a figure of this width, where that is shown as wide as a telephone lets it."""
    return points * ROOM / (inches * 72)


def place(text: Text) -> Bbox:
    """Where a text stands, with the box around it."""
    box = text.get_bbox_patch()
    return box.get_window_extent() if box else text.get_window_extent()


@pytest.mark.parametrize("name", FIGURES)
def test_no_letter_of_a_figure_is_too_small_for_a_telephone(name: str) -> None:
    with drawn(name) as ax:
        figure = ax.get_figure(root=True)
        assert figure is not None
        sizes = [text.get_fontsize() for text in words(figure)]
        assert min(sizes) >= LEAST_POINTS
        assert pixels(min(sizes), figure.get_tightbbox().width + AROUND) >= LEAST


@pytest.mark.parametrize("name", FIGURES)
def test_no_word_of_a_figure_covers_another_or_is_cut_off(name: str) -> None:
    with drawn(name) as ax:
        figure = ax.get_figure(root=True)
        assert figure is not None
        places = [(text.get_text(), place(text)) for text in words(figure)]
        assert len(places) > 2
        page = figure.bbox
        for text, box in places:
            assert page.x0 - 1 < box.x0 < box.x1 < page.x1 + 1, text
            assert page.y0 - 1 < box.y0 < box.y1 < page.y1 + 1, text
        for (one, box), (other, another) in combinations(places, 2):
            assert not box.padded(-1).overlaps(another.padded(-1)), (one, other)


def shown() -> dict[str, bytes]:
    """All pictures that the project shows, by where."""
    pictures = {str(png.relative_to(ROOT)): png.read_bytes() for png in sorted((ROOT / "docs").rglob("*.png"))}
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for number, cell in enumerate(nbformat.read(notebook, as_version=4).cells):
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    pictures[f"{notebook.name}, cell {number}"] = base64.b64decode(output.data["image/png"])
    return pictures


SHOWN = shown()


def test_there_are_pictures_in_the_docs_and_in_the_notebooks() -> None:
    assert {"docs/result.png", "docs/scale.png", "docs/teaching/concepts.png"} <= set(SHOWN)
    assert sum("cell" in where for where in SHOWN) >= 15


@pytest.mark.parametrize("where", SHOWN)
def test_a_picture_is_narrow_enough_for_its_least_letters_to_be_read_on_a_telephone(where: str) -> None:
    with Image.open(BytesIO(SHOWN[where])) as picture:
        dots = picture.info["dpi"][0]  # an inch, as matplotlib notes it in the file
        assert pixels(LEAST_POINTS, picture.width / dots) >= LEAST


def test_the_width_of_figures_leaves_as_much_to_the_least_letters_as_is_said() -> None:
    assert pixels(LEAST_POINTS, plots.WIDTH + AROUND) == pytest.approx(LEAST, abs=0.1)
    assert pixels(LEAST_POINTS, 8) < 7, "as wide as figures are by default elsewhere"
