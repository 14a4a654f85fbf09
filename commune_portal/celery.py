"""The Celery application. Tasks are nudges; what must happen stands in rows."""

import os

from celery import Celery

from common import file_queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commune_portal.settings")

file_queue.register()
app = Celery("commune_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
