"""Vietnamese phone numbers: any usual spelling in, E.164 out."""


class PhoneError(ValueError):
    """The text is not a Vietnamese phone number."""


def to_e164(spelling: str) -> str:
    """Turn a usual spelling into E.164.

    >>> to_e164("0912 345 678"), to_e164("84-912.345.678"), to_e164("(+84) 912345678")
    ('+84912345678', '+84912345678', '+84912345678')

    Raises PhoneError for what is no valid Vietnamese number (ITU-T E.164, national plan of
    Circular 22/2014/TT-BTTTT as kept in libphonenumber's metadata).
    """
    import phonenumbers  # noqa: PLC0415  # 3 MB that a process without pages never needs

    digits = "".join(character for character in spelling if character.isdigit())
    if len(digits) > 15 or any(character.isalpha() for character in spelling):
        raise PhoneError(spelling)
    if digits.startswith("0084"):
        digits = digits[2:]
    candidate = f"+{digits}" if digits.startswith("84") and len(digits) >= 11 else digits
    try:
        number = phonenumbers.parse(candidate, "VN")
    except phonenumbers.NumberParseException as error:
        raise PhoneError(spelling) from error
    if number.country_code != 84 or not phonenumbers.is_valid_number(number):
        raise PhoneError(spelling)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def for_people(e164: str) -> str:
    """Write a stored number the way people read it aloud.

    >>> for_people("+84912345678")
    '0912 345 678'
    """
    if not e164.startswith("+84") or len(e164) != 12:
        return e164
    national = f"0{e164[3:]}"
    return f"{national[:4]} {national[4:7]} {national[7:]}"
