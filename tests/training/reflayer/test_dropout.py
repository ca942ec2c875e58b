from __future__ import annotations

import pytest
import torch

from training.reflayer.dropout import DropoutConfig, draw

MANY = 40_000


def test_chances_are_independent_and_as_stated() -> None:
    kept = draw(DropoutConfig(0.1, 0.05, 0.05, 0.05), MANY, torch.Generator().manual_seed(0))
    no_text, no_canvas, no_source = (float((~part).float().mean()) for part in (kept.text, kept.canvas, kept.source))
    assert no_text == pytest.approx(1 - 0.9 * 0.95 * 0.95, abs=0.01)
    assert no_canvas == pytest.approx(1 - 0.95**3, abs=0.01)
    assert no_source == pytest.approx(0.05, abs=0.005)


def test_without_source_there_is_nothing() -> None:
    kept = draw(DropoutConfig(0.1, 0.1, 0.1, 0.3), MANY, torch.Generator().manual_seed(0))
    assert not (kept.text | kept.canvas)[~kept.source].any()


def test_the_answer_to_the_source_alone_is_trained() -> None:
    kept = draw(DropoutConfig(), MANY, torch.Generator().manual_seed(0))
    alone = kept.source & ~kept.canvas & ~kept.text
    assert 0.04 < float(alone.float().mean()) < 0.07


def test_no_chance_drops_nothing() -> None:
    kept = draw(DropoutConfig(0, 0, 0, 0), 100, torch.Generator().manual_seed(0))
    assert (kept.text & kept.canvas & kept.source).all()
