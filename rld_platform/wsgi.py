"""The web application. All views are imported here, before the web processes fork: no first request waits for it."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rld_platform.settings")

application = get_wsgi_application()
resolve("/healthz")
