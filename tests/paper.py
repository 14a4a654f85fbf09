"""Reading printed sheets as their readers do: the text layer, and the codes under a scanner."""

from io import BytesIO

import pypdfium2
import zxingcpp
from pypdf import PdfReader


def page_texts(pdf: bytes) -> list[str]:
    """Give the text layer of each page."""
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


def page_codes(pdf: bytes, *, dots_per_inch: int = 150) -> list[list[str]]:
    """Draw each page in grey and give what a reader of codes finds on it, from the top."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        found = []
        for page in document:
            picture = page.render(scale=dots_per_inch / 72, grayscale=True).to_pil()
            codes = sorted(
                zxingcpp.read_barcodes(picture), key=lambda code: code.position.top_left.y
            )
            found.append([code.text for code in codes])
        return found
    finally:
        document.close()


def page_sizes(pdf: bytes) -> list[tuple[int, int]]:
    """Give each page's width and height in whole millimetres."""
    pages = PdfReader(BytesIO(pdf)).pages
    return [
        (round(page.mediabox.width * 25.4 / 72), round(page.mediabox.height * 25.4 / 72))
        for page in pages
    ]
