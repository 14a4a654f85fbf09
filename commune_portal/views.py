"""Pages that belong to the portal as a whole: home, signs of life, error pages, the demo's help."""

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_GET

from accounts.access import SignedInRequest, sign_in_required
from commune_portal.demo_people import demo_people
from commune_portal.models import Heartbeat
from farm.access import may_see_the_farm
from payments import selectors as payments
from residents.models import Household

WORKER_SILENT_AFTER = timedelta(minutes=2)


@require_GET
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Welcome a stranger; tell a person who signed in what waits for them."""
    person = request.user
    if not person.is_authenticated:
        return render(request, "home.html")
    context = {
        "owed": payments.owed_by(person),
        "last_receipt": payments.receipts_of(person).first(),
        "has_household": Household.objects.visible_to(person).exists(),
        "sees_the_farm": may_see_the_farm(person),
    }
    return render(request, "home_signed_in.html", context)


@require_GET
@sign_in_required
@never_cache
def account(request: SignedInRequest) -> HttpResponse:
    """Show who has signed in, which households that opens, and the way out."""
    households = Household.objects.visible_to(request.user).select_related("village").order_by("pk")
    return render(request, "account.html", {"households": households})


@require_GET
@never_cache
def demo_help(request: HttpRequest) -> HttpResponse:
    """List the demo's accounts with what opens them; there is no such page outside the demo."""
    if not settings.DEMO:
        raise Http404
    return render(request, "demo_help.html", {"people": demo_people(at=timezone.now())})


@require_GET
@cache_control(max_age=3600)
def manifest(request: HttpRequest) -> JsonResponse:
    """Let a phone put the portal on its home screen (W3C Web Application Manifest)."""
    icons = [
        {
            "src": static(f"img/icon-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": "any maskable",
        }
        for size in (192, 512)
    ]
    return JsonResponse(
        {
            "name": _("%(commune)s commune portal") % {"commune": settings.PORTAL_NAME},
            "short_name": settings.PORTAL_NAME,
            "lang": get_language(),
            "start_url": "/",
            "display": "standalone",
            "background_color": "#f6f7f2",
            "theme_color": "#0b6e4f",
            "icons": icons,
        },
        content_type="application/manifest+json",
    )


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
    except (DatabaseError, InterfaceError):
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
