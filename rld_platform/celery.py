"""The Celery application; tasks are found in each app's ``tasks.py``."""

import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rld_platform.settings")
# Containers and continuous integration run as root; messages carry a queue name only and are JSON, never pickle.
warnings.filterwarnings("ignore", category=SecurityWarning)

TRANSPORT_ALIASES["filesystem"] = "rld_platform.filesystem_broker:Transport"

app = Celery("rld_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
