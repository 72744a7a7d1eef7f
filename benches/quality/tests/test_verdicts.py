"""The verdicts, from made-up numbers."""

from __future__ import annotations

import pytest

import verdicts
from methods import DEFAULT, FAST, PLAIN
from tables import MEASURES, Scored


def photo(name: str, iou: tuple[float, float, float], error: tuple[float, float] = (0.2, 0.1)) -> Scored:
    """A photo with these IoUs of rembg, of one view and of the default; errors of rembg and the default."""
    values = {}
    for method, likeness, wrong in zip((PLAIN, FAST, DEFAULT), iou, (error[0], error[1], error[1])):
        values[method.name] = dict.fromkeys(MEASURES, likeness) | dict.fromkeys(("mae", "band"), wrong)
    return Scored("set", name, values)


@pytest.mark.parametrize(
    ("key", "plain", "ours", "expected"),
    [
        ("mae", 0.100, 0.097, "better"),
        ("mae", 0.100, 0.099, "same"),
        ("band", 0.100, 0.103, "worse"),
        ("iou", 0.80, 0.82, "better"),
        ("iou", 0.80, 0.79, "same"),
        ("f", 0.80, 0.78, "worse"),
        ("mae", 0.0, 0.0, "same"),
    ],
)
def test_a_mean_is_better_the_same_or_worse(key: str, plain: float, ours: float, expected: str) -> None:
    assert verdicts.word(key, plain, ours) == expected


def test_photos_that_lost_are_named_with_the_stage_that_did_it() -> None:
    scored = [
        photo("kept", (0.9, 0.9, 0.81)),
        photo("by views", (0.9, 0.9, 0.7)),
        photo("by refinement", (0.9, 0.6, 0.5)),
    ]
    assert verdicts.fallen(scored).splitlines() == [
        "- set/by refinement: 0.90 to 0.50 (refinement)",
        "- set/by views: 0.90 to 0.70 (views)",
    ]
    assert verdicts.fallen(scored[:1]) == "none.\n"


def test_the_table_counts_failures_and_the_text_has_the_means() -> None:
    scored = [photo("one", (0.4, 0.6, 0.6)), photo("two", (0.9, 0.9, 0.9), (0.2, 0.2))]
    assert "| 1, now 0" in verdicts.table(scored)
    assert "MAE 0.750, band error 0.750." in verdicts.text(scored)
