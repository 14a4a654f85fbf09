"""Apps meet only at their front doors (house-style §3); import-linter holds the order of layers."""

import grimp
import pytest

APPS = ["common", "accounts", "notifications", "addresses", "residents", "payments", "farm"]
# Shared ground (common, accounts, addresses, residents: who people are and where they live) may be
# imported plainly; these may not.
BEHIND_DOORS = ["notifications", "payments", "farm"]
FRONT_DOORS = {"services", "selectors", "metrics", "signals", "errors"}


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph(*APPS, exclude_type_checking_imports=True, cache_dir=None)


@pytest.mark.parametrize("app", APPS)
def test_imports_from_another_app_go_through_a_front_door(graph, app):
    trespasses = [
        f"{importer} imports {imported}"
        for importer in sorted({app, *graph.find_descendants(app)})
        for imported in sorted(graph.find_modules_directly_imported_by(importer))
        if (parts := imported.split("."))[0] in BEHIND_DOORS
        and parts[0] != app
        and not FRONT_DOORS & set(parts[1:2])
    ]

    assert trespasses == []


def test_pure_modules_are_where_the_import_rules_expect_them(graph):
    pure = {"payments.vietqr", "payments.payment_code", "common.text", "common.qr"}

    assert pure - graph.modules == set()
