"""Pictures: order, sizes, orientation, damage, size limits."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from streamer.config import SourceConfig
from streamer.errors import ImageError, NoVideoError, SourceNotFoundError, UndecodableError
from streamer.sources import open_source
from streamer.sources.images import read_image


def images(spec, **options):
    return open_source(str(spec), SourceConfig(**options), realtime=False)


def save(path, value, shape=(40, 60)):
    cv2.imwrite(str(path), np.full((*shape, 3), value, np.uint8))


@pytest.fixture
def folder(tmp_path):
    """Pictures 1, 2 and 10 of different sizes, a damaged one, an empty one and a stranger."""
    save(tmp_path / "shot10.png", 100, (30, 30))
    save(tmp_path / "shot2.png", 20)
    save(tmp_path / "shot1.png", 10, (1, 1))
    whole = (tmp_path / "shot2.png").read_bytes()
    (tmp_path / "shot3.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "shot4.jpg").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def values(frames):
    return [int(frame.image[0, 0, 0]) for frame in frames]


def test_folder_in_natural_order(folder, drain):
    (folder / "shot3.png").unlink()
    source = images(folder, image_seconds=0.5)
    frames = drain(source)
    assert values(frames) == [10, 20, 100]
    assert [f.pts for f in frames] == [0.0, 0.5, 1.0]
    assert frames[0].image.shape == (1, 1, 3)
    assert source.size == (1, 1)
    assert source.stats.corrupt == 1
    assert not frames[0].image.flags.writeable


def test_a_single_picture_has_no_length_and_nothing_to_search(folder, drain):
    source = images(folder / "shot2.png")
    assert len(drain(source)) == 1
    assert (source.still, source.duration, source.seekable) == (True, 0.0, False)


def test_truncated_picture_is_skipped(folder, drain):
    source = images(folder)
    assert values(drain(source))[-1] == 100
    assert source.stats.corrupt == 2


def test_glob(folder, drain):
    assert values(drain(images(folder / "shot1*.png"))) == [10, 100]


def test_loop_and_start(folder, drain):
    frames = drain(images(folder / "shot1*.png", loop=True, start=1.0, image_seconds=1.0), limit=3)
    assert values(frames) == [100, 100, 100]
    assert [f.pts for f in frames] == [1.0, 2.0, 3.0]


def test_single_picture(tmp_path, astronaut, drain):
    cv2.imwrite(str(tmp_path / "a.png"), astronaut)
    frames = drain(images(tmp_path / "a.png"))
    assert len(frames) == 1
    assert np.array_equal(frames[0].image, astronaut)


def test_exif_orientation(tmp_path, astronaut):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    Image.fromarray(astronaut[:200, :, ::-1]).save(tmp_path / "a.jpg", exif=exif, quality=95)
    expected = cv2.rotate(astronaut[:200], cv2.ROTATE_90_CLOCKWISE)
    assert cv2.PSNR(read_image(tmp_path / "a.jpg"), expected) > 30


@pytest.mark.parametrize("kind", ["gray", "alpha", "deep"])
def test_other_pixels_become_bgr(tmp_path, kind):
    pixels = {
        "gray": np.full((5, 7), 90, np.uint8),
        "alpha": np.full((5, 7, 4), 90, np.uint8),
        "deep": np.full((5, 7, 3), 90 * 257, np.uint16),
    }[kind]
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    image = read_image(tmp_path / "a.png")
    assert image.shape == (5, 7, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - 90).max() <= 1


def png_header(width, height):
    """A PNG that claims a size and holds next to nothing: a decompression bomb."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(20000, 20000), (20000, 10), (15000, 15000)])
def test_too_large(tmp_path, size, recwarn):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(*size))
    with pytest.raises(ImageError, match="too large"):
        read_image(path)
    assert not recwarn.list


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xd8\xff\xe0 half a jpeg"])
def test_damaged(tmp_path, data):
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageError):
        read_image(path)
    with pytest.raises(UndecodableError):
        images(path).open()


def test_missing_picture(tmp_path):
    with pytest.raises(ImageError, match=r"no picture .*a\.jpg"):
        read_image(tmp_path / "a.jpg")
    with pytest.raises(SourceNotFoundError):
        images(tmp_path / "*.jpg").open()


def test_folder_without_pictures(tmp_path):
    with pytest.raises(NoVideoError, match="no pictures"):
        images(tmp_path).open()
