"""Keys by which programs of cooperative members call the API."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Ways to narrow a set of keys."""

    def live(self, *, at: datetime) -> Self:
        """Keys that open the API at a moment."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=at, user__is_active=True)


class ApiToken(models.Model):
    """One key of one person, who may do by it what they may do by hand; only its hash is kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("person"),
    )
    name = models.CharField(_("what it is for"), max_length=60)
    # The first letters, by which people tell their keys apart.
    hint = models.CharField(_("begins with"), max_length=12)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("made at"))
    expires_at = models.DateTimeField(_("valid until"))
    revoked_at = models.DateTimeField(_("taken back at"), null=True)
    used_at = models.DateTimeField(_("last used at"), null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = (
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="api_token_expires_later"
            ),
        )
        indexes = (models.Index(fields=["user", "-created_at"], name="api_token_of_user"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"
