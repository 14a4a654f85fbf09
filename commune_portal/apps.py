"""The portal itself: start-up of what belongs to no single app."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

OUR_APPS = ("accounts", "notifications", "addresses", "residents", "payments", "farm")


class WithoutPagesConfig(AppConfig):
    """The portal in a process that shows no page (commune_portal.settings_without_pages)."""

    name = "commune_portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        """Register the checks of the settings."""
        import_module("commune_portal.checks")


class PortalConfig(WithoutPagesConfig):
    """The whole portal."""

    default = True

    def __init__(self, *args: Any) -> None:
        """Let forms and admins say what they are of, as in ModelForm[Bill], before any loads."""
        import_module("django_stubs_ext").monkeypatch()
        super().__init__(*args)

    def ready(self) -> None:
        """Load the task queue, and our admins only.

        Admin autodiscovery would import those of packages that need system libraries
        (leaflet's wants GDAL) or that officials must not see.
        """
        super().ready()
        import_module("commune_portal.celery")
        for app in OUR_APPS:
            if find_spec(f"{app}.admin"):
                import_module(f"{app}.admin")
