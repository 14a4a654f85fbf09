"""The inbox."""

from django.urls import path

from notifications import views

urlpatterns = [
    path("hop-thu/", views.inbox, name="inbox"),
    path("hop-thu/da-doc/", views.inbox_read, name="inbox_read"),
]
