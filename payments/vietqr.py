"""VietQR payloads: the text in the QR picture that a banking app reads to fill in a transfer.

Source: NAPAS, "Tài liệu quy định về định dạng mã VietQR trong dịch vụ chuyển nhanh NAPAS247",
v1.0, 09/2021, a profile of EMVCo's Merchant-Presented QR. A payload is a row of fields, each with
an id of two digits, a length of two digits (in characters) and its value.

Writing is strict, reading is lenient: codes on Vietnamese counters break the caps of the document.
What is merely crooked becomes a finding; what could send money astray is refused.
"""

import re
from binascii import crc_hqx
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

MAX_PAYLOAD: Final = 512  # EMVCo's limit for the whole payload
AMOUNT_LIMIT_VND: Final = 500_000_000  # a NAPAS247 transfer stays below this (NAPAS 8.1.1)
TO_ACCOUNT, TO_CARD = "QRIBFTTA", "QRIBFTTC"
NAPAS_GUID: Final = "A000000727"

_SERVICES: Final = (TO_ACCOUNT, TO_CARD, "QRPUSH", "QRCASH")  # the last two: NAPAS v1.5.2
_FIELD: Final = re.compile(r"([0-9]{2})([0-9]{2})")
_CAPS: Final = {"00": 2, "01": 2, "52": 4, "54": 13, "58": 2, "59": 25, "60": 15, "61": 10}
_SUBFIELD_CAP: Final = 25
_TEMPLATES: Final = frozenset(f"{tag:02d}" for tag in (*range(26, 52), 62, 64, *range(80, 100)))
_WHOLE_DONG: Final = re.compile(r"([0-9]{1,13})(\.0*)?")
_COMMON_CHARACTERS: Final = re.compile(r"[ -~]*")  # EMV Book 4, common character set

# What encode accepts. Every bank carries 19 such characters of memo (VietQR.vn; NAPAS allows 25);
# capitals also keep the payload in the compact modes of a QR picture.
_WRITABLE: Final = {
    "bank_bin": r"[0-9]{6}",
    "account": r"[0-9A-Za-z]{1,19}",
    "service": f"{TO_ACCOUNT}|{TO_CARD}",
    "memo": r"(?! )[A-Z0-9 ]{0,19}(?<! )",
    "bill_number": r"(?! )[A-Z0-9 ./:+-]{0,25}(?<! )",
    "merchant_name": r"(?! )[ -~]{0,25}(?<! )",
    "merchant_city": r"(?! )[ -~]{0,15}(?<! )",
    "merchant_category": r"([0-9]{4})?",
}


class VietQRError(ValueError):
    """A payload that must not be used, or a transfer that cannot be written; ``code`` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer as a VietQR describes it; without an amount the payer types one.

    ``service`` is TO_ACCOUNT or TO_CARD ("" if a read payload names none). Whether the code is
    static (paid many times) or dynamic (once) is not stored: it is dynamic when it has an amount.
    """

    bank_bin: str
    account: str
    service: str = TO_ACCOUNT
    amount_vnd: int | None = None
    memo: str = ""
    bill_number: str = ""
    merchant_name: str = ""
    merchant_city: str = ""
    merchant_category: str = ""


class Finding(NamedTuple):
    """Something crooked in a payload that can still be used."""

    code: str
    tag: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a payload says: the transfer, unless it is not a VietQR, and all that is crooked in it.

    ``tags`` holds every value by its path ("54", "62-08", "38-01-00"), for the codes of others:
    an electricity bill, for one, has its customer number in "62-06".
    """

    transfer: Transfer | None
    findings: tuple[Finding, ...]
    tags: Mapping[str, str]


def encode(transfer: Transfer) -> str:
    """Write the payload of a transfer, ready to be drawn as a QR picture.

    Raises VietQRError, its ``code`` being "bad_" and the name of the field, for a value that some
    bank would refuse or change: see the fields' patterns above.

    >>> encode(Transfer("970403", "0011012345678", amount_vnd=180_000, memo="PL26A7K9"))[:38]
    '00020101021238570010A00000072701270006'
    """
    for name, pattern in _WRITABLE.items():
        value: object = getattr(transfer, name)
        if not (isinstance(value, str) and re.fullmatch(pattern, value)):
            raise VietQRError(f"bad_{name}", f"{name} cannot be written in a VietQR: {value!r}")
    if transfer.service == TO_CARD and not re.fullmatch("[0-9]{16,19}", transfer.account):
        raise VietQRError("bad_account", "a card number has 16 to 19 digits")

    amount = _written_amount(transfer.amount_vnd)
    beneficiary = _field("00", transfer.bank_bin) + _field("01", transfer.account)
    napas = f"0010{NAPAS_GUID}{_field('01', beneficiary)}{_field('02', transfer.service)}"
    additional = _field("01", transfer.bill_number) + _field("08", transfer.memo)
    unsealed = (
        f"000201{_field('01', '12' if amount else '11')}{_field('38', napas)}"
        f"{_field('52', transfer.merchant_category)}5303704{_field('54', amount)}5802VN"
        f"{_field('59', transfer.merchant_name)}{_field('60', transfer.merchant_city)}"
        f"{_field('62', additional)}6304"
    )
    return unsealed + _crc(unsealed)


def decode(payload: str) -> Decoded:
    """Read a payload, as scanned and without surrounding white space.

    An EMVCo code of another network gives ``transfer=None`` and the finding "not_vietqr".
    Raises VietQRError, and nothing else, whatever the text: "too_long" (over 512 characters),
    "malformed" (fields do not fit their lengths), "duplicate_tag", "bad_version", "no_crc",
    "wrong_crc", and in a VietQR "bad_bank_bin", "bad_account", "misplaced_service", "bad_currency",
    "bad_amount".
    """
    if len(payload) > MAX_PAYLOAD:
        raise VietQRError("too_long", f"a payload has at most {MAX_PAYLOAD} characters")
    tags = _fields(payload, "")
    findings = list(_check_frame(payload, tags))
    for tag in sorted(_TEMPLATES & tags.keys()):
        try:
            tags |= _fields(tags[tag], f"{tag}-")
        except VietQRError:
            if tag in {"38", "62"}:  # whose account, and which bill: never guess
                raise
            findings.append(Finding("bad_template", tag))
    findings += _value_findings(tags)
    if tags.get("38-00") != NAPAS_GUID:
        return Decoded(None, (Finding("not_vietqr", "38"), *findings), tags)
    tags |= _fields(tags.get("38-01", ""), "38-01-")
    transfer = _transfer(tags)
    return Decoded(transfer, (*findings, *_vietqr_findings(transfer, tags)), tags)


def _fields(text: str, path: str) -> dict[str, str]:
    """Cut a text into fields that fill it exactly, keyed by ``path`` and tag."""
    values: dict[str, str] = {}
    at = 0
    while at < len(text):
        head = _FIELD.match(text, at)
        if head is None or head[2] == "00" or head.end() + int(head[2]) > len(text):
            raise VietQRError("malformed", f"no field fits at character {at} of {path or 'all'}")
        if path + head[1] in values:
            raise VietQRError("duplicate_tag", f"tag {path}{head[1]} stands twice")
        at = head.end() + int(head[2])
        values[path + head[1]] = text[head.end() : at]
    return values


def _check_frame(payload: str, tags: Mapping[str, str]) -> Iterable[Finding]:
    """Refuse a payload whose first or last field is wrong."""
    if next(iter(tags.items()), None) != ("00", "01"):
        raise VietQRError("bad_version", "a payload begins with tag 00, version 01")
    crc = tags.get("63", "")
    if list(tags)[-1] != "63" or len(crc) != 4:
        raise VietQRError("no_crc", "a payload ends with tag 63, four hexadecimal digits")
    if crc.upper() != _crc(payload[:-4]):
        raise VietQRError("wrong_crc", "the payload is damaged: its checksum does not match")
    # MB Bank writes it in small letters.
    return [] if crc == crc.upper() else [Finding("lower_case_crc", "63")]


def _transfer(tags: Mapping[str, str]) -> Transfer:
    """Build the transfer of a payload that carries NAPAS's tag 38."""
    bank_bin, account = tags.get("38-01-00", ""), tags.get("38-01-01", "")
    if not re.fullmatch(_WRITABLE["bank_bin"], bank_bin):
        raise VietQRError("bad_bank_bin", f"a bank number has six digits: {bank_bin!r}")
    if not re.fullmatch(_WRITABLE["account"], account):
        raise VietQRError("bad_account", f"an account has 1 to 19 letters or digits: {account!r}")
    if "38-01-02" in tags:
        raise VietQRError("misplaced_service", "the service stands inside the beneficiary")
    if tags.get("53", "704") != "704":
        raise VietQRError("bad_currency", f"the currency is not đồng (704): {tags['53']!r}")
    return Transfer(
        bank_bin=bank_bin,
        account=account,
        service=tags.get("38-02", ""),
        amount_vnd=_read_amount(tags["54"]) if "54" in tags else None,
        memo=tags.get("62-08", ""),
        bill_number=tags.get("62-01", ""),
        merchant_name=tags.get("59", ""),
        merchant_city=tags.get("60", ""),
        merchant_category=tags.get("52", ""),
    )


def _vietqr_findings(transfer: Transfer, tags: Mapping[str, str]) -> Iterable[Finding]:
    """Tell where a VietQR leaves the NAPAS document without becoming ambiguous."""
    initiation = tags.get("01")
    judgements = (
        (initiation not in {"11", "12"}, "bad_initiation", "01"),
        (initiation == "11" and transfer.amount_vnd is not None, "static_with_amount", "01"),
        (initiation == "12" and transfer.amount_vnd is None, "dynamic_without_amount", "01"),
        (transfer.service not in _SERVICES, "unknown_service", "38-02"),
        ("53" not in tags, "missing", "53"),
        ((transfer.amount_vnd or 0) >= AMOUNT_LIMIT_VND, "over_limit", "54"),
        (tags.get("58") != "VN", "bad_country", "58"),
    )
    return [Finding(code, tag) for is_crooked, code, tag in judgements if is_crooked]


def _value_findings(tags: Mapping[str, str]) -> Iterable[Finding]:
    """Tell which values are too long, hold unusual characters, or make the app ask the payer."""
    for tag, value in tags.items():
        cap = _SUBFIELD_CAP if "62-00" < tag < "62-50" else _CAPS.get(tag)
        if cap is not None and len(value) > cap:
            yield Finding("value_too_long", tag)
        if cap is not None and not _COMMON_CHARACTERS.fullmatch(value):
            yield Finding("bad_characters", tag)
        if tag.startswith("62-") and value == "***":
            yield Finding("prompt", tag)


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02d}{value}" if value else ""


def _written_amount(amount: int | None) -> str:
    if amount is None:
        return ""
    if type(amount) is not int or not 0 < amount < AMOUNT_LIMIT_VND:  # True is no amount
        raise VietQRError("bad_amount_vnd", "an amount is a whole number, 1 to 499,999,999 đồng")
    return str(amount)


def _read_amount(text: str) -> int:
    """Read digits with at most one point; đồng has no decimals, so only zeros may follow it."""
    parts = _WHOLE_DONG.fullmatch(text)
    if parts is None or int(parts[1]) == 0:
        raise VietQRError("bad_amount", f"no amount in đồng: {text!r}")
    return int(parts[1])


def _crc(text: str) -> str:
    """CRC-16/CCITT-FALSE over UTF-8 bytes (lengths count characters); "123456789" gives 29B1."""
    # A lone surrogate cannot be scanned, but whatever text comes, only VietQRError may come out.
    return f"{crc_hqx(text.encode('utf-8', 'surrogatepass'), 0xFFFF):04X}"
