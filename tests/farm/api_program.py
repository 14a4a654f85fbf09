"""A program that calls the farm's API."""

from django.test import Client
from django.utils import timezone

from farm.services import api_tokens

API = "/api/farm/v1/"


class Program:
    """A program with a member's key."""

    def __init__(self, person) -> None:
        self.person = person
        self.token, secret = api_tokens.make_token(
            user=person, name="test", days=30, at=timezone.now()
        )
        self.headers = {"Authorization": f"Bearer {secret}", "Accept-Language": "en"}
        self.client = Client()
        self.client.cookies.load({"django_language": "en"})

    def get(self, path, **query):
        return self.client.get(API + path, query, headers=self.headers)

    def post(self, path, body=None, **headers):
        return self.client.post(
            API + path, body, content_type="application/json", headers=self.headers | headers
        )
