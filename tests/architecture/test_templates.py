"""Partials say what they need; test_page_weight.py keeps inline code out of all templates."""

from pathlib import Path

import pytest

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
PARTIALS = sorted(TEMPLATES.rglob("_*.html"))


@pytest.mark.parametrize("path", PARTIALS, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_partial_says_in_its_first_line_what_it_needs(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]

    assert first.startswith("{# Needs: ")
