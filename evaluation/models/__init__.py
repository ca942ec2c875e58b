"""How good producers are: by people, by metrics, and whether the two agree."""

from evaluation.models.calibrations import Calibration
from evaluation.models.ratings import Rating, Refit
from evaluation.models.scores import Benchmark, EvaluationRun, MetricScore

__all__ = ["Benchmark", "Calibration", "EvaluationRun", "MetricScore", "Rating", "Refit"]
