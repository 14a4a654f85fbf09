"""Foreign keys point down the layers, and other apps' tables get no hidden way back."""

import pytest
from django.apps import apps

LAYERS = [
    "common", "accounts", "notifications", "addresses", "residents", "payments", "farm",
    "commune_portal",
]  # fmt: skip
OURS = [model for model in apps.get_models() if model._meta.app_label in LAYERS]


def links(model):
    """Links to our own tables; those of packages (groups, OAuth clients) have their own rules."""
    for field in model._meta.get_fields():
        target = field.related_model
        if field.concrete and target and target._meta.app_label in LAYERS:
            yield field, target


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_foreign_keys_point_down_and_leave_no_way_back(model):
    own = model._meta.app_label

    up = [
        field.name
        for field, target in links(model)
        if LAYERS.index(target._meta.app_label) > LAYERS.index(own)
    ]
    open_ways_back = [
        field.name
        for field, target in links(model)
        if target._meta.app_label != own and not field.remote_field.hidden
    ]

    assert (up, open_ways_back) == ([], [])


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_no_table_orders_itself(model):
    assert model._meta.ordering in ((), [])
