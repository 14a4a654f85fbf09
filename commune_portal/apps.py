"""The portal itself: start-up of what belongs to no single app."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _

OUR_APPS = ("accounts", "notifications", "addresses", "residents", "payments", "farm")


class PortalConfig(AppConfig):
    name = "commune_portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        """Load the task queue, and our admins only.

        Admin autodiscovery would import those of packages that need system libraries
        (leaflet's wants GDAL) or that officials must not see.
        """
        import_module("commune_portal.checks")
        if not apps.is_installed("django.contrib.admin"):
            return  # commune_portal.settings_without_pages
        import_module("commune_portal.celery")
        for app in OUR_APPS:
            if find_spec(f"{app}.admin"):
                import_module(f"{app}.admin")
