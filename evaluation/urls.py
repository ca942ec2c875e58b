"""The evaluation part of the API."""

from __future__ import annotations

from django.urls import URLPattern, path

from evaluation.api.benchmarks import BenchmarkBoard, BenchmarkById, Benchmarks, WatchBenchmark
from evaluation.api.calibrations import Calibrations, ChooseCalibration
from evaluation.api.evaluations import CancelEvaluation, EvaluationById, Evaluations, EvaluationScores
from evaluation.api.gates import CancelGate, DecideGate, GateById, Gates, UndoGate
from evaluation.api.leaderboard import Leaderboard

urlpatterns: list[URLPattern] = [
    path("leaderboard/", Leaderboard.as_view(), name="leaderboard"),
    path("benchmarks/", Benchmarks.as_view(), name="api-benchmarks"),
    path("benchmarks/<uuid:benchmark_id>/", BenchmarkById.as_view(), name="api-benchmark"),
    path("benchmarks/<uuid:benchmark_id>/watch/", WatchBenchmark.as_view(), name="api-benchmark-watch"),
    path("benchmarks/<uuid:benchmark_id>/board/", BenchmarkBoard.as_view(), name="api-benchmark-board"),
    path("evaluations/", Evaluations.as_view(), name="api-evaluations"),
    path("evaluations/<uuid:evaluation_id>/", EvaluationById.as_view(), name="api-evaluation"),
    path("evaluations/<uuid:evaluation_id>/cancel/", CancelEvaluation.as_view(), name="api-evaluation-cancel"),
    path("evaluations/<uuid:evaluation_id>/scores/", EvaluationScores.as_view(), name="api-evaluation-scores"),
    path("gates/", Gates.as_view(), name="api-gates"),
    path("gates/<uuid:gate_id>/", GateById.as_view(), name="api-gate"),
    path("gates/<uuid:gate_id>/decide/", DecideGate.as_view(), name="api-gate-decide"),
    path("gates/<uuid:gate_id>/cancel/", CancelGate.as_view(), name="api-gate-cancel"),
    path("gates/<uuid:gate_id>/undo/", UndoGate.as_view(), name="api-gate-undo"),
    path("calibrations/", Calibrations.as_view(), name="api-calibrations"),
    path(
        "benchmarks/<uuid:benchmark_id>/calibrations/<str:board>/<int:version>/choose/",
        ChooseCalibration.as_view(),
        name="api-calibration-choose",
    ),
]
