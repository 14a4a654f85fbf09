"""What the bridge loads: all that it needs, and nothing of what only pages need."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LOAD = """
import importlib, pkgutil, sys
import django
django.setup()
import commune_portal.mqtt, farm.services
for module in pkgutil.iter_modules(farm.services.__path__):
    importlib.import_module(f"farm.services.{module.name}")
heavy = {"allauth", "celery", "oauth2_provider", "payments", "rest_framework", "unfold"}
print(sorted(heavy & sys.modules.keys()))
from common import nudge
nudge._send("notifications.tasks.deliver_messages", {})
print("celery" in sys.modules)
"""


def test_a_process_without_pages_loads_the_farm_alone_and_celery_with_the_first_nudge(tmp_path):
    settings = {
        "DJANGO_SETTINGS_MODULE": "commune_portal.settings_without_pages",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'none'}",
        "VAR_DIR": str(tmp_path),
        "REDIS_URL": "",
    }

    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout.splitlines()) == (0, ["[]", "True"]), done.stderr
