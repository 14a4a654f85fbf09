"""What can happen to an account."""

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.errors import AlreadyOfficialError
from accounts.models import User
from accounts.roles import PERMISSIONS, Role


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


@transaction.atomic
def open_official(*, phone: str, full_name: str, role: Role, password: str) -> User:
    """Make an official of this number, also of a resident's; they set a second factor themselves.

    Whoever calls this vouches that the number is theirs. Raises AlreadyOfficialError.
    """
    user = account_for(phone=phone, full_name=full_name)
    if user.is_staff:
        raise AlreadyOfficialError(_("This number already belongs to an official."))
    user.full_name = full_name
    user.is_staff = user.is_phone_verified = True
    user.set_password(password)
    user.save()
    return give_role(user=user, role=role)


@transaction.atomic
def give_role(*, user: User, role: Role) -> User:
    """Give somebody a role; giving it again changes nothing."""
    group, _is_new = Group.objects.get_or_create(name=role)
    user.groups.add(group)
    return user


@transaction.atomic
def grant_roles() -> None:
    """Let each role's group have exactly the permissions of accounts.roles that exist by now.

    What somebody added to such a group by hand is taken away again: roles change in the code,
    where a change is reviewed. Four queries when nothing is to be done.
    """
    Group.objects.bulk_create((Group(name=role) for role in Role), ignore_conflicts=True)
    group_ids = dict(Group.objects.filter(name__in=Role.values).values_list("name", "pk"))
    permission_ids = {
        (app, codename): pk
        for app, codename, pk in Permission.objects.values_list(
            "content_type__app_label", "codename", "pk"
        )
    }
    wanted = {
        (group_ids[role], permission_ids[app, f"{action}_{model}"])
        for role, permissions in PERMISSIONS.items()
        for app, action, model in permissions
        if (app, f"{action}_{model}") in permission_ids
    }
    grants = Group.permissions.through.objects
    held = {
        (grant.group_id, grant.permission_id): grant.pk
        for grant in grants.filter(group__in=group_ids.values())
    }
    grants.filter(pk__in=[pk for key, pk in held.items() if key not in wanted]).delete()
    grants.bulk_create(
        grants.model(group_id=group, permission_id=permission)
        for group, permission in sorted(wanted - held.keys())
    )
