"""The token endpoint for partner banks: OAuth2 client credentials (RFC 6749 §4.4), nothing else."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.views.base import TokenView

from common import ratelimit
from common.net import client_ip
from payments.api.problems import Problem, problem_response

TRIES_PER_MINUTE = 60


class ClientSecretHasher(PBKDF2PasswordHasher):
    """Hash for client secrets. They are 256 random bits, so stretching them adds only delay."""

    algorithm = "pbkdf2_sha256_client"
    iterations = 1


@method_decorator(csrf_exempt, name="dispatch")
class PartnerTokenView(TokenView):
    """Give a partner an access token for an hour, against its client id and secret."""

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Limit guesses by address, then leave the grant to django-oauth-toolkit."""
        wait = ratelimit.take(f"token:{client_ip(request)}", limit=TRIES_PER_MINUTE)
        if wait:
            return problem_response(request, Problem.rate_limited(wait))
        response: HttpResponse = super().post(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response
