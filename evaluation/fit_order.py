"""``python -m evaluation.fit_order``: the log-odds of ``engine.occlusion_evidence``, fitted on composites.

Prints the weights of ``hull`` and ``junction`` and what they are worth on held-out composites: shares of the pairs that
truly overlap and whose visible masks touch. Masks are the true visible ones and there is no depth, so this measures the
geometry alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from engine import occlusion, occlusion_evidence
from engine.composites.generator import compose

FITTED = ("hull", "junction")


def pairs(seeds: Sequence[int], size_px: int) -> np.ndarray:
    """Evidence ``[N,2]`` that the front is in front, one row for each true pair that touches."""
    rows = []
    for seed in seeds:
        composite = compose(seed, size_px)
        masks = [layer.layer.visible_hw for layer in composite.layers]
        for front, behind in composite.in_front:
            if occlusion.are_adjacent(masks[front], masks[behind]):
                found = occlusion_evidence.evidence(masks[front], masks[behind])
                rows.append([found[name] for name in FITTED])
    return np.array(rows)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="evaluation.fit_order", description=__doc__)
    parser.add_argument("--fit", type=int, default=300, help="composites to fit on, from seed 10000")
    parser.add_argument("--test", type=int, default=200, help="composites to test on, from seed 0")
    parser.add_argument("--size", type=int, default=384)
    options = parser.parse_args(words)
    known = pairs(range(10000, 10000 + options.fit), options.size)
    both_ways = np.concatenate([known, -known])
    truth = np.repeat([1, 0], len(known))
    fitted = LogisticRegression(fit_intercept=False, C=10).fit(both_ways, truth)
    slopes = {name: round(float(value), 2) for name, value in zip(FITTED, fitted.coef_[0], strict=True)}
    held_out = pairs(range(options.test), options.size)
    away = 1 / (1 + np.exp(-held_out @ fitted.coef_[0])) - 0.5
    limit = occlusion_evidence.ABSTAIN_WITHIN
    sys.stdout.write(
        f"weights {slopes} from {len(known)} pairs\n"
        f"{len(held_out)} held-out pairs: right without abstaining {np.mean(away > 0):.3f}; "
        f"edge right {np.mean(away >= limit):.3f}, edge wrong {np.mean(away <= -limit):.3f}\n"
    )


if __name__ == "__main__":
    main()
