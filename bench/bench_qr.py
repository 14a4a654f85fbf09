"""Measure QR pictures: our encoder beside segno and qrcode, for pages and for printed slips.

    python -m bench.bench_qr            time, size and modules of each way
    python -m bench.bench_qr --reading  how well zxing reads worn prints of each mask

Every way draws the same distinct transfer payloads. Rounds are interleaved, so that a busy machine
slows all ways alike; a figure is the median of the rounds.
"""

import argparse
import gzip
import io
import random
import statistics
import time
from collections.abc import Callable

import qrcode
import segno
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from common import qr
from payments.payment_code import new_code
from payments.vietqr import Transfer, encode

ROUNDS = 7
PICTURES = 20
SLIPS = 60
SIDE = 110  # points
RANDOM = random.Random(7)


def payloads(count: int) -> list[str]:
    return [
        encode(
            Transfer(
                "970405",
                f"{RANDOM.randrange(10**13):013d}",
                amount_vnd=RANDOM.randrange(10, 3_000) * 1_000,
                memo=new_code(RANDOM.randrange(10**6)),
            )
        )
        for _ in range(count)
    ]


def parts(payload: str):
    return [(part.decode(),) for _, part in qr._segments(payload.encode())]


def segno_split(payload: str, mask: int | None = 1):
    return segno.make_qr(parts(payload), error="m", mask=mask, boost_error=False)


def qrcode_code(payload: str, mask: int | None = None):
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, mask_pattern=mask, border=0)
    code.add_data(payload)
    return code.get_matrix()


def saved(save, **options) -> bytes:
    buffer = io.BytesIO()
    save(buffer, **options)
    return buffer.getvalue()


PICTURE_WAYS: dict[str, Callable] = {
    "qrcode.make, PNG": lambda p: saved(qrcode.make(p).save),
    "qrcode matrix": qrcode_code,
    "qrcode matrix, mask fixed": lambda p: qrcode_code(p, 1),
    "segno.make, matrix": lambda p: segno.make_qr(p, error="m").matrix,
    "segno.make, SVG": lambda p: saved(segno.make_qr(p, error="m").save, kind="svg"),
    "segno split + mask fixed, matrix": lambda p: segno_split(p).matrix,
    "segno split + mask fixed, SVG": lambda p: saved(segno_split(p).save, kind="svg"),
    "ours, symbol": qr.symbol,
    "ours, matrix": qr.matrix,
    "ours, runs": qr.runs,
    "ours, SVG": qr.svg,
    "ours, PNG scale 12": qr.png,
    "ours, PDF operators": lambda p: qr.pdf_operators(p, left=40, bottom=40, side=SIDE),
}


def draw_image(canvas: Canvas, payload: str, left: float, bottom: float) -> None:
    picture = ImageReader(qrcode.make(payload).get_image())
    canvas.drawImage(picture, left, bottom, SIDE, SIDE)


def draw_boxes(canvas: Canvas, left: float, bottom: float, size: int, runs) -> None:
    canvas.saveState()
    canvas.translate(left, bottom)
    module = SIDE / (size + 8)
    canvas.scale(module, module)
    path = canvas.beginPath()
    for x, y, length in runs:
        path.rect(x + 4, size + 3 - y, length, 1)
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.restoreState()


def draw_segno(canvas: Canvas, payload: str, left: float, bottom: float) -> None:
    matrix = segno_split(payload).matrix
    runs = [(x, y, 1) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark]
    draw_boxes(canvas, left, bottom, len(matrix), runs)


def draw_runs(canvas: Canvas, payload: str, left: float, bottom: float) -> None:
    symbol = qr.symbol(payload)
    draw_boxes(canvas, left, bottom, symbol.size, symbol.runs())


def draw_operators(canvas: Canvas, payload: str, left: float, bottom: float) -> None:
    canvas.addLiteral(qr.pdf_operators(payload, left=left, bottom=bottom, side=SIDE))


SLIP_WAYS = {
    "qrcode.make + drawImage": draw_image,
    "segno split + mask fixed + path": draw_segno,
    "ours, runs + path": draw_runs,
    "ours, operators + addLiteral": draw_operators,
}


def pdf(draw, texts: list[str]) -> bytes:
    """Print four slips on a page, and nothing but their QR pictures."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, pageCompression=1)
    for number, text in enumerate(texts):
        draw(canvas, text, 400, 640 - number % 4 * 200)
        if number % 4 == 3:
            canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1_000


def medians(ways: dict[str, Callable[[list[str]], object]], count: int) -> dict[str, float]:
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for draw in ways.values():
        draw(payloads(1))
    for _ in range(ROUNDS):
        texts = payloads(count)
        for name, draw in ways.items():
            rounds[name].append(milliseconds(lambda d=draw, t=texts: d(t)) / count)
    return {name: statistics.median(times) for name, times in rounds.items()}


def table(title: str, rows: dict[str, float], sizes: dict[str, str]) -> None:
    slowest = next(iter(rows.values()))
    print(f"\n| {title} | ms | rate | |\n|---|---|---|---|")
    for name, each in rows.items():
        print(f"| {name} | {each:.3f} | {slowest / each:.1f} × | {sizes.get(name, '')} |")


def measure() -> None:
    [sample] = payloads(1)
    pictures = {
        name: lambda texts, draw=draw: [draw(text) for text in texts]
        for name, draw in PICTURE_WAYS.items()
    }
    sizes = {}
    for name, draw in PICTURE_WAYS.items():
        drawn = draw(sample)
        if "matrix" in name:
            sizes[name] = f"{len(drawn)} modules"
        elif isinstance(drawn, str | bytes):
            content = drawn.encode() if isinstance(drawn, str) else drawn
            sizes[name] = f"{len(content)} bytes, gzip {len(gzip.compress(content))}"
    table(f"picture of {len(sample)} characters", medians(pictures, PICTURES), sizes)

    slips = {name: lambda texts, draw=draw: pdf(draw, texts) for name, draw in SLIP_WAYS.items()}
    texts = payloads(SLIPS)
    sizes = {
        name: f"{len(pdf(draw, texts)) // SLIPS} bytes a slip" for name, draw in SLIP_WAYS.items()
    }
    table("QR on a printed slip", medians(slips, SLIPS), sizes)


def worn(rows: list[str], noise: random.Random) -> Image.Image:
    """Print small, turn, blur and spoil a symbol."""
    size = len(rows)
    picture = Image.new("L", (size + 8, size + 8), 255)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark == "1":
                picture.putpixel((x + 4, y + 4), 0)
    picture = picture.resize(((size + 8) * 3,) * 2, Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(picture)
    for _ in range(5):
        x, y = noise.randrange(24, picture.width - 24), noise.randrange(24, picture.width - 24)
        draw.ellipse((x, y, x + 8, y + 8), fill=noise.choice((0, 255)))
    angle = noise.uniform(-12, 12)
    turned = picture.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    return turned.filter(ImageFilter.GaussianBlur(1.1))


def reading() -> None:
    """Count how often worn prints are read: the mask of the standard, and each fixed one."""
    texts = payloads(300)
    for mask in (None, *range(8)):
        read = 0
        for number, text in enumerate(texts):
            matrix = segno_split(text, mask).matrix
            rows = ["".join(map(str, row)) for row in matrix]
            found = zxingcpp.read_barcode(worn(rows, random.Random(number)))
            read += found is not None and found.text == text
        name = "chosen by penalty" if mask is None else f"{mask}"
        print(f"mask {name}: {read} of {len(texts)} worn prints read")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--reading", action="store_true")
    reading() if options.parse_args().reading else measure()
