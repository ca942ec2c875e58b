import cv2
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from engine.stages.scene.geodesic import distance_from


def test_an_edge_keeps_what_lies_behind_it_far_away():
    picture = np.full((40, 40, 3), 60, np.uint8)
    picture[10:30, 10:30] = 200
    seeds = np.ones((40, 40), bool)
    seeds[5:35, 5:35] = False
    distance = distance_from(seeds, picture)
    assert distance[seeds].max() == 0
    assert distance[20, 20] > 10 * distance[7, 20]


def test_it_is_the_shortest_way_on_a_soft_picture():
    rng = np.random.default_rng(4)
    picture = cv2.GaussianBlur(rng.integers(0, 256, (24, 30, 3)).astype(np.uint8), (0, 0), 4)
    seeds = np.zeros((24, 30), bool)
    seeds[3, 4] = True
    assert np.allclose(distance_from(seeds, picture), shortest_ways(seeds, picture), rtol=0.05)


def shortest_ways(seeds, picture):
    """The same by Dijkstra's algorithm."""
    lab = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32), (0, 0), 0.7)
    number = np.arange(seeds.size).reshape(seeds.shape)
    steps = []
    for a, b in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        steps.append((np.linalg.norm(lab[a] - lab[b], axis=2).ravel() + 0.3, number[a].ravel(), number[b].ravel()))
    costs, starts, ends = (np.concatenate(part) for part in zip(*steps, strict=True))
    graph = csr_array((costs, (starts, ends)), shape=(seeds.size, seeds.size))
    return dijkstra(graph, directed=False, indices=int(number[seeds][0])).reshape(seeds.shape)
