"""The portal itself: start-up of what belongs to no single app."""

import sys
from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

OUR_APPS = ("accounts", "notifications", "addresses", "residents", "payments", "farm")

# Long-running commands that show no page: the back office would cost each of them 30 MB.
WITHOUT_PAGES = ("mqtt_bridge", "simulate_greenhouse")


class PortalConfig(AppConfig):
    name = "commune_portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        """Load our admins only.

        Admin autodiscovery would import those of packages that need system libraries
        (leaflet's wants GDAL) or that officials must not see.
        """
        import_module("commune_portal.checks")
        if sys.argv[1:2] and sys.argv[1] in WITHOUT_PAGES:
            return
        for app in OUR_APPS:
            if find_spec(f"{app}.admin"):
                import_module(f"{app}.admin")
