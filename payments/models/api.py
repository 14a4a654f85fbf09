"""The banks that talk to us by REST: who they are, their keys, what they asked."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.models import TimestampedModel


class BankPartner(TimestampedModel):
    """A bank under contract. Its OAuth2 client lives in django-oauth-toolkit's table."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=120)
    application = models.OneToOneField(
        "oauth2_provider.Application",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        verbose_name=_("OAuth2 client"),
    )
    is_active = models.BooleanField(_("active"), default=True)
    requests_per_minute = models.PositiveIntegerField(_("requests per minute"), default=6000)

    class Meta:
        verbose_name = _("partner bank")
        verbose_name_plural = _("partner banks")

    def __str__(self) -> str:
        return self.name


class PartnerKeyQuerySet(models.QuerySet["PartnerKey"]):
    """Ways to narrow a set of keys."""

    def live(self, *, at: datetime) -> Self:
        return self.filter(Q(valid_from__lte=at), Q(valid_to__isnull=True) | Q(valid_to__gt=at))


class PartnerKey(TimestampedModel):
    """What a partner signs with. Two may live side by side while one replaces the other."""

    class Algorithm(models.TextChoices):
        HMAC_SHA256 = "hmac-sha256", "HMAC-SHA256"
        EDDSA = "eddsa", "EdDSA (Ed25519)"

    partner = models.ForeignKey(
        BankPartner, on_delete=models.PROTECT, related_name="keys", verbose_name=_("partner bank")
    )
    kid = models.CharField(_("key id"), max_length=40, unique=True)
    algorithm = models.CharField(_("algorithm"), max_length=12, choices=Algorithm)
    sealed_secret = models.TextField(
        _("sealed secret"), blank=True, editable=False, help_text=_("Encrypted; HMAC only.")
    )
    public_key = models.CharField(
        _("public key"), max_length=100, blank=True, help_text=_("Ed25519, base64url; EdDSA only.")
    )
    valid_from = models.DateTimeField(_("valid from"))
    valid_to = models.DateTimeField(_("valid to"), null=True, blank=True)

    objects = PartnerKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("partner key")
        verbose_name_plural = _("partner keys")
        constraints = (
            models.CheckConstraint(
                condition=Q(algorithm="hmac-sha256", public_key="") & ~Q(sealed_secret="")
                | Q(algorithm="eddsa", sealed_secret="") & ~Q(public_key=""),
                name="partner_key_has_what_its_algorithm_needs",
            ),
        )

    def __str__(self) -> str:
        return self.kid


class ApiCall(models.Model):
    """Who asked what and which answer they got. Bodies, tokens and signatures are never kept."""

    at = models.DateTimeField(_("at"))
    partner = models.ForeignKey(
        BankPartner,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("partner bank"),
    )
    request_id = models.CharField(_("request id"), max_length=40)
    method = models.CharField(_("method"), max_length=7)
    path = models.CharField(_("path"), max_length=120)
    subject = models.CharField(
        _("about"), max_length=80, blank=True, help_text=_("Bank reference or payment code.")
    )
    status = models.PositiveSmallIntegerField(_("status"))
    code = models.CharField(_("answer"), max_length=40, blank=True)
    ip = models.GenericIPAddressField(_("IP address"), null=True)
    microseconds = models.PositiveIntegerField(_("microseconds"), null=True)

    class Meta:
        verbose_name = _("API call")
        verbose_name_plural = _("API calls")
        indexes = (models.Index(fields=["partner", "-at"], name="api_call_by_partner"),)

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"
