"""The Celery application. Tasks are nudges; what must happen stands in rows."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commune_portal.settings")

app = Celery("commune_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
