"""The Celery application; tasks are found in each app's ``tasks.py``."""

import os
import warnings
from typing import Any

from celery import Celery, bootsteps
from celery.platforms import SecurityWarning
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rld_platform.settings")
# Containers and continuous integration run as root; messages carry a queue name only and are JSON, never pickle.
warnings.filterwarnings("ignore", category=SecurityWarning)

TRANSPORT_ALIASES["filesystem"] = "rld_platform.filesystem_broker:Transport"

app = Celery("rld_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class ShowGpuWorker(bootsteps.StartStopStep):
    """A worker that listens to the queue of GPUs is one process with a device, and shows both from its start."""

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.enabled = "gpu" in parent.app.amqp.queues.consume_from

    def start(self, parent: Any) -> None:
        from engine.services.presence import Presence

        self.presence = Presence("gpu")
        self.presence.start()

    def stop(self, parent: Any) -> None:
        self.presence.stop()


app.steps["worker"].add(ShowGpuWorker)
