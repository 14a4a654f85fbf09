#!/usr/bin/env python
"""Django's command line for the portal."""

import os
import sys

from django.core.management import execute_from_command_line

SETTINGS = "commune_portal.settings"
WITHOUT_PAGES = {"mqtt_bridge", "simulate_greenhouse"}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    if os.environ["DJANGO_SETTINGS_MODULE"] == SETTINGS and WITHOUT_PAGES & set(sys.argv[1:2]):
        os.environ["DJANGO_SETTINGS_MODULE"] = f"{SETTINGS}_without_pages"
    execute_from_command_line(sys.argv)
