"""The portal's settings for commands that run for ever and show no page (see manage.py).

Loading sign-in, back office, tokens and the like would cost each of them 25 MB. What they lack:
addresses of pages (`reverse`), templates, permissions and passwords; a nudge and translations work.
"""

from commune_portal.settings import *  # noqa: F403  # these are those settings, but for one

INSTALLED_APPS = [
    "commune_portal.apps.WithoutPagesConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "common.apps.CommonConfig",
    "accounts.apps.AccountsConfig",
    "notifications.apps.NotificationsConfig",
    "addresses.apps.AddressesConfig",
    "residents.apps.ResidentsConfig",
    "farm.apps.FarmConfig",
]
