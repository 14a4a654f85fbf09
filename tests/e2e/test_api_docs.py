"""The descriptions of the APIs unfold in a real browser, under the content policy."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,  # a browser has to start and unfold two descriptions
    pytest.mark.django_db(transaction=True),
]


def test_the_two_descriptions_unfold_and_lead_to_each_other(page, live_server, complaints):
    page.goto(live_server.url + reverse("api_docs"))
    expect(page.locator(".opblock-summary-path").first).to_contain_text("/api/payments/v1/")

    page.get_by_role("link", name="For the greenhouses").click()
    expect(page.locator(".opblock-summary-path").first).to_contain_text("/api/farm/v1/")
    page.locator(".opblock-summary-control").first.click()
    expect(page.locator(".opblock-description").first).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []
