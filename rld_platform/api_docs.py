"""The API's documentation page.

Swagger UI writes style attributes into its page, so this one page allows inline styles; its scripts come from our own
server as everywhere else (the "split" view serves the start script under an address of its own).
"""

from __future__ import annotations

from csp.decorators import csp_update
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

schema = SpectacularAPIView.as_view(permission_classes=[])
page = csp_update({"style-src": ["'unsafe-inline'"]})(
    SpectacularSwaggerSplitView.as_view(permission_classes=[], url_name="schema")
)
