"""Sign-in under Vietnamese addresses; the names are allauth's, so its redirects find them."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import path

from accounts import views

urlpatterns = [
    path("dang-nhap/", account.request_login_code, name="account_request_login_code"),
    path("dang-nhap/ma/", views.confirm_login_code, name="account_confirm_login_code"),
    path("dang-nhap/mat-khau/", account.login, name="account_login"),
    path("dang-xuat/", account.logout, name="account_logout"),
    path("dang-ky/", account.signup, name="account_signup"),
    path("tai-khoan/da-khoa/", account.account_inactive, name="account_inactive"),
    path("tai-khoan/xac-nhan/", account.reauthenticate, name="account_reauthenticate"),
    path("tai-khoan/so-dien-thoai/", account.verify_phone, name="account_verify_phone"),
    path("tai-khoan/so-dien-thoai/doi/", account.change_phone, name="account_change_phone"),
    path("tai-khoan/mat-khau/doi/", account.password_change, name="account_change_password"),
    path("tai-khoan/mat-khau/dat/", account.password_set, name="account_set_password"),
    path("tai-khoan/mat-khau/quen/", account.request_login_code, name="account_reset_password"),
    path("bao-mat/", mfa.index, name="mfa_index"),
    path("bao-mat/ma/", mfa.authenticate, name="mfa_authenticate"),
    path("bao-mat/xac-nhan/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("bao-mat/ung-dung/bat/", totp.activate_totp, name="mfa_activate_totp"),
    path("bao-mat/ung-dung/tat/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("bao-mat/khoa/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("bao-mat/khoa/them/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("bao-mat/khoa/dang-nhap/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path(
        "bao-mat/khoa/xac-nhan/",
        webauthn.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path("bao-mat/khoa/<int:pk>/bo/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
    path("bao-mat/khoa/<int:pk>/sua/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
    path(
        "bao-mat/ma-khoi-phuc/",
        recovery_codes.view_recovery_codes,
        name="mfa_view_recovery_codes",
    ),
    path(
        "bao-mat/ma-khoi-phuc/tao/",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "bao-mat/ma-khoi-phuc/tai/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
]
