"""Networks that are read when they are needed: shared, given up for others, tried again when memory ends."""

import json

import numpy as np
import pytest
import torch

from engine import accounts, networks, on_demand, weights_folder
from engine.on_demand import OnDemand
from engine.residency import Residency
from engine.stages.network import Network

PICTURE = np.zeros((40, 40, 3), np.uint8)


class Counting(Network):
    """A network whose device gives up a call in which it is not alone, as one with too little memory does."""

    loads = 0
    beside = Residency()

    def __init__(self, weights, needs_all=False):
        super().__init__(weights)
        self.needs_all = needs_all

    def load_from(self, place):
        Counting.loads += 1
        self.convention = place.name

    def __call__(self, items):
        if self.needs_all and len(Counting.beside.listed()) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [item + 1 for item in items]


@pytest.fixture
def resident(monkeypatch, tmp_path):
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path))
    for name in ("dinov2_base", "clip_vit_b_32"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps({}))
    kept = Residency(lambda device: 10_000)
    monkeypatch.setattr(on_demand, "RESIDENCY", kept)
    monkeypatch.setattr(Counting, "loads", 0)
    monkeypatch.setattr(Counting, "beside", kept)
    return kept


def made(weights="dinov2_base", **params):
    network = OnDemand(Counting, {"weights": weights, **params}, 500)
    network.load()
    return network


def test_weights_are_read_with_the_first_call_and_once_for_all_equal_networks(resident):
    first, second = made(), made()
    assert resident.listed() == []
    assert first([1]) == second([1]) == [2]
    assert Counting.loads == 1
    assert [name for name, _ in resident.listed()] == ["dinov2_base"]


def test_other_parameters_are_another_network(resident):
    made()([1])
    made(needs_all=False)([1])
    made("clip_vit_b_32")([1])
    assert Counting.loads == 3


def test_what_only_the_weights_know_reads_them(resident):
    network = made()
    assert network.convention == "dinov2_base"
    assert Counting.loads == 1


def test_missing_weights_are_said_before_any_work(resident):
    with pytest.raises(weights_folder.MissingWeights, match="fetch_weights owlv2_base"):
        networks.make({"network": "owlv2"}).load()


def test_unknown_parameters_are_said_at_once():
    with pytest.raises(TypeError):
        networks.make({"network": "dinov2", "sides": 3})


def test_a_device_without_memory_gives_up_the_others_and_tries_again(resident):
    made()([1])
    assert made("clip_vit_b_32", needs_all=True)([4]) == [5]
    assert [name for name, _ in resident.listed()] == ["clip_vit_b_32"]


def test_seconds_on_the_device_are_counted(resident):
    before = accounts.METER.read
    made()([1])
    assert (accounts.METER.read - before).device_s > 0


def test_the_same_network_asked_by_two_stages_is_one_in_memory(tiny_weights, monkeypatch):
    kept = Residency(lambda device: 100_000)
    monkeypatch.setattr(on_demand, "RESIDENCY", kept)
    for _ in range(2):
        network = networks.make({"network": "dinov2"})
        network.load()
        assert network([PICTURE]).shape[0] == 1
    assert len(kept.listed()) == 1
