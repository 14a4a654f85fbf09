"""Every address of the portal. Residents' are Vietnamese without marks, programs' English."""

from django.contrib import admin
from django.urls import include, path

from commune_portal import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("quan-tri/", admin.site.urls),
    path("", include("accounts.urls")),
]

handler404 = "commune_portal.views.page_not_found"
handler500 = "commune_portal.views.server_error"
