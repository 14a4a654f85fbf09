"""Residents' pages about money."""

from django.urls import path

from payments import views

urlpatterns = [
    path("hoa-don/", views.bill_list, name="bill_list"),
    path("hoa-don/da-tra/", views.paid_bill_list, name="paid_bill_list"),
    path("hoa-don/<slug:code>/", views.bill_detail, name="bill"),
    path("hoa-don/<slug:code>/trang-thai/", views.bill_state, name="bill_state"),
    path("hoa-don/<slug:code>/qr.svg", views.bill_qr_svg, name="bill_qr_svg"),
    path("hoa-don/<slug:code>/qr.png", views.bill_qr_png, name="bill_qr_png"),
    path("bien-lai/", views.receipt_list, name="receipt_list"),
    path("bien-lai/<slug:token>/", views.receipt_check, name="receipt_check"),
    path("bien-lai/<slug:token>/pdf", views.receipt_pdf, name="receipt_pdf"),
]
