"""People who sign in: residents, officials, cooperative staff, digital-team members."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _

from common import phone as phone_numbers
from common.models import TimestampedModel


class UserManager(BaseUserManager["User"]):
    """Makes accounts from a phone number in any usual spelling."""

    def create_user(self, phone: str, password: str | None = None, **fields: Any) -> "User":
        """Make an account; without a password only one-time codes open it."""
        user = self.model(phone=phone_numbers.to_e164(phone), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, phone: str, password: str, **fields: Any) -> "User":
        """Make an administrator, for `manage.py createsuperuser`."""
        fields |= {"is_staff": True, "is_superuser": True, "is_phone_verified": True}
        return self.create_user(phone, password, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find the account whose number was typed in any usual spelling."""
        try:
            return self.get(phone=phone_numbers.to_e164(username or ""))
        except phone_numbers.PhoneError:
            raise self.model.DoesNotExist from None


class User(AbstractBaseUser, PermissionsMixin, TimestampedModel):
    """A person with a phone number; the number is the name they sign in with."""

    phone = models.CharField(
        _("phone number"),
        max_length=16,
        unique=True,
        error_messages={"unique": _("This phone number already has an account.")},
    )
    full_name = models.CharField(_("full name"), max_length=120, blank=True)
    is_phone_verified = models.BooleanField(_("phone number verified"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(
        _("official"),
        default=False,
        help_text=_("May enter the back office, with a second factor."),
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "phone"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(phone__startswith="+84"), name="user_phone_is_e164_vietnamese"
            ),
        )

    def __str__(self) -> str:
        return self.full_name or phone_numbers.for_people(self.phone)

    def clean(self) -> None:
        """Store the number as E.164 whatever way it was typed."""
        super().clean()
        try:
            self.phone = phone_numbers.to_e164(self.phone)
        except phone_numbers.PhoneError:
            # The form's own field has already said what is wrong with the spelling.
            return

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        """Say the given name, the last word of a Vietnamese name."""
        return self.full_name.split()[-1] if self.full_name else str(self)
