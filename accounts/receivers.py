"""What accounts do when something happens around them."""

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.db.migrations import Migration
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts import services
from accounts.roles import PERMISSIONS

APPS_WITH_PERMISSIONS = frozenset(
    app for permissions in PERMISSIONS.values() for app, _action, _model in permissions
)


@receiver(post_migrate, dispatch_uid="accounts.grant_roles")
def grant_roles(
    sender: AppConfig, plan: Iterable[tuple[Migration, bool]] = (), **kwargs: Any
) -> None:
    """Grant the roles once an app's permissions exist; Django makes those after each migrate.

    Nothing is granted while migrations are taken back: the groups may be what is taken back.
    """
    is_taking_back = any(backwards for _migration, backwards in plan)
    if sender.label in APPS_WITH_PERMISSIONS and not is_taking_back:
        services.grant_roles()
