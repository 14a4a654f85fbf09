"""What can happen to an account."""

from django.db import transaction

from accounts.models import User


@transaction.atomic
def change_phone(*, user: User, phone: str, is_verified: bool) -> User:
    """Give the account this E.164 number, proven to be theirs or not."""
    user.phone, user.is_phone_verified = phone, is_verified
    user.save(update_fields=["phone", "is_phone_verified", "updated_at"])
    return user


@transaction.atomic
def account_for(*, phone: str, full_name: str = "") -> User:
    """Find the account of an E.164 number, or open one that only one-time codes unlock."""
    user = User.objects.filter(phone=phone).first()
    return user or User.objects.create_user(phone, full_name=full_name)
