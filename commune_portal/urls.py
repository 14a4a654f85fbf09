"""Every address of the portal. Residents' are Vietnamese without marks, programs' English."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from commune_portal import api_docs, views
from payments.api.oauth import PartnerTokenView

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    # Whoever is signed in and no official is told so, not asked for a password alone.
    path("quan-tri/login/", secure_admin_login(admin.site.login)),
    path("quan-tri/", admin.site.urls),
    path("tai-khoan/", views.account, name="account"),
    path("ngon-ngu/", set_language, name="set_language"),
    path("demo/", views.demo_help, name="demo_help"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("", include("accounts.urls")),
    path("", include("notifications.urls")),
    path("", include("payments.urls")),
    path("", include("farm.urls")),
    path("oauth/token", PartnerTokenView.as_view(), name="oauth_token"),
    path("api/payments/v1/", include("payments.api.urls")),
    path("api/farm/v1/", include("farm.api.urls")),
    path("api/schema/", api_docs.partner_schema, name="schema"),
    path("api/schema/farm/", api_docs.farm_schema, name="farm_schema"),
    path("api/docs/", api_docs.partner_docs, name="api_docs"),
    path("api/docs/farm/", api_docs.farm_docs, name="farm_api_docs"),
]

handler404 = "commune_portal.views.page_not_found"
handler500 = "commune_portal.views.server_error"
