"""Bill files of the billers on their way in."""

import io
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from common.import_admin import FileImportAdmin
from payments.forms import BillFileForm
from payments.models import BillImport
from payments.services import imports


@admin.register(BillImport)
class BillImportAdmin(FileImportAdmin):
    """Good rows are taken over; refused ones go back to the biller."""

    list_display = (
        "file_name",
        "biller",
        "state",
        "row_count",
        "new_count",
        "changed_count",
        "refused_count",
        "uploaded_by",
        "created_at",
    )
    list_select_related = ("biller", "uploaded_by")
    list_filter = ("status", "biller")
    upload_form = BillFileForm
    upload_title = gettext_lazy("Import bills")
    upload_hint = gettext_lazy(
        "The column profile of the biller says which column is what. "
        "A biller without one is not in the list."
    )

    def receive(self, request: HttpRequest, form: Any) -> BillImport:
        file = form.cleaned_data["file"]
        return imports.receive_bill_file(
            biller=form.cleaned_data["biller"],
            file=file,
            file_name=file.name,
            uploaded_by=request.user,  # type: ignore[arg-type]  # admin pages know their official
            at=timezone.now(),
        )

    def approve(self, row: BillImport) -> BillImport:
        return imports.approve_bill_file(bill_import_id=row.pk, at=timezone.now())

    def write_problem_file(self, row: BillImport, into: io.BytesIO) -> None:
        imports.write_problem_file(row, into=into)
