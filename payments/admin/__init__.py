"""The officials' side of bills and money; importing it registers every page."""

from payments.admin import billers, bills, imports, money, partners, slips, unapplied

__all__ = ["billers", "bills", "imports", "money", "partners", "slips", "unapplied"]
