"""Pages that belong to the portal as a whole: home, signs of life, error pages, the demo's help."""

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from commune_portal.models import Heartbeat

WORKER_SILENT_AFTER = timedelta(minutes=2)


@require_GET
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that this process is alive; asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer whether people can be served: 503 without a database.

    A silent worker or an absent cache is told, but does not take the web process out of service.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        seen = Heartbeat.objects.filter(process="worker").values_list("at", flat=True).first()
    except DatabaseError:
        return JsonResponse({"database": "away"}, status=503)
    is_worker_seen = bool(seen and timezone.now() - seen < WORKER_SILENT_AFTER)
    cache.set("readyz", 1, timeout=10)
    return JsonResponse(
        {
            "database": "ok",
            "worker": "ok" if is_worker_seen else "silent",
            "cache": "ok" if cache.get("readyz") else "away",
        }
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say in plain words that the form was too old or came from another page."""
    return render(request, "403_csrf.html", status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is no such page, and where to go."""
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that the fault is ours, without touching the database that may be its cause."""
    return render(
        request,
        "500.html",
        {"request_id": request.META.get("REQUEST_ID", ""), "portal_name": settings.PORTAL_NAME},
        status=500,
    )
