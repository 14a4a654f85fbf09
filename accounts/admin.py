"""Accounts in the back office. Nobody below a superuser opens, changes or even sees them."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import officials
from accounts.models import User
from accounts.office_forms import AccountForm, OfficialForm
from accounts.roles import Role
from accounts.services import change_phone, open_official
from common.back_office import Found, PeopleAdmin, button
from common.phone import PhoneError, for_people, to_e164
from common.search import mark_blind_pattern


class RoleFilter(admin.SimpleListFilter):
    """Officials of one role."""

    title = gettext_lazy("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Role.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(groups__name=self.value()) if self.value() else queryset


@admin.register(User)
class UserAdmin(PeopleAdmin):
    """Who may sign in, and as what."""

    form = AccountForm
    list_display = (
        "phone_number",
        "full_name",
        "roles",
        "is_staff",
        "has_second_factor",
        "is_active",
        "last_login",
    )
    list_filter = ("is_staff", RoleFilter, "is_active")
    search_fields = ("full_name",)
    search_help_text = gettext_lazy("Phone number or name")
    ordering = ("-is_staff", "full_name", "pk")
    readonly_fields = ("is_phone_verified", "has_second_factor", "is_superuser", "last_login")
    fieldsets = (
        (None, {"fields": ("phone", "is_phone_verified", "full_name", "is_active")}),
        (
            gettext_lazy("Official"),
            {
                "fields": (
                    "is_staff",
                    "roles_held",
                    "has_second_factor",
                    "is_superuser",
                    "last_login",
                )
            },
        ),
    )
    actions_detail = ("reset_second_factor", "reset_password")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what a person did stays under their name; an account is made inactive."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Load roles and second factors with the accounts: two queries for any page."""
        rows: QuerySet[User] = super().get_queryset(request)
        factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(
            type=Authenticator.Type.RECOVERY_CODES
        )
        return rows.annotate(second_factor=Exists(factors)).prefetch_related("groups")

    @admin.display(description=gettext_lazy("phone number"), ordering="phone")
    def phone_number(self, user: User) -> str:
        return for_people(user.phone)

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, user: User) -> str:
        names = dict(Role.choices)
        return ", ".join(str(names.get(group.name, group.name)) for group in user.groups.all())

    @admin.display(description=gettext_lazy("second factor"), boolean=True)
    def has_second_factor(self, user: Any) -> bool:
        return bool(user.second_factor)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> Found:
        """Find by phone number in any spelling, or by name without marks."""
        try:
            return queryset.filter(phone=to_e164(search_term)), False
        except PhoneError:
            return queryset.filter(full_name__regex=mark_blind_pattern(search_term)), False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Make somebody an official, and show their first password this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = OfficialForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            password = officials.new_password()
            user = open_official(
                phone=form.cleaned_data["phone"],
                full_name=form.cleaned_data["full_name"],
                role=Role(form.cleaned_data["role"]),
                password=password,
            )
            self.log_addition(request, user, [{"added": {}}])
            return self._password_page(request, user, password)
        return self.page(
            request,
            "admin/office_form.html",
            title=_("Make somebody an official"),
            form=form,
            lead=_(
                "They get a password from you, and set up a second factor at the first sign-in."
            ),
            submit=_("Make an official"),
            back_url=reverse("admin:accounts_user_changelist"),
        )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Hand what was typed to the services; a superuser cannot shut themselves out."""
        user = User.objects.get(pk=obj.pk)
        is_myself = user.pk == request.user.pk
        if obj.phone != user.phone:
            change_phone(user=user, phone=obj.phone, is_verified=False)
        officials.change_account(
            user=user,
            full_name=obj.full_name,
            is_active=obj.is_active or is_myself,
            is_staff=obj.is_staff or is_myself,
            roles=form.cleaned_data["roles_held"],
        )

    @button(gettext_lazy("Reset the second factor"), icon="phonelink_erase")
    def reset_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then forget the authenticator of somebody who has lost their phone."""
        user = self._changeable(request, object_id)
        if request.method == "POST":
            officials.reset_second_factor(user=user)
            self.log_change(request, user, _("Second factor reset."))
            messages.success(request, _("At the next sign-in they set up a new second factor."))
            return redirect("admin:accounts_user_change", user.pk)
        return self._question(
            request,
            user,
            title=_("Reset the second factor?"),
            lead=_(
                "Do this only when you have seen or called the person: until they have set up a "
                "new one, their password alone opens the account."
            ),
            submit=_("Reset it"),
        )

    @button(gettext_lazy("New password"), icon="key")
    def reset_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then set a new password, shown this once."""
        user = self._changeable(request, object_id)
        if request.method == "POST":
            password = officials.new_password()
            officials.reset_password(user=user, password=password)
            self.log_change(request, user, _("Password reset."))
            return self._password_page(request, user, password)
        return self._question(
            request,
            user,
            title=_("Set a new password?"),
            lead=_("The old password stops working, and the person is signed out everywhere."),
            submit=_("Set a new password"),
        )

    def _changeable(self, request: HttpRequest, object_id: str) -> User:
        user: User = self.found(request, object_id)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        return user

    def _question(
        self, request: HttpRequest, user: User, *, title: str, lead: str, submit: str
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/office_form.html",
            title=title,
            row=user,
            lead=lead,
            facts=[(_("Full name"), user.full_name), (_("Phone number"), for_people(user.phone))],
            submit=submit,
            is_grave=True,
            back_url=reverse("admin:accounts_user_change", args=[user.pk]),
        )

    def _password_page(self, request: HttpRequest, user: User, password: str) -> HttpResponse:
        response = self.page(
            request,
            "admin/accounts/password.html",
            title=_("The password, shown only now"),
            row=user,
            account=user,
            password=password,
        )
        add_never_cache_headers(response)
        return response
