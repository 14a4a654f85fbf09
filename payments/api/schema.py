"""What the public description of the API contains."""

from typing import Any


def only_partner_paths(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    return endpoints
