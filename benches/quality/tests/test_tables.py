"""The tables, from made-up numbers."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

import tables
from methods import DEFAULT, PLAIN
from pairs import Trouble
from tables import Scored

START, END = tables.MARKERS


def image(name: str, plain: float, ours: float, iou: float = 0.9) -> Scored:
    """A photo on which every error is as given."""
    errors = [dict.fromkeys(("mae", "band", "gradient"), error) | {"colour": math.nan} for error in (plain, ours)]
    likenesses = [dict.fromkeys(("iou", "s", "f"), value) for value in (iou, iou + 0.05)]
    rembg, remrembg = (left | right for left, right in zip(errors, likenesses))
    return Scored("set", name, {PLAIN.name: rembg, DEFAULT.name: remrembg})


IMAGES = [image("good", 0.2, 0.1), image("bad", 0.2, 0.3), image("lost", 0.4, 0.2, iou=0.5)]


def cells(table: str, line: int) -> list[str]:
    return [cell.strip() for cell in table.splitlines()[line].strip("|").split("|")]


def test_methods_are_compared_by_means() -> None:
    table = tables.compared_table(IMAGES)
    assert len(table.splitlines()) == 3
    assert cells(table, 2) == [
        *("set (3)", DEFAULT.name, "0.75", "0.75", "0.75", "–", "+0.050", "+0.050", "+0.050", "1 of 2")
    ]


def test_means_of_all_methods() -> None:
    table = tables.means_table(IMAGES)
    assert cells(table, 2)[:4] == ["set", "rembg", "0.2667", "0.2667"]
    assert cells(table, 3)[-1] == "0.8167"


def test_the_worst_photos_come_first(tmp_path: Path) -> None:
    tables.write_images(tmp_path / "images.csv", IMAGES)
    with (tmp_path / "images.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows[::2]] == ["bad", "good", "lost"]
    assert (rows[1]["method"], rows[1]["band error / rembg's"], rows[1]["colour error"]) == (
        DEFAULT.name,
        "1.500000",
        "",
    )


def test_a_page_keeps_all_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{START}\nold\n{END}\nafter\n", "utf-8")
    tables.write(page, r"new \1")
    tables.write(page, "| newer |\n")
    assert page.read_text("utf-8") == f"before\n{START}\n\n| newer |\n\n{END}\nafter\n"


def test_a_page_without_the_markers_is_told(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("text", "utf-8")
    with pytest.raises(Trouble, match="must have <!-- quality"):
        tables.write(tmp_path / "page.md", "new")


def test_the_page_of_the_project_has_them() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs/quality.md").read_text("utf-8")
    assert text.count(START) == text.count(END) == 1
