"""The environment that tests run in, unless the caller has set another; loaded by pytest first."""

import os
import tempfile
from pathlib import Path

DEFAULTS = {
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "DATABASE_URL": "sqlite:///:memory:",
    "VAR_DIR": tempfile.mkdtemp(prefix="portal-test-"),
    "STATIC_MANIFEST": "false",
    "LOG_LEVEL": "ERROR",
    "DJANGO_SETTINGS_MODULE": "commune_portal.settings",
}
for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
# whitenoise warns of a missing directory, and warnings are errors here
Path(os.environ["VAR_DIR"], "static").mkdir(parents=True, exist_ok=True)
