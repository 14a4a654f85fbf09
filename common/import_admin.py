"""The way of a table file through the back office: sent, checked, looked at, taken over.

The row of the import remembers where it is, so an official may leave the page and find it again.
"""

import io
from pathlib import PurePath
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from common.back_office import ReadOnlyAdmin, coloured
from common.file_import import FileImport

PROBLEMS_PER_PAGE = 50
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class FileImportAdmin(ReadOnlyAdmin):
    """List, upload page and result page of one kind of table file; subclasses name its services."""

    list_display: ClassVar[Any] = (
        "file_name",
        "state",
        "row_count",
        "new_count",
        "changed_count",
        "refused_count",
        "uploaded_by",
        "created_at",
    )
    list_select_related: ClassVar[Any] = ("uploaded_by",)
    list_filter: ClassVar[Any] = ("status",)
    search_fields: ClassVar[Any] = ("file_name",)
    ordering: ClassVar[Any] = ("-pk",)

    upload_form: type[forms.Form]
    upload_title: Any = gettext_lazy("Import a file")
    upload_hint: Any = ""
    takes_good_rows_only = True

    def receive(self, request: HttpRequest, form: Any) -> FileImport:
        """Hand the valid upload form to the service that keeps the file."""
        raise NotImplementedError

    def approve(self, row: Any) -> FileImport:
        """Have the checked file taken over."""
        raise NotImplementedError

    def write_problem_file(self, row: Any, into: io.BytesIO) -> None:
        """Write the rows that were refused, with the reasons."""
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.add_{self.opts.model_name}")

    @coloured(
        gettext_lazy("status"),
        {
            FileImport.Status.CHECKING: "info",
            FileImport.Status.CHECKED: "warning",
            FileImport.Status.APPLYING: "info",
            FileImport.Status.DONE: "success",
            FileImport.Status.FAILED: "danger",
        },
        ordering="status",
    )
    def state(self, row: FileImport) -> tuple[str, str]:
        return row.status, row.get_status_display()

    def get_urls(self) -> list[URLPattern]:
        own, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("<int:pk>/approve/", own(require_POST(self.approve_view)), name=f"{name}_approve"),
            path("<int:pk>/refused/", own(self.refused_view), name=f"{name}_refused"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Take a file in; a worker checks it meanwhile."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.upload_form(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            row = self.receive(request, form)
            self.log_addition(request, row, [{"added": {}}])
            return redirect(self._address(row, "change"))
        return self.page(
            request,
            "admin/file_import/upload.html",
            title=self.upload_title,
            form=form,
            hint=self.upload_hint,
            **self.upload_context(),
        )

    def upload_context(self) -> dict[str, Any]:
        """Add what the upload page of this kind of file shows besides."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show how far a file is and what was found; htmx asks for the changing part alone."""
        row: FileImport = self.found(request, object_id)
        problems: Any = getattr(row, "problems").order_by("row_number", "pk")  # noqa: B009  # only subclasses have it
        is_partial = getattr(request, "htmx", False)
        takeable = row.new_count + row.changed_count
        is_blocked = bool(row.refused_count) and not self.takes_good_rows_only
        return self.page(
            request,
            f"admin/file_import/{'_state' if is_partial else 'result'}.html",
            title=row.file_name,
            row=row,
            file_import=row,
            problems=Paginator(problems, PROBLEMS_PER_PAGE).get_page(request.GET.get("trang")),
            takeable=takeable,
            is_blocked=is_blocked,
            gives_whole_file_back=not self.takes_good_rows_only,
            may_take_over=bool(takeable)
            and not is_blocked
            and row.status == FileImport.Status.CHECKED
            and self.has_add_permission(request),
            may_send_again=self.has_add_permission(request),
            approve_url=self._address(row, "approve"),
            refused_url=self._address(row, "refused"),
            upload_url=reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_add"),
        )

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have the good rows taken over, and go back to watch."""
        row = self.found(request, str(pk))
        if not self.has_add_permission(request):
            raise PermissionDenied
        self.approve(row)
        self.log_change(request, row, _("Approved for taking over."))
        messages.success(request, _("The rows are being taken over. You may leave this page."))
        return redirect(self._address(row, "change"))

    def refused_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the refused rows back as a file, to be mended and sent again."""
        row: FileImport = self.found(request, str(pk))
        content = io.BytesIO()
        self.write_problem_file(row, content)
        sent = PurePath(row.file_name)
        is_book = sent.suffix.lower() in {".xlsx", ".xlsm"}
        response = HttpResponse(
            content.getvalue(), content_type=SPREADSHEET if is_book else "text/csv; charset=utf-8"
        )
        name = _("refused-rows") + f"-{row.pk}{'.xlsx' if is_book else '.csv'}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def _address(self, row: FileImport, page: str) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=[row.pk])
