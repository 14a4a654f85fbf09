"""Each variable that the settings read stands in docs/configuration.md and .env.example."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READERS = {"text", "flag", "integer", "words"}
# Given to the processes by compose or the demo, not by the person who configures.
NOT_IN_EXAMPLE = {"VAR_DIR", "STATIC_ROOT", "MEDIA_ROOT", "STATIC_MANIFEST"}


def read_by_settings():
    tree = ast.parse((ROOT / "commune_portal" / "settings.py").read_text(encoding="utf-8"))
    return {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in READERS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
    }


def documented():
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([A-Z_]+)`", text, flags=re.MULTILINE))


def in_example():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^#? ?([A-Z_]+)=", text, flags=re.MULTILINE))


def test_every_variable_is_documented_and_every_documented_one_is_read():
    outside_settings = {
        "PORT",
        "HOST",
        "DEMO_HOUSEHOLDS",
        "POSTGRES_PASSWORD",
        "MQTT_PASSWORD",
        "WEB_WORKERS",
    }

    assert read_by_settings() - documented() == set()
    assert documented() - read_by_settings() - outside_settings == set()


def test_every_variable_that_people_set_stands_in_the_example():
    assert read_by_settings() - NOT_IN_EXAMPLE - in_example() == set()
