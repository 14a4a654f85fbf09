"""The door for web servers (granian or gunicorn)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commune_portal.settings")

application = get_wsgi_application()
