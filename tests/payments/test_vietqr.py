"""VietQR payloads: published vectors, what is refused, and laws of reading and writing."""

from binascii import crc_hqx
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payments.vietqr import (
    MAX_PAYLOAD,
    TO_CARD,
    Decoded,
    Finding,
    Transfer,
    VietQRError,
    decode,
    encode,
)

# NAPAS v1.0 (09/2021) 6.1.2 to 6.1.4 and its quick-generated code; github xuannghia (MB Bank).
NAPAS_CARD = (
    "00020101021138600010A00000072701300006970403011697040311012345670208QRIBFTTC"
    "53037045802VN63044F52"
)
NAPAS_ORDER = (
    "00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA"
    "530370454061800005802VN62340107NPS68690819thanh toan don hang63042E2E"
)
NAPAS_CARD_ORDER = (
    "00020101021238600010A00000072701300006970403011697040311012345670208QRIBFTTC"
    "530370454061800005802VN62340107NPS68690819thanh toan don hang6304A203"
)
NAPAS_QUICK = (
    "00020101021138530010A0000007270123000697041601092576788590208QRIBFTTA53037045802VN6304AE9F"
)
MB_BANK = (
    "00020101021138540010A00000072701240006970422011003523509170208QRIBFTTA53037045802VN630479db"
)
OURS = (
    "00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA"
    "530370454061800005802VN62120808PL26A7K963047405"
)
EVN = (
    "000201010211262400020001140100101114-0195204490053037045802VN"
    "5931EVN CONG TY DIEN LUC THANH XUAN6006Ha Noi"
    "62450302000613PD000000000000702000812TT tien dien6304DC30"
)
VNPAY_WALLET = (
    "00020101021002020103069084010411VNPayWallet071003933571580809Lê Anh Tú"
    "09051000010037041107content63042678"
)

ACCOUNT = Transfer("970403", "0011012345678")
CARD = Transfer("970403", "9704031101234567", TO_CARD)
ORDER = {
    "amount_vnd": 180_000,
    "bill_number": "NPS6869",
    "memo": "thanh toan don hang",
}


def sealed(body: str) -> str:
    """Put the right checksum after fields written by hand."""
    return f"{body}6304{crc_hqx(f'{body}6304'.encode(), 0xFFFF):04X}"


def vietqr(*, napas="", rest="53037045802VN", head="000201010211") -> str:
    beneficiary = "0006970403011300110123456" + "78"
    napas = napas or f"0010A0000007270127{beneficiary}0208QRIBFTTA"
    return sealed(f"{head}38{len(napas):02d}{napas}{rest}")


@pytest.mark.parametrize(
    ("payload", "transfer", "findings"),
    [
        (NAPAS_CARD, CARD, ()),
        (NAPAS_ORDER, replace(ACCOUNT, **ORDER), ()),
        (NAPAS_CARD_ORDER, replace(CARD, **ORDER), ()),
        (NAPAS_QUICK, Transfer("970416", "257678859"), ()),
        (MB_BANK, Transfer("970422", "0352350917"), (("lower_case_crc", "63"),)),
        (OURS, replace(ACCOUNT, amount_vnd=180_000, memo="PL26A7K9"), ()),
    ],
)
def test_published_codes_are_read(payload, transfer, findings):
    read = decode(payload)

    assert read.transfer == transfer
    assert read.findings == findings


@pytest.mark.parametrize("payload", [NAPAS_CARD, NAPAS_QUICK, OURS])
def test_published_codes_are_written_character_by_character(payload):
    assert encode(decode(payload).transfer) == payload


def test_an_electricity_bill_of_another_network_is_read_without_a_transfer():
    read = decode(EVN)

    assert read.transfer is None
    assert read.findings == (("not_vietqr", "38"), ("value_too_long", "59"))
    assert read.tags["59"] == "EVN CONG TY DIEN LUC THANH XUAN"
    assert read.tags["62-06"] == "PD00000000000"
    assert read.tags["62-08"] == "TT tien dien"
    assert read.tags["26-01"] == "0100101114-019"


def test_lengths_count_characters_and_the_checksum_covers_bytes():
    read = decode(VNPAY_WALLET)

    assert read.transfer is None
    assert read.findings == (("not_vietqr", "38"),)
    assert read.tags["08"] == "Lê Anh Tú"
    assert read.tags["09"] == "10000"


NAPAS_SHORT_ACCOUNT = (
    "00020101021138570010A00000072701270006970403011200110123456780208QRIBFTTA53037045802VN6304F4E5"
)
# github xuannghia, marked "Invalid CRC".
XUANNGHIA_DAMAGED = (
    "00020101021238530010A0000007270123000697041601092576788590208QRIBFTTA"
    "5303704540410005802VN62150811Chuyen tien6304BBB5"
)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        # NAPAS 6.1.1 itself: length 12 for an account of 13 digits, under a right checksum
        (NAPAS_SHORT_ACCOUNT, "malformed"),
        # NAPAS 6.1.4, heading: the checksum of another payload
        (NAPAS_CARD[:-4] + "A203", "wrong_crc"),
        (XUANNGHIA_DAMAGED, "wrong_crc"),
    ],
)
def test_published_codes_that_must_be_refused(payload, code):
    with pytest.raises(VietQRError) as refusal:
        decode(payload)

    assert refusal.value.code == code


def test_the_repaired_napas_example_is_read():
    payload = (
        "00020101021138570010A00000072701270006970403011300110123456780208QRIBFTTA"
        "53037045802VN63049E6F"
    )

    assert decode(payload) == Decoded(ACCOUNT, (), decode(payload).tags)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("", "bad_version"),
        ("xin chào", "malformed"),
        ("https://example.vn", "malformed"),
        (sealed("000202010211"), "bad_version"),
        (sealed("010211000201"), "bad_version"),
        ("000201010211", "no_crc"),
        ("00020163041D3D5802VN", "no_crc"),
        ("0002016303ABC", "no_crc"),
        (sealed("0002010102"), "malformed"),
        (sealed("0002015900"), "malformed"),
        (sealed("000201590"), "malformed"),
        (sealed("000201\u0665\u06690\u0662AB"), "malformed"),
        (OURS + " ", "malformed"),
        (OURS.lower(), "wrong_crc"),
        (OURS + "0" * (MAX_PAYLOAD + 1 - len(OURS)), "too_long"),
        (vietqr(rest="540510000" + "540520000"), "duplicate_tag"),
        (vietqr(napas="0010A00000072701270006970403011300110123456780208QRIBFTTA0"), "malformed"),
        (vietqr(napas="0010A0000007270122000697040301090110123450208QRIBFTTA"), "malformed"),
        (vietqr(napas="0010A000000727" + "0208QRIBFTTA"), "bad_bank_bin"),
        (
            vietqr(napas="0010A0000007270118" + "000597040" + "010511111" + "0208QRIBFTTA"),
            "bad_bank_bin",
        ),
        (vietqr(napas="0010A0000007270110" + "0006970403" + "0208QRIBFTTA"), "bad_account"),
        (vietqr(napas="0010A0000007270117" + "00069704030103A-1" + "0208QRIBFTTA"), "bad_account"),
        # the service inside the beneficiary
        (
            vietqr(napas="0010A0000007270135" + "0006970403" + "0109123456789" + "0208QRIBFTTA"),
            "misplaced_service",
        ),
        (vietqr(rest="53038405802VN"), "bad_currency"),
        (vietqr(rest="53037045401" + "0" + "5802VN"), "bad_amount"),
        (vietqr(rest="530370454041 00"), "bad_amount"),
        (vietqr(rest="53037045404-100"), "bad_amount"),
        (vietqr(rest="5303704540510.50"), "bad_amount"),
        (vietqr(rest="53037045401."), "bad_amount"),
        (vietqr(rest="530370454041.0."), "bad_amount"),
        (vietqr(rest="5303704" + "5414" + "9" * 14), "bad_amount"),
        (vietqr(rest="53037046205" + "0899A"), "malformed"),
        (vietqr(rest="53037046205" + "0802A"), "malformed"),
    ],
)
def test_what_could_send_money_astray_is_refused(payload, code):
    with pytest.raises(VietQRError) as refusal:
        decode(payload)

    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("payload", "findings"),
    [
        (vietqr(head="000201"), [("bad_initiation", "01")]),
        (vietqr(head="000201010212"), [("dynamic_without_amount", "01")]),
        (vietqr(rest="53037045405500005802VN"), [("static_with_amount", "01")]),
        (vietqr(rest="5802VN"), [("missing", "53")]),
        (vietqr(rest="53037045802LA"), [("bad_country", "58")]),
        (
            vietqr(head="000201010212", rest="530370454095000000005802VN"),
            [("over_limit", "54")],
        ),
        (vietqr(rest="53037045802VN62070803***"), [("prompt", "62-08")]),
        (vietqr(rest="53037045802VN5906Đỗ Ơn!"), [("bad_characters", "59")]),
        (vietqr(rest="53037045802VN6016" + "THANH PHO HUE 16"), [("value_too_long", "60")]),
        (
            vietqr(head="000201010212", rest="5303704541450000.000000005802VN"),
            [("value_too_long", "54")],
        ),
        (vietqr(rest="53037045802VN6230" + "0726" + "T" * 26), [("value_too_long", "62-07")]),
        (vietqr(rest="53037045802VN6230" + "5026" + "T" * 26), []),
        (vietqr(rest="53037045802VN6403abc"), [("bad_template", "64")]),
        (
            vietqr(napas="0010A00000072701270006970403011300110123456780207QRIBXXX"),
            [("unknown_service", "38-02")],
        ),
        (
            vietqr(napas="0010A0000007270127000697040301130011012345678"),
            [("unknown_service", "38-02")],
        ),
    ],
)
def test_what_is_merely_crooked_is_found_and_read(payload, findings):
    read = decode(payload)

    assert (read.transfer.bank_bin, read.transfer.account) == ("970403", "0011012345678")
    assert list(read.findings) == findings


@pytest.mark.parametrize(
    ("text", "amount"), [("50000", 50_000), ("50000.", 50_000), ("50000.00", 50_000), ("007", 7)]
)
def test_amounts_as_others_write_them(text, amount):
    payload = vietqr(head="000201010212", rest=f"530370454{len(text):02d}{text}5802VN")

    assert decode(payload).transfer.amount_vnd == amount


def test_fields_may_stand_in_any_order():
    napas = "38570010A00000072701270006970403011300110123456780208QRIBFTTA"
    payload = sealed(f"0002015802VN62120808PL26A7K9{napas}54061800005303704010212")

    assert decode(payload).transfer == decode(OURS).transfer
    assert decode(payload).findings == ()


def test_tag_38_of_another_network_is_no_vietqr():
    read = decode(vietqr(napas="0010A0000007750105ABCDE"))

    assert read.transfer is None
    assert Finding("not_vietqr", "38") in read.findings


def test_the_smallest_and_the_fullest_transfer():
    fullest = Transfer(
        bank_bin="970405",
        account="A" * 19,
        amount_vnd=499_999_999,
        memo="PL3G63DG8S3 THON 12",
        bill_number="DIEN-2026/11:000000000001",
        merchant_name="UBND XA EA SUP",
        merchant_city="DAK LAK",
        merchant_category="4900",
    )

    assert encode(Transfer("970405", "1")) == sealed(
        "00020101021138" + "45" + "0010A0000007270115" + "0006970405" + "01011"
        "0208QRIBFTTA" + "53037045802VN"
    )
    assert encode(fullest) == sealed(
        "00020101021238" + "63" + "0010A0000007270133" + "0006970405" + "0119" + "A" * 19
        + "0208QRIBFTTA" + "52044900" + "5303704" + "5409499999999" + "5802VN"
        + "5914UBND XA EA SUP" + "6007DAK LAK"
        + "6252" + "0125DIEN-2026/11:000000000001" + "0819PL3G63DG8S3 THON 12"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("bank_bin", ["", "97040", "9704055", "97040A", "\u0669" * 6, "970405\n", 970405, None]),
        ("account", ["", "1" * 20, "12 34", "12-34", "ñ", "1\n", 123, None]),
        ("service", ["", "QRPUSH", "QRCASH", "qribftta"]),
        ("amount_vnd", [0, -1, 500_000_000, 10**5000, True, False, 1.0, 1.5, "1000"]),
        ("memo", ["a", "TIỀN", "A_B", "A" * 20, " A", "A ", " ", "A\n", "***", None]),
        ("bill_number", ["a", "Đ1", "A" * 26, " A", "A ", "***", "A\n"]),
        ("merchant_name", ["Đỗ", "A" * 26, " A", "A ", "A\n"]),
        ("merchant_city", ["Huế", "A" * 16, " A", "A "]),
        ("merchant_category", ["1", "12345", "ABCD", 4900]),
    ],
)
def test_what_cannot_be_written_is_refused(field, values):
    for value in values:
        with pytest.raises(VietQRError) as refusal:
            encode(replace(ACCOUNT, **{field: value}))

        assert refusal.value.code == f"bad_{field}"


@pytest.mark.parametrize("number", ["1" * 15, "97040311012345AB"])
def test_a_card_number_has_16_to_19_digits(number):
    with pytest.raises(VietQRError) as refusal:
        encode(replace(CARD, account=number))

    assert refusal.value.code == "bad_account"


def matching(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


transfers = st.builds(
    Transfer,
    bank_bin=matching("[0-9]{6}"),
    account=matching("[0-9A-Za-z]{1,19}"),
    amount_vnd=st.none() | st.integers(1, 499_999_999),
    memo=matching("([A-Z0-9]([A-Z0-9 ]{0,17}[A-Z0-9])?)?"),
    bill_number=matching("([A-Z0-9]([A-Z0-9 ./:+-]{0,23}[A-Z0-9])?)?"),
    merchant_name=matching("([!-~]([ -~]{0,23}[!-~])?)?"),
    merchant_city=matching("([!-~]([ -~]{0,13}[!-~])?)?"),
    merchant_category=matching("([0-9]{4})?"),
)


@given(transfers)
def test_what_is_written_is_read_back(transfer):
    read = decode(encode(transfer))

    assert read.transfer == transfer
    assert read.findings == ()


@given(transfers, st.data())
def test_a_code_with_one_wrong_character_is_refused(transfer, data):
    payload = encode(transfer)
    at = data.draw(st.integers(0, len(payload) - 5))
    wrong = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
    damaged = payload[:at] + wrong + payload[at + 1 :]

    if damaged != payload:
        with pytest.raises(VietQRError):
            decode(damaged)


fields = st.builds(
    lambda tag, value: f"{tag:02d}{len(value):02d}{value}",
    st.integers(0, 99),
    st.text(max_size=30) | matching("(0[0-9]0[1-9][A-Z0-9]{1,9}){0,4}"),
)
rows = st.lists(fields, max_size=8).map("".join)
crooked = st.one_of(
    st.text(max_size=MAX_PAYLOAD),
    st.text(alphabet="0123456789AQRIBFT", max_size=MAX_PAYLOAD),
    rows.map(lambda row: sealed(f"000201{row}".encode(errors="ignore").decode())),
    rows.map(lambda napas: vietqr(napas=napas.encode(errors="ignore").decode())),
    rows.map(lambda inner: vietqr(napas=f"0010A00000072701{len(inner):02d}{inner}0208QRIBFTTA")),
)


@given(crooked)
@example("\ud800")
@example("0" * MAX_PAYLOAD)
@example("0001" * 128)
def test_any_text_is_read_or_refused_and_nothing_else(text):
    with suppress(VietQRError):
        assert decode(text).tags["00"] == "01"
