"""What the back office's pages share: lists that stay quick, rows that nobody edits by hand."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.forms import TypedChoiceField
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.views import ChangeList

from common.phone import PhoneError, to_e164
from common.text import fold

Words = Any  # a sentence, now or in the reader's language
Function = TypeVar("Function", bound=Callable[..., Any])
Found = tuple[QuerySet[Any], bool]


def coloured(
    description: Words, colours: Mapping[str, str], *, ordering: str | None = None
) -> Callable[[Function], Function]:
    """Show a column's (key, words) as a label in the key's colour; the words say it all too."""
    decorate: Callable[[Function], Function] = display(
        description=description, ordering=ordering, label=dict(colours)
    )
    return decorate


def button(
    description: Words, *, icon: str, permissions: tuple[str, ...] = ()
) -> Callable[[Function], Function]:
    """Make a page of an admin class, reached by a button above its list or row."""
    decorate: Callable[[Function], Function] = action(
        description=description, icon=icon, permissions=permissions
    )
    return decorate


def localtime_words(moment: datetime) -> str:
    """Write a moment as the commune's clocks show it."""
    return date_format(localtime(moment), "SHORT_DATETIME_FORMAT")


def link_to(row: Model, words: Words) -> str:
    """Link to the row's own page in the back office."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return format_html('<a class="text-link" href="{}">{}</a>', reverse(name, args=[row.pk]), words)


class OfficeChangeList(ChangeList):
    """A list that says "show all" only where something is hidden."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count


class OfficeAdmin(ModelAdmin):
    """Rows that officials may add and change by their role; whole selections are never deleted."""

    list_per_page = 50
    show_full_result_count = False

    def formfield_for_choice_field(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> TypedChoiceField:
        """Let nobody save the first choice without having chosen it."""
        has_to_choose = db_field.blank or not db_field.has_default()
        kwargs.setdefault(
            "choices",
            db_field.get_choices(
                include_blank=has_to_choose, blank_choice=[("", _("Select value"))]
            ),
        )
        field: TypedChoiceField = super().formfield_for_choice_field(db_field, request, **kwargs)
        return field

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OfficeChangeList

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """Give the row that a page of our own is about. Raises PermissionDenied or Http404."""
        row = self.get_object(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        return row

    def page(
        self,
        request: HttpRequest,
        template: str,
        *,
        title: Words,
        row: Model | None = None,
        **context: Any,
    ) -> TemplateResponse:
        """Show a page of our own inside the back office, about `row` or about no row yet."""
        request.current_app = self.admin_site.name
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": title,
            "content_title": title,
        }
        return TemplateResponse(request, template, {**shared, **context})


class PeopleAdmin(OfficeAdmin):
    """People, found by names without marks in folded keys, or by phone number in any spelling."""

    phone_fields: tuple[str, ...] = ("phone",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> Found:
        """Search the folded keys for the folded words; a phone number is looked up whole."""
        try:
            phone = to_e164(search_term)
        except PhoneError:
            found: Found = super().get_search_results(request, queryset, fold(search_term))
            return found
        owner = Q(*((field, phone) for field in self.phone_fields), _connector=Q.OR)
        return queryset.filter(owner), False


class ReadOnlyAdmin(OfficeAdmin):
    """Looks and searches: nobody edits these rows by hand, not even a superuser."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Ask for the permission to view alone: a right to change is a right to call a service."""
        return request.user.has_perm(f"{self.opts.app_label}.view_{self.opts.model_name}")


class ReadOnlyInline(TabularInline):
    """Rows below the row that they belong to, to be read; `related` is loaded with them."""

    extra = 0
    can_delete = False
    hide_title = True
    related: tuple[str, ...] = ()
    row_order: tuple[str, ...] = ("pk",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related(*self.related).order_by(*self.row_order)
