"""Addresses for programs: partner banks' calls under /api/payments/v1/."""

from django.urls import path, re_path

from payments.api import views

urlpatterns = [
    path("billers", views.BillersView.as_view()),
    path("inquiries", views.InquiriesView.as_view()),
    path("payments", views.PaymentsView.as_view()),
    path("payments/<uuid:payment_id>", views.PaymentView.as_view()),
    path("payments/<uuid:payment_id>/reversals", views.ReversalsView.as_view()),
    re_path(r"", views.not_found),
]
