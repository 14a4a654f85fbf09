"""The composition root: settings, urls, Celery, pages that mix apps."""

from commune_portal.celery import app as celery_app

__all__ = ["celery_app"]
