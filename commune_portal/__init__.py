"""The composition root: settings, urls, Celery, pages that mix apps."""
