"""The population register in the back office: found without marks, sorted by given name."""

import io
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.back_office import PeopleAdmin, ReadOnlyInline
from common.import_admin import SPREADSHEET, FileImportAdmin
from common.phone import for_people
from residents import services
from residents.forms import HouseholdForm, RegisterFileForm, ResidentForm
from residents.models import Household, RegisterImport, Resident
from residents.register_template import write_register_template


class RegisterAdmin(PeopleAdmin):
    """Rows of the register: written by the services, which keep the search and sort keys."""

    search_fields = ("search_key",)
    search_help_text = gettext_lazy("Name, code or phone number")

    @admin.display(description=gettext_lazy("phone number"), ordering="phone")
    def phone_number(self, row: Any) -> str:
        return for_people(row.phone)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the code as it is: files and bills know the row by it."""
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: who moves or dies changes state, a house that stands empty becomes inactive."""
        return False


class ResidentInline(ReadOnlyInline):
    """Who lives there; each is changed on a page of their own."""

    model = Resident
    fields = readonly_fields = ("full_name", "birth_date", "sex", "residence", "phone_number")
    show_change_link = True
    row_order = ("birth_date", "pk")

    @admin.display(description=gettext_lazy("phone number"))
    def phone_number(self, resident: Resident) -> str:
        return for_people(resident.phone)


@admin.register(Household)
class HouseholdAdmin(RegisterAdmin):
    form = HouseholdForm
    inlines = (ResidentInline,)
    list_display = ("representative", "code", "village", "lane", "phone_number", "is_active")
    list_select_related = ("village",)
    list_filter = ("village", "is_active")
    ordering = ("representative_sort_key", "pk")

    def save_model(self, request: HttpRequest, obj: Household, form: Any, change: Any) -> None:
        """Let the service write what was typed."""
        saved = services.save_household(
            code=obj.code,
            village=obj.village,
            representative=obj.representative,
            phone=obj.phone,
            lane=obj.lane,
            is_active=obj.is_active,
        )
        obj.pk = saved.pk


@admin.register(Resident)
class ResidentAdmin(RegisterAdmin):
    form = ResidentForm
    list_display = (
        "full_name",
        "code",
        "birth_date",
        "sex",
        "household",
        "village",
        "residence",
        "phone_number",
    )
    list_select_related = ("household__village",)
    list_filter = ("household__village", "sex", "residence")
    autocomplete_fields = ("household",)
    ordering = ("sort_key", "pk")

    @admin.display(description=gettext_lazy("village"))
    def village(self, resident: Resident) -> str:
        return str(resident.household.village)

    def save_model(self, request: HttpRequest, obj: Resident, form: Any, change: Any) -> None:
        """Let the service write what was typed."""
        saved = services.save_resident(
            code=obj.code,
            household=obj.household,
            full_name=obj.full_name,
            sex=obj.sex,
            birth_date=obj.birth_date,
            residence=obj.residence,
            phone=obj.phone,
        )
        obj.pk = saved.pk


@admin.register(RegisterImport)
class RegisterImportAdmin(FileImportAdmin):
    """A file of the whole register or a part of it; one wrong row stops all of it."""

    upload_form = RegisterFileForm
    upload_title = gettext_lazy("Import households and residents")
    upload_hint = gettext_lazy("As long as one row is wrong, nothing is taken over.")
    takes_good_rows_only = False

    def get_urls(self) -> list[URLPattern]:
        template_view = self.admin_site.admin_view(self.template_view)
        return [
            path("template/", template_view, name="residents_registerimport_template"),
            *super().get_urls(),
        ]

    def upload_context(self) -> dict[str, Any]:
        return {"template_url": reverse("admin:residents_registerimport_template")}

    def template_view(self, request: HttpRequest) -> HttpResponse:
        """Give the empty table to fill in."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        content = io.BytesIO()
        write_register_template(content)
        name = _("register-template") + ".xlsx"
        return HttpResponse(
            content.getvalue(),
            content_type=SPREADSHEET,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def receive(self, request: HttpRequest, form: Any) -> RegisterImport:
        file = form.cleaned_data["file"]
        return services.receive_register_file(
            file=file,
            file_name=file.name,
            uploaded_by=request.user,  # type: ignore[arg-type]  # admin pages know their official
            at=timezone.now(),
        )

    def approve(self, row: RegisterImport) -> RegisterImport:
        return services.approve_register_file(register_import_id=row.pk, at=timezone.now())

    def write_problem_file(self, row: RegisterImport, into: io.BytesIO) -> None:
        services.write_problem_file(row, into=into)
