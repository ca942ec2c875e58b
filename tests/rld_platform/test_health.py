import pytest

from tests.factories import make_image, make_layer


def test_live_answers_without_a_database(client):
    assert client.get("/healthz").content == b"ok"


@pytest.mark.django_db
def test_not_ready_without_a_worker(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] is True
    assert answer.json()["worker"] is False


def test_metrics_count_layers_by_status(client, project):
    make_layer(make_image(project))
    assert b'rld_layers{status="ready"} 1.0' in client.get("/metrics").content
