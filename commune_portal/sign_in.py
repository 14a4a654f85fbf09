"""How people sign in: allauth's adapter, where accounts, the register and messages meet."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import services as accounts
from accounts.forms import VietnamesePhoneField
from accounts.models import User
from notifications import services as notifications
from residents import selectors as residents


class PhoneAccountAdapter(DefaultAccountAdapter):
    """A phone number is the only name an account has."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "phone_password_mismatch": _("The phone number or the password is wrong."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts come from the register or from an official, never by themselves."""
        return False

    def phone_form_field(self, **kwargs: Any) -> forms.Field:
        return VietnamesePhoneField(**kwargs)

    def get_user_by_phone(self, phone: str) -> User | None:
        """Find the account of a number; a number that the register knows gets one now."""
        user = User.objects.filter(phone=phone).first()
        if user is None and (name := residents.name_behind_phone(phone)):
            return accounts.account_for(phone=phone, full_name=name)
        return user

    def get_phone(self, user: User) -> tuple[str, bool] | None:
        return user.phone, user.is_phone_verified

    def set_phone(self, user: User, phone: str, verified: bool) -> None:  # noqa: FBT001  # allauth's signature
        accounts.change_phone(user=user, phone=phone, is_verified=verified)

    def set_phone_verified(self, user: User, phone: str) -> None:
        accounts.change_phone(user=user, phone=phone, is_verified=True)

    def send_verification_code_sms(self, user: User, phone: str, code: str, **kwargs: Any) -> None:
        notifications.send_sign_in_code(phone=phone, code=code, at=timezone.now())

    def send_unknown_account_sms(self, phone: str, **kwargs: Any) -> None:
        notifications.tell_unknown_number(phone=phone, at=timezone.now())

    def send_account_already_exists_sms(self, phone: str) -> None:
        """Nobody signs up by themselves, so there is nobody to tell."""
