"""The officials' side of the greenhouses; importing it registers every page."""

from farm.admin import crops, places, records

__all__ = ["crops", "places", "records"]
