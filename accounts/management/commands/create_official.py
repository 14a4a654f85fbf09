"""Open an official's account from the server's own console."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts.officials import new_password
from accounts.roles import Role
from accounts.services import open_official
from common.errors import DomainError
from common.phone import PhoneError, for_people, to_e164


class Command(BaseCommand):
    """Prints the password once; nobody can read it again, not even from the database."""

    help = "Open an official's account; the back office opens after they set a second factor."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("phone")
        parser.add_argument("--name", required=True, help="full name")
        parser.add_argument("--role", required=True, choices=Role.values)

    def handle(self, *args: Any, **options: Any) -> None:
        password = new_password()
        try:
            user = open_official(
                phone=to_e164(options["phone"]),
                full_name=options["name"],
                role=Role(options["role"]),
                password=password,
            )
        except PhoneError as error:
            raise CommandError(f"{options['phone']} is not a Vietnamese phone number.") from error
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{user.full_name} ({options['role']}) can sign in now.\n"
            f"address:  {settings.PUBLIC_URL}{reverse('account_login')}\n"
            f"phone:    {for_people(user.phone)}\n"
            f"password: {password}\n"
            "The password is shown only here. At the first sign-in the portal asks for a second "
            "factor (an authenticator app); change the password there too."
        )
