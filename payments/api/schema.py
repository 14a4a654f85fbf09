"""What the public description of the API contains: partner calls, their token, nothing else."""

from typing import Any

PREFIX = "/api/payments/v1/"
SECURITY_SCHEME = {
    "partner": {
        "type": "oauth2",
        "flows": {
            "clientCredentials": {
                "tokenUrl": "/oauth/token",
                "scopes": {
                    "bills:read": "Ask what is owed, look payments up",
                    "payments:write": "Report payments and reversals",
                },
            }
        },
    }
}


def only_partner_paths(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Keep the partner API's addresses."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX)]


def with_security(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Say that each call needs a partner's token, and which scope."""
    result["components"]["securitySchemes"] = SECURITY_SCHEME
    for operations in result["paths"].values():
        for method, operation in operations.items():
            is_write = method == "post" and operation["operationId"] != "create_inquiry"
            operation["security"] = [{"partner": ["payments:write" if is_write else "bills:read"]}]
            operation["tags"] = ["Payments"]
    return result
