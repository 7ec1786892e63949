"""The label of one box as PDF or PNG: what an owner needs to reach it, and a strip for the installer."""

import collections
import io

import fpdf
import segno
from PIL import Image, ImageDraw, ImageFont

WIDTH_MM, HEIGHT_MM, MARGIN_MM = 62, 100, 5  # of the owner's part
STRIP_MM = 14  # below it, to be cut off: the installer's part
SIZE = f"{WIDTH_MM} x {HEIGHT_MM + STRIP_MM} mm"
ROOM_MM = WIDTH_MM - 2 * MARGIN_MM
SIDE_MM = 26  # of a QR code with its quiet zone
QUIET = 4  # modules around a QR code (ISO/IEC 18004)
CAPTION_MM, VALUE_MM, LEAST_MM = 2.5, 4.0, 3.2  # heights of letters; a value that does not fit at the least is broken
PT_PER_MM = 72 / 25.4
DPI = 300

Facts = collections.namedtuple("Facts", "box address password ap_name ap_secret installer_code")
Facts.__doc__ = "What stands on a label."


def wifi_payload(name, secret):
    """Text of a QR code that takes a phone into a WPA network."""
    return f"WIFI:T:WPA;S:{escaped(name)};P:{escaped(secret)};;"


def escaped(text):
    """The marks that the format uses itself, behind a backslash."""
    return "".join("\\" + mark if mark in '\\;,:"' else mark for mark in text)


def matrix_of(payload):
    """Rows of a QR code, quiet zone included; 1 is dark."""
    code = segno.make(payload, error="m", micro=False)
    return [list(row) for row in code.matrix_iter(border=QUIET)]


class PdfPaper:
    """Draws in mm into a PDF of one page; letters stay letters."""

    FONTS = {True: ("courier", "B"), False: ("helvetica", "")}

    def __init__(self):
        self._pdf = fpdf.FPDF(unit="mm", format=(WIDTH_MM, HEIGHT_MM + STRIP_MM))
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margin(0)
        self._pdf.set_title("ebb label")
        self._pdf.add_page()

    def width_mm(self, words, size_mm, is_value):
        """Width of a line."""
        self._pdf.set_font(*self.FONTS[is_value], size=size_mm * PT_PER_MM)
        return self._pdf.get_string_width(words)

    def line(self, words, at_mm, size_mm, is_value):
        """One line; at_mm: (left, top)."""
        self._pdf.set_font(*self.FONTS[is_value], size=size_mm * PT_PER_MM)
        self._pdf.text(at_mm[0], at_mm[1] + size_mm * 0.8, words)

    def code(self, matrix, at_mm):
        """A QR code."""
        module_mm = SIDE_MM / len(matrix)
        for y, row in enumerate(matrix):
            for x, is_dark in enumerate(row):
                if is_dark:
                    place = (at_mm[0] + x * module_mm, at_mm[1] + y * module_mm)
                    self._pdf.rect(*place, module_mm * 1.02, module_mm * 1.02, style="F")

    def content(self):
        """Bytes of the file."""
        return bytes(self._pdf.output())


class PngPaper:
    """Draws in mm into a picture."""

    def __init__(self):
        self._image = Image.new("L", (self._dots(WIDTH_MM), self._dots(HEIGHT_MM + STRIP_MM)), 255)
        self._draw = ImageDraw.Draw(self._image)

    @staticmethod
    def _dots(length_mm):
        return round(length_mm / 25.4 * DPI)

    def _font(self, size_mm):
        return ImageFont.load_default(self._dots(size_mm))

    def width_mm(self, words, size_mm, is_value):
        """Width of a line."""
        return self._draw.textlength(words, font=self._font(size_mm)) / DPI * 25.4

    def line(self, words, at_mm, size_mm, is_value):
        """One line; at_mm: (left, top)."""
        self._draw.text(tuple(map(self._dots, at_mm)), words, fill=0, font=self._font(size_mm))

    def code(self, matrix, at_mm):
        """A QR code, its modules whole dots."""
        size = self._dots(SIDE_MM) // len(matrix)
        left, top = (self._dots(one) + (self._dots(SIDE_MM) - size * len(matrix)) // 2 for one in at_mm)
        for y, row in enumerate(matrix):
            for x, is_dark in enumerate(row):
                if is_dark:
                    place = (left + x * size, top + y * size)
                    self._draw.rectangle((*place, place[0] + size - 1, place[1] + size - 1), fill=0)

    def content(self):
        """Bytes of the file."""
        made = io.BytesIO()
        self._image.save(made, "PNG", dpi=(DPI, DPI))
        return made.getvalue()


PAPERS = {".pdf": PdfPaper, ".png": PngPaper}


def broken(paper, words):
    """(lines, height of their letters): the words in the room, smaller or on two lines where they must be."""
    wanted_mm = VALUE_MM * min(1, ROOM_MM / paper.width_mm(words, VALUE_MM, True))
    if wanted_mm >= LEAST_MM:
        return [words], wanted_mm
    lines = [""]
    for mark in words:
        if paper.width_mm(lines[-1] + mark, LEAST_MM, True) > ROOM_MM:
            lines.append("")
        lines[-1] += mark
    return lines, LEAST_MM


def drawn(facts, suffix):
    """Bytes of the label of these Facts; suffix: ".pdf" or ".png"."""
    paper = PAPERS[suffix]()
    paper.line("ebb", (MARGIN_MM, 4), 6, False)
    top_mm = 12.0
    for caption, words in (
        ("Box", facts.box),
        ("Page of the box", facts.address),
        ("Password of the page", facts.password),
        ("Wi-Fi of the box, for setting it up", facts.ap_name),
        ("Password of this Wi-Fi", facts.ap_secret),
    ):
        paper.line(caption, (MARGIN_MM, top_mm), CAPTION_MM, False)
        top_mm += CAPTION_MM + 0.7
        lines, size_mm = broken(paper, words)
        for line in lines:
            paper.line(line, (MARGIN_MM, top_mm), size_mm, True)
            top_mm += size_mm + 0.5
        top_mm += 1.5
    codes_mm = HEIGHT_MM - SIDE_MM - 3
    for left_mm, caption, payload in (
        (MARGIN_MM - 2, "1. Join its Wi-Fi", wifi_payload(facts.ap_name, facts.ap_secret)),
        (WIDTH_MM - MARGIN_MM + 2 - SIDE_MM, "2. Open its page", facts.address),
    ):
        paper.line(caption, (left_mm + 2, codes_mm - CAPTION_MM - 1), CAPTION_MM, False)
        paper.code(matrix_of(payload), (left_mm, codes_mm))
    for words, down_mm, size_mm, is_value in (
        ("- " * 37, 0, CAPTION_MM, False),
        ("For the installer: cut off and keep. Code:", 3, CAPTION_MM, False),
        (facts.installer_code, 6, VALUE_MM, True),
        (facts.box, 10.5, CAPTION_MM, False),
    ):
        paper.line(words, (MARGIN_MM, HEIGHT_MM + down_mm), size_mm, is_value)
    return paper.content()
