"""Orders of printed slips: what is to be printed, how far it is, and the file."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import progress
from common.back_office import ReadOnlyAdmin, coloured
from payments.forms import SlipOrderForm
from payments.models import SlipRun
from payments.services import slips


@admin.register(SlipRun)
class SlipRunAdmin(ReadOnlyAdmin):
    """Slips for a village, a biller, or both."""

    list_display = ("created_at", "village", "biller", "slip_count", "state", "ordered_by")
    list_select_related = ("village", "biller", "ordered_by")
    list_filter = ("status", "village", "biller")
    ordering = ("-pk",)

    @coloured(
        gettext_lazy("status"),
        {
            SlipRun.Status.WAITING: "info",
            SlipRun.Status.PRINTING: "info",
            SlipRun.Status.DONE: "success",
            SlipRun.Status.FAILED: "danger",
        },
        ordering="status",
    )
    def state(self, run: SlipRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.add_sliprun")

    def get_urls(self) -> list[URLPattern]:
        file_view = self.admin_site.admin_view(self.file_view)
        return [
            path("<int:pk>/file/", file_view, name="payments_sliprun_file"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Take an order; a worker makes the file meanwhile."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SlipOrderForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            run = slips.order_slips(
                **form.cleaned_data,
                ordered_by=request.user,  # type: ignore[arg-type]  # admin pages know their official
                at=timezone.now(),
            )
            self.log_addition(request, run, [{"added": {}}])
            return redirect("admin:payments_sliprun_change", run.pk)
        return self.page(
            request,
            "admin/office_form.html",
            title=_("Print slips"),
            form=form,
            lead=_("One slip for each bill that still waits for money, in the order of the lanes."),
            submit=_("Order the slips"),
            back_url=reverse("admin:payments_sliprun_changelist"),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show how far the file is; htmx asks for the changing part alone."""
        run: SlipRun = self.found(request, object_id)
        is_partial = getattr(request, "htmx", False)
        return self.page(
            request,
            f"admin/payments/{'_slip_run' if is_partial else 'slip_run'}.html",
            title=_("Slips"),
            row=run,
            run=run,
            progress=progress.of(slips.progress_name(run.pk)),
            is_under_way=run.status in {SlipRun.Status.WAITING, SlipRun.Status.PRINTING},
            file_url=reverse("admin:payments_sliprun_file", args=[run.pk]),
        )

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Hand over the finished file."""
        run: SlipRun = self.found(request, str(pk))
        if not run.file:
            raise Http404
        return FileResponse(
            run.file.open("rb"), content_type="application/pdf", filename=f"phieu-{run.pk}.pdf"
        )
