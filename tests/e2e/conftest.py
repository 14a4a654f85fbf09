"""A phone in somebody's hand: a real Chromium at phone size against a live server."""

import os

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

# Playwright keeps an event loop in this thread, which Django would take for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

PHONE = {"width": 360, "height": 740}
SMALLEST = {"width": 320, "height": 640}


@pytest.fixture(scope="session")
def base_url():
    """None, for pages are named in full. (The plug-in's own fixture warns, which is a failure.)"""


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    """The size of a cheap phone; English was chosen on the page, as its texts are in the code."""
    chosen = {"name": "django_language", "value": "en", "domain": "localhost", "path": "/"}
    return browser_context_args | {
        "viewport": PHONE,
        "device_scale_factor": 2,
        "storage_state": {"cookies": [chosen], "origins": []},
    }


@pytest.fixture
def sign_in(live_server):
    """Sign a person in on a browser context, as if they had typed their code before."""

    def open_session(context, person):
        session = SessionStore()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        session.save()
        context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": session.session_key,
                    "url": live_server.url,
                }
            ]
        )

    return open_session


@pytest.fixture
def complaints(page):
    """What the browser complained of: broken scripts, refused by the content policy, not found."""
    found = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda line: found.append(line.text) if line.type == "error" else None)
    return found
