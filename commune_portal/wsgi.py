"""The door for web servers (granian or gunicorn)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commune_portal.settings")
pages = get_wsgi_application()

from commune_portal.front_door import FrontDoor  # noqa: E402  # it needs the apps that are now set up

application = FrontDoor(pages)
