"""Sign-in where allauth's own view needs a word of help."""

from allauth.account import views as allauth
from allauth.account.stages import LoginByCodeStage, LoginStageController
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def confirm_login_code(request: HttpRequest) -> HttpResponse:
    """Take the code, or send another one.

    A number that nobody has given looks the same from outside, but has no code to send again:
    allauth 65 would fail there instead of staying quiet.
    """
    stage = LoginStageController.enter(request, LoginByCodeStage.key)
    is_stranger = stage is not None and stage.login.user is None
    if is_stranger and request.POST.get("action") == "resend":
        return redirect("account_confirm_login_code")
    answer: HttpResponse = allauth.confirm_login_code(request)
    return answer
