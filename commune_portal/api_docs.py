"""The descriptions of the two APIs, for programs and for people."""

from threading import Lock
from typing import Any

from csp.decorators import csp_update
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from farm.api.schema import SETTINGS as FARM_SETTINGS

# drf-spectacular keeps the settings of the description that it writes for the whole process.
_one_at_a_time = Lock()


class SchemaView(SpectacularAPIView):
    """Write one description after the other, so that none has the other's calls."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with _one_at_a_time:
            return super().dispatch(request, *args, **kwargs)


partner_schema = SchemaView.as_view()
farm_schema = SchemaView.as_view(custom_settings=FARM_SETTINGS)

# Swagger UI sets styles on its own elements; its scripts stay files of ours.
_with_styles = csp_update({"style-src": "'unsafe-inline'"})
partner_docs = _with_styles(
    SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api_docs.html")
)
farm_docs = _with_styles(
    SpectacularSwaggerSplitView.as_view(
        url_name="farm_schema", template_name="api_docs.html", title=FARM_SETTINGS["TITLE"]
    )
)
