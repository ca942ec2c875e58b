"""How good producers are: by people, by metrics, and whether the two agree."""

from evaluation.models.benchmarks import Benchmark, BenchmarkItem, BenchmarkOrigin
from evaluation.models.calibrations import Calibration
from evaluation.models.gates import DECIDED_GATES, OPEN_GATES, Gate, GateStatus
from evaluation.models.ratings import Rating, Refit
from evaluation.models.rounds import LoopRound
from evaluation.models.scores import Answer, EvaluationRun, MetricScore

__all__ = [
    "DECIDED_GATES",
    "OPEN_GATES",
    "Answer",
    "Benchmark",
    "BenchmarkItem",
    "BenchmarkOrigin",
    "Calibration",
    "EvaluationRun",
    "Gate",
    "GateStatus",
    "LoopRound",
    "MetricScore",
    "Rating",
    "Refit",
]
