"""How docs/openapi-farm.yaml is made, apart from the partner banks' description."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

PREFIX = "/api/farm/v1/"


class MemberKey(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """A member's own key."""

    target_class = "farm.api.auth.TokenAuthentication"
    name = "memberKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "Made at /nha-mang/khoa-api/"}


class SignedIn(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """The session of a member who is signed in to the pages."""

    target_class = "farm.api.auth.SessionAuthentication"
    name = "signedIn"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def only_farm_paths(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Keep the farm API's addresses."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX)]


def with_tags(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Put all calls under one heading."""
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["tags"] = ["Greenhouses"]
    return result


# manage.py spectacular --custom-settings farm.api.schema.SETTINGS --file docs/openapi-farm.yaml
SETTINGS = {
    "TITLE": "Commune portal: the greenhouses' API",
    "DESCRIPTION": (
        "For the cooperative's own programs: newest values, readings, outputs, alarms and batches, "
        "and runs and stops under the same interlocks as everywhere. Each time "
        "carries its offset from UTC."
    ),
    "PREPROCESSING_HOOKS": ["farm.api.schema.only_farm_paths"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "farm.api.schema.with_tags",
    ],
    "SCHEMA_PATH_PREFIX": "/api/farm/v1",
}
