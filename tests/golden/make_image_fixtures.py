"""Makes the image files of tests/data/images and what Pillow reads from them.

Run:  python tests/golden/make_image_fixtures.py
Needs Pillow 12.3.0. Each <file> is joined by <file>.rgb: int32 height and width, little-endian, then the
pixels that `ImageOps.exif_transpose(Image.open(file)).convert("RGB")` gives.
"""

import io
import pathlib
import struct
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps

OUT = pathlib.Path(__file__).parent.parent / "data" / "images"
WIDTH, HEIGHT = 21, 13
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def drawing(channels=3, depth=8):
    y, x, c = np.mgrid[0:HEIGHT, 0:WIDTH, 0:channels]
    most = 2**depth - 1
    value = (x * (5 + 2 * c) * 257 + y * (17 - 3 * c) * 301 + (x // 7) * (y // 5) * 4001) % 65536
    return (value * most // 65535).astype(np.uint16)


def image(mode):
    return Image.fromarray(drawing(len(Image.new(mode, (1, 1)).getbands())).astype(np.uint8).squeeze(), mode)


def rgb():
    return image("RGB")


def rgba():
    return image("RGBA")


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def write(name, data, expect=True):
    (OUT / name).write_bytes(data)
    if not expect:
        return
    with Image.open(io.BytesIO(data)) as opened:
        # Pillow clips grey of 16 bits to 8; vitrine keeps its high byte, as of every other kind.
        if opened.mode.startswith("I"):
            pixels = (np.asarray(opened).astype(np.uint32) >> 8).astype(np.uint8)
            upright = Image.fromarray(pixels)
        else:
            upright = ImageOps.exif_transpose(opened)
        pixels = np.asarray(upright.convert("RGB"))
    (OUT / (name + ".rgb")).write_bytes(struct.pack("<2i", *pixels.shape[:2]) + pixels.tobytes())


def save(name, picture, kind=None, expect=True, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind or name.rsplit(".", 1)[1].replace("jpg", "jpeg").replace("tif", "tiff"), **options)
    write(name, buffer.getvalue(), expect)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def pack_samples(samples, depth):
    """Rows of samples of 1 to 16 bits, padded to whole bytes."""
    rows = samples.reshape(samples.shape[0], -1)
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in rows]
    bits = (rows[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return [np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in bits]


def png(name, colour, depth, samples, interlaced=False, before=b"", between=b""):
    body = b""
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    for x, y, dx, dy in passes:
        part = samples[y::dy, x::dx]
        if part.size:
            body += b"".join(b"\0" + row for row in pack_samples(part, depth))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, int(interlaced))
    packed = zlib.compress(body)
    half = len(packed) // 2
    write(name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", packed[:half])
          + chunk(b"IDAT", packed[half:]) + between + chunk(b"IEND", b""))


def bmp(name, bits, rows, compression=0, palette=b"", masks=b"", height=HEIGHT, body=None):
    data = body if body is not None else b"".join(row + b"\0" * (-len(row) % 4) for row in rows)
    start = 54 + len(masks) + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, height, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0)
    write(name, b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + header + masks + palette + data)


def tiff(name, samples, bits, photometric, order="<", chunks=None, tags=(), planes=1, tile=None, compression=1):
    """Strips or tiles as given; `tags` are (tag, type, values)."""
    sizes = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4)}
    places, at = [], 8
    for part in chunks:
        places.append(at)
        at += len(part) + len(part) % 2
    lengths = [len(part) for part in chunks]
    entries = [(256, 3, [WIDTH]), (257, 3, [HEIGHT]), (258, 3, [bits] * samples), (259, 3, [compression]),
               (262, 3, [photometric]), (277, 3, [samples]), (284, 3, [planes])]
    if tile:
        entries += [(322, 3, [tile]), (323, 3, [tile]), (324, 4, places), (325, 4, lengths)]
    else:
        entries += [(273, 4, places), (278, 3, [-(-HEIGHT // (len(chunks) // (samples if planes == 2 else 1)))]),
                    (279, 4, lengths)]
    entries = sorted(entries + list(tags))
    directory, extra, extra_at = b"", b"", at + 2 + 12 * len(entries) + 4
    for tag, kind, values in entries:
        content = struct.pack(order + str(len(values)) + sizes[kind][0], *values)
        if len(content) <= 4:
            field = content.ljust(4, b"\0")
        else:
            field = struct.pack(order + "I", extra_at + len(extra))
            extra += content + b"\0" * (len(content) % 2)
        directory += struct.pack(order + "HHI", tag, kind, len(values)) + field
    body = b"".join(part + b"\0" * (len(part) % 2) for part in chunks)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    write(name, magic + struct.pack(order + "I", at) + body + struct.pack(order + "H", len(entries)) + directory
          + b"\0\0\0\0" + extra)


def make_jpegs():
    for orientation in range(1, 9):
        save(f"orientation_{orientation}.jpg", rgb(), exif=exif(orientation))
    for index, name in enumerate(["444", "422", "420"]):
        save(f"baseline_{name}.jpg", rgb(), subsampling=index, quality=90)
    save("progressive.jpg", rgb(), progressive=True, quality=92)
    save("restart.jpg", rgb(), restart_marker_blocks=1)
    save("grey.jpg", image("L"))
    save("grey_progressive.jpg", image("L"), progressive=True)
    save("rgb_stored.jpg", rgb(), keep_rgb=True)
    save("cmyk.jpg", image("CMYK"), quality=95)
    save("cmyk_progressive.jpg", image("CMYK"), progressive=True)
    ycck = bytearray((OUT / "cmyk.jpg").read_bytes())
    ycck[ycck.index(b"Adobe") + 11] = 2  # the same numbers, now luminance and colour differences
    write("ycck.jpg", bytes(ycck))
    write("trailing.jpg", (OUT / "baseline_420.jpg").read_bytes() + b"after the end")
    write("wrong_name.png", (OUT / "baseline_444.jpg").read_bytes())


def make_pngs():
    grey = drawing(1)
    save("grey_alpha.png", image("LA"))
    save("rgba.png", rgba())
    save("palette_transparent.png", rgb().quantize(16), transparency=3)
    save("rgb_transparent.png", rgb(), transparency=(1, 2, 3))
    save("animated.png", rgb(), save_all=True, append_images=[ImageOps.flip(rgb())])
    for orientation in range(1, 9):
        save(f"orientation_{orientation}.png", rgb(), exif=exif(orientation))
    for depth in (1, 2, 4):
        save(f"palette_{depth}.png", rgb().quantize(2**depth), bits=depth)
        png(f"grey_{depth}.png", 0, depth, drawing(1, depth))
    png("grey_16.png", 0, 16, drawing(1, 16))
    png("grey_alpha_16.png", 4, 16, drawing(2, 16))
    png("rgb_16.png", 2, 16, drawing(3, 16))
    png("rgba_16.png", 6, 16, drawing(4, 16))
    png("interlaced.png", 2, 8, drawing(), interlaced=True)
    png("interlaced_grey_1.png", 0, 1, drawing(1, 1), interlaced=True)
    # A colour profile that makes libpng warn, a comment, and pixels beyond the palette's end.
    text = chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile")) + chunk(b"tEXt", b"Comment\0text")
    png("bad_profile.png", 0, 8, grey, before=text, between=chunk(b"tIME", bytes(7)))


def make_webps():
    save("lossy.webp", rgb(), quality=90)
    save("lossless.webp", rgb(), lossless=True)
    save("lossy_alpha.webp", rgba(), quality=90)
    save("lossless_alpha.webp", rgba(), lossless=True, exact=True)
    save("animated.webp", rgb(), save_all=True, append_images=[ImageOps.flip(rgb())], expect=False)
    for orientation in range(1, 9):
        save(f"orientation_{orientation}.webp", rgb(), lossless=True, exif=exif(orientation))


def make_bmps():
    save("rgb.bmp", rgb())
    save("grey.bmp", image("L"))
    save("one_bit.bmp", image("L").convert("1"))
    save("palette.bmp", rgb().quantize(200))
    save("rgba.bmp", rgba())
    pixels = drawing().astype(np.uint32)
    flipped = pixels[::-1]
    bmp("top_down.bmp", 24, [row[:, ::-1].astype(np.uint8).tobytes() for row in pixels], height=-HEIGHT)
    bmp("555.bmp", 16, [((r[:, 0] >> 3) << 10 | (r[:, 1] >> 3) << 5 | r[:, 2] >> 3).astype("<u2").tobytes()
                        for r in flipped])
    bmp("565.bmp", 16, [((r[:, 0] >> 3) << 11 | (r[:, 1] >> 2) << 5 | r[:, 2] >> 3).astype("<u2").tobytes()
                        for r in flipped], compression=3, masks=struct.pack("<3I", 0xF800, 0x7E0, 0x1F))
    palette = b"".join(struct.pack("4B", 9 * i % 256, 77 * i % 256, 255 - 13 * i, 0) for i in range(16))
    runs = b""
    for y in range(HEIGHT):
        runs += bytes([7, y, 0, 5, 1, 2, 3, 4, y, 0, 9, 11, 0, 0])  # 7 alike, 5 told one by one, 9 alike, end of row
    bmp("rle8.bmp", 8, None, compression=1, palette=palette, body=runs + b"\0\1")
    runs = b""
    for y in range(HEIGHT):
        # An even count is told one by one: Pillow 12.3 misreads odd ones.
        runs += bytes([8, 0x3A, 0, 6, 0x12, 0x34, 0x50 + y, 0, 7, 0x0B, 0, 0])
    bmp("rle4.bmp", 4, None, compression=2, palette=palette, body=runs + b"\0\1")


def make_tiffs():
    raw = drawing().astype(np.uint8)
    for name, compression in [("plain", None), ("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate"),
                              ("packbits", "packbits")]:
        save(f"{name}.tif", rgb(), compression=compression)
    save("lzw_predictor.tif", rgb(), compression="tiff_lzw", tiffinfo={317: 2})
    noise = np.random.default_rng(1).integers(0, 256, (70, 80), np.uint8)
    save("lzw_long.tif", Image.fromarray(noise), compression="tiff_lzw")  # fills the table
    save("grey.tif", image("L"))
    save("one_bit.tif", image("L").convert("1"))
    save("palette.tif", rgb().quantize(100))
    save("rgba.tif", rgba())
    save("cmyk.tif", image("CMYK"))
    save("pages.tif", rgb(), save_all=True, append_images=[ImageOps.flip(rgb())])
    save("grey_16.tif", Image.fromarray(drawing(1, 16).squeeze()))
    for orientation in range(1, 9):
        tiff(f"orientation_{orientation}.tif", 3, 8, 2, chunks=[raw.tobytes()], tags=[(274, 3, [orientation])])
    strips = [raw[i:i + 5].tobytes() for i in (0, 5, 10)]
    tiff("big_endian.tif", 3, 8, 2, order=">", chunks=strips)
    tiff("white_is_zero.tif", 1, 8, 0, chunks=[drawing(1).astype(np.uint8).tobytes()])
    tiff("planes.tif", 3, 8, 2, planes=2,
         chunks=[zlib.compress(raw[..., c].tobytes()) for c in range(3)], compression=8)
    padded = np.zeros((16, 32, 3), np.uint8)
    padded[:HEIGHT, :WIDTH] = raw
    tiff("tiles.tif", 3, 8, 2, tile=16, compression=8,
         chunks=[zlib.compress(padded[:, x:x + 16].tobytes()) for x in (0, 16)])
    four = drawing(4).astype(np.uint8)
    tiff("premultiplied.tif", 4, 8, 2, chunks=[four.tobytes()], tags=[(338, 3, [1])])
    wide = drawing(3, 16)
    tiff("rgb_16.tif", 3, 16, 2, chunks=[wide.astype("<u2").tobytes()])
    difference = np.diff(wide.astype(np.int64), axis=1, prepend=0).astype(np.uint16)
    tiff("rgb_16_predictor.tif", 3, 16, 2, order=">", chunks=[zlib.compress(difference.astype(">u2").tobytes())],
         tags=[(317, 3, [2])], compression=8)


def main():
    assert PIL.__version__ == "12.3.0", PIL.__version__
    OUT.mkdir(parents=True, exist_ok=True)
    make_jpegs()
    make_pngs()
    make_webps()
    make_bmps()
    make_tiffs()
    save("picture.gif", rgb(), expect=False)
    files = list(OUT.iterdir())
    print(len(files), "files,", sum(file.stat().st_size for file in files), "bytes")


if __name__ == "__main__":
    main()
