"""The two APIs are described apart from each other, by this host alone."""

from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from commune_portal import api_docs
from tests.farm.pages import member, noon

__all__ = ["member", "noon"]
PAGES = {
    "api_docs": ("schema", "openapi.yaml", "Commune portal: partner banks' API"),
    "farm_api_docs": (
        "farm_schema", "openapi-farm.yaml", "Commune portal: the greenhouses' API",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_the_page_reads_its_own_description_and_leads_to_the_other(client, name):
    schema, _file, title = PAGES[name]

    page = client.get(reverse(name))
    script = client.get(reverse(name), {"script": ""})

    html = page.content.decode()
    assert f"<title>{title.replace(chr(39), '&#x27;')}</title>" in html
    for other in PAGES:
        mark = ' aria-current="page"' if other == name else ""
        assert f'<a href="{reverse(other)}"{mark}>' in html
    assert script["Content-Type"].startswith("application/javascript")
    assert f'url: "{reverse(schema)}"' in script.content.decode().replace("\\u002D", "-")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_comes_from_another_host_and_no_script_stands_in_the_page(client, name):
    page = client.get(reverse(name))

    html = page.content.decode()
    assert "//" not in html.replace("https://testserver", "").replace("http://testserver", "")
    assert "<style" not in html
    assert html.count("<script") == html.count("<script src=") == 3
    policy = dict(part.strip().split(" ", 1) for part in page["Content-Security-Policy"].split(";"))
    assert (policy["script-src"], policy["style-src"]) == ("'self'", "'self' 'unsafe-inline'")
    assert policy["default-src"] == "'self'"


@pytest.mark.parametrize("name", PAGES)
def test_what_is_served_is_what_is_committed(client, name):
    schema, file, title = PAGES[name]

    # The farm's first: its settings must not stay behind.
    client.get(reverse("farm_schema"))
    served = yaml.safe_load(client.get(reverse(schema)).content)

    committed = yaml.safe_load(Path(settings.BASE_DIR, "docs", file).read_text())
    assert served["info"]["title"] == title
    assert served["paths"] == committed["paths"]
    assert served["components"] == committed["components"]


@pytest.mark.parametrize("name", ["schema", "farm_schema"])
def test_no_description_is_written_while_another_is(client, monkeypatch, name):
    alone = []
    get_schema = SchemaGenerator.get_schema

    def seen(self, *args, **kwargs):
        alone.append(api_docs._one_at_a_time.locked())
        return get_schema(self, *args, **kwargs)

    monkeypatch.setattr(SchemaGenerator, "get_schema", seen)

    client.get(reverse(name))

    assert alone == [True]
    assert not api_docs._one_at_a_time.locked()


def test_whoever_makes_a_key_finds_what_it_opens(client, member):
    page = client.get(reverse("farm_tokens"))

    assert f'<a href="{reverse("farm_api_docs")}">' in page.content.decode()
