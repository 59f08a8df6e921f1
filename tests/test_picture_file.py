"""Pictures with transparency, 16 bits, colour profiles or turned by their camera, through ``image --save``."""

from __future__ import annotations

import os
import threading
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from streamer.config import load_config
from streamer.errors import ImageError, OutputError
from streamer.picture_file import read_picture
from streamer.settings import with_values
from streamer.stills import analyze_pictures
from tests.disk import disk_full_after

FACE = np.s_[90:170, 190:265]  # of the astronaut
FAR = np.s_[300:, 350:]
TURNED = bytes.fromhex("0000001a65584966") + b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\3\0\0\0\0\0\0"
TURNED += zlib.crc32(TURNED[4:]).to_bytes(4, "big")  # a PNG's word that it is to be turned by half a turn
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def dress(tmp_path: Path, look: str, *names: str) -> Path:
    config = with_values(load_config(), {"effects.look": look})
    assert analyze_pictures([tmp_path / name for name in names], config, json=None, save=tmp_path / "out") == 0
    return tmp_path / "out"


def blackened(image: np.ndarray) -> np.ndarray:
    """What a test draws: a bar over the upper left quarter."""
    drawn = image.copy()
    drawn[: len(image) // 2, : image.shape[1] // 2] = 0
    return drawn


def cut_out(astronaut: np.ndarray) -> np.ndarray:
    """The portrait as BGRA: opaque around the head, soft at the edge, nothing beyond."""
    alpha = cv2.ellipse(np.zeros((512, 512), np.uint8), (225, 140), (110, 130), 0, 0, 360, 255, -1)
    return np.dstack([astronaut, cv2.blur(alpha, (9, 9))])


def test_a_cut_out_portrait_stays_one(tmp_path: Path, astronaut: np.ndarray) -> None:
    before = cut_out(astronaut)
    cv2.imwrite(str(tmp_path / "cut.png"), before)
    after = cv2.imread(str(dress(tmp_path, "natural, lipstick=1", "cut.png") / "cut.png"), cv2.IMREAD_UNCHANGED)
    assert after.shape == before.shape
    assert np.array_equal(after[..., 3], before[..., 3])
    assert np.array_equal(after[FAR], before[FAR])
    assert (after != before).any(2)[FACE].mean() > 0.3
    assert np.abs(after[FACE].astype(int) - before[FACE]).mean() < 20


def ramp(depth: type[np.unsignedinteger]) -> np.ndarray:
    """Alpha from nothing to opaque, left to right."""
    return np.linspace(0, np.iinfo(depth).max, 512).round().astype(depth)[None].repeat(512, 0)


def keep_transparent(folder: Path, astronaut: np.ndarray) -> dict[str, np.ndarray]:
    """Pictures with such an alpha: their files, and the alpha as they show it."""
    noise = np.random.default_rng(1).integers(0, 257, astronaut.shape)
    deep = (astronaut.astype(np.uint32) * 256 + noise).clip(0, 65535).astype(np.uint16)
    grey = cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY)
    cv2.imwrite(str(folder / "colour.png"), np.dstack([astronaut, ramp(np.uint8)]))
    cv2.imwrite(str(folder / "deep.png"), np.dstack([deep, ramp(np.uint16)]))
    Image.fromarray(np.dstack([grey, ramp(np.uint8)]), "LA").save(folder / "grey.png")
    upside_down = np.dstack([deep, ramp(np.uint16)])[::-1, ::-1]
    data = cv2.imencode(".png", upside_down)[1].tobytes()
    (folder / "turned.png").write_bytes(data[:33] + TURNED + data[33:])
    shallow, full = ramp(np.uint8), ramp(np.uint16)
    return {"colour.png": shallow, "deep.png": full, "grey.png": shallow, "turned.png": full}


@pytest.mark.parametrize("look", ["tone", "glam, cartoon", "skin=0"])
def test_effects_leave_transparency_alone(tmp_path: Path, astronaut: np.ndarray, look: str) -> None:
    alphas = keep_transparent(tmp_path, astronaut)
    out = dress(tmp_path, look, *alphas)
    for name, alpha in alphas.items():
        after = cv2.imread(str(out / name), cv2.IMREAD_UNCHANGED)
        assert after.dtype == alpha.dtype
        assert np.array_equal(after[..., 3], alpha), name
        if name != "turned.png":
            before = cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED)
            assert np.array_equal(after[FAR], before[FAR])
            assert ((after != before).any(2)[FACE].mean() > 0.3) == (look != "skin=0")


def test_boxes_leave_transparency_alone_where_they_are_not(tmp_path: Path, astronaut: np.ndarray) -> None:
    alphas = keep_transparent(tmp_path, astronaut)
    out = dress(tmp_path, "", *alphas)
    for name, alpha in alphas.items():
        after = cv2.imread(str(out / name), cv2.IMREAD_UNCHANGED)[..., 3]
        changed = np.argwhere(after != alpha)
        assert 500 < len(changed) < 0.1 * alpha.size
        assert changed.min() > 20, "about the face"
        assert changed.max() < 300
        assert (after[after != alpha] > alpha[after != alpha]).mean() > 0.99


def test_a_face_that_is_bent_draws_in_no_hidden_colours(tmp_path: Path, astronaut: np.ndarray) -> None:
    alpha = cv2.ellipse(np.zeros((512, 512), np.uint8), (225, 125), (42, 62), 0, 0, 360, 255, -1)  # close to the face
    for name, beyond in (("black.png", 0), ("green.png", (0, 255, 0))):
        cv2.imwrite(str(tmp_path / name), np.dstack([np.where(alpha[..., None] > 0, astronaut, beyond), alpha]))
    out = dress(tmp_path, "slim=1, v_line=1", "black.png", "green.png")
    black, green = (cv2.imread(str(out / name), cv2.IMREAD_UNCHANGED) for name in ("black.png", "green.png"))
    assert (black[..., :3] != astronaut).any(2)[alpha > 0].mean() > 0.2
    assert np.array_equal(black[alpha > 0], green[alpha > 0])


def test_what_is_drawn_beyond_the_cut_out_is_seen(tmp_path: Path, astronaut: np.ndarray) -> None:
    before = cut_out(astronaut)
    cv2.imwrite(str(tmp_path / "cut.png"), before)
    after = cv2.imread(str(dress(tmp_path, "hat", "cut.png") / "cut.png"), cv2.IMREAD_UNCHANGED)
    crown = np.s_[2:8, 200:260]  # above the head, where nothing was
    assert before[crown][..., 3].max() < 128
    assert after[crown][..., 3].min() == 255
    assert after[crown][..., :3].mean() < 80, "the black hat, not a mixture with what is hidden behind"
    assert np.array_equal(after[400:], before[400:])


def test_a_cover_leaves_nothing_that_is_not_seen(tmp_path: Path, astronaut: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "cut.png"), cut_out(astronaut))
    after = cv2.imread(str(dress(tmp_path, "pixelate", "cut.png") / "cut.png"), cv2.IMREAD_UNCHANGED)
    assert not after[after[..., 3] == 0].any(), "what the transparency hid is gone"
    assert cv2.Laplacian(after[FACE][..., :3], cv2.CV_64F).std() < 15


def test_sixteen_bits_stay_where_nothing_is_drawn(tmp_path: Path, astronaut: np.ndarray) -> None:
    noise = np.random.default_rng(1).integers(0, 257, astronaut.shape)
    before = (astronaut.astype(np.uint32) * 256 + noise).clip(0, 65535).astype(np.uint16)
    for name in ("deep.png", "deep.tiff"):
        cv2.imwrite(str(tmp_path / name), before)
    out = dress(tmp_path, "natural", "deep.png", "deep.tiff")
    for name in ("deep.png", "deep-2.png"):
        after = cv2.imread(str(out / name), cv2.IMREAD_UNCHANGED)
        assert after.dtype == np.uint16
        assert np.array_equal(after[FAR], before[FAR])
        assert (after != before).any(2)[FACE].mean() > 0.3
        assert np.abs(after[FACE].astype(int) - before[FACE]).mean() < 20 * 257
    covered = cv2.imread(str(dress(tmp_path, "blur", "deep.png") / "deep.png"), cv2.IMREAD_UNCHANGED)
    assert covered.dtype == np.uint8, "finer steps could tell what the cover hides"


def test_a_photograph_comes_out_upright_in_its_colours_and_without_its_secrets(
    tmp_path: Path, astronaut: np.ndarray
) -> None:
    data = Image.Exif()
    data[0x0112], data[0x010F] = 6, "Camera"  # turned by a quarter, and who made it
    photo = Image.fromarray(np.rot90(astronaut[..., ::-1]).copy())
    photo.save(tmp_path / "photo.JPG", "JPEG", exif=data, icc_profile=PROFILE, quality=95)
    out = dress(tmp_path, "lipstick=0.2", "photo.JPG")
    with Image.open(out / "photo.JPG") as after:
        assert (after.format, after.size) == ("JPEG", (512, 512))
        assert after.info["icc_profile"] == PROFILE
        assert not after.getexif()
        difference = np.abs(np.asarray(after)[..., ::-1].astype(int) - astronaut)
    assert difference.mean() < 4, "upright"


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "I;16"])
def test_grey_and_other_pictures_are_usable(tmp_path: Path, astronaut: np.ndarray, mode: str) -> None:
    photo = Image.fromarray(astronaut[..., ::-1].copy())
    name = "photo.jpg" if mode == "CMYK" else "photo.png"
    if mode == "I;16":
        cv2.imwrite(str(tmp_path / name), cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY).astype(np.uint16) * 257)
    else:
        converted = photo.quantize(64) if mode == "P" else photo.convert(mode)
        converted.save(tmp_path / name, **({"icc_profile": b"x" * 16 + b"CMYK" + b"x" * 200} if mode == "CMYK" else {}))
    with Image.open(dress(tmp_path, "lipstick=1", name) / name) as after:
        assert after.mode == "RGB"
        assert "icc_profile" not in after.info
        red, green, _ = np.asarray(after)[142:160, 205:245].reshape(-1, 3).T.astype(int)
    assert (red - green).max() > 30


def test_the_first_picture_of_an_animation_is_taken(tmp_path: Path, astronaut: np.ndarray) -> None:
    first, second = (Image.fromarray(picture[..., ::-1].copy()) for picture in (astronaut, astronaut[:, ::-1]))
    first.save(tmp_path / "moving.gif", save_all=True, append_images=[second], duration=100)
    after = cv2.imread(str(dress(tmp_path, "lipstick=1", "moving.gif") / "moving.png"))
    assert np.abs(after.astype(int) - astronaut).mean() < 10


def test_transparent_pictures_are_seen_on_white(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((4, 4, 4), np.uint8))
    picture = read_picture(tmp_path / "x.png")
    assert (picture.image == 255).all()
    picture.save(tmp_path / "y.png", cover=blackened)
    after = cv2.imread(str(tmp_path / "y.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(after[..., 3], np.pad(np.full((2, 2), 255, np.uint8), ((0, 2), (0, 2))))


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, astronaut: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), astronaut)
    (tmp_path / "old.png").write_bytes(b"old")
    with (
        disk_full_after(10_000),
        pytest.raises(OutputError, match=r"cannot write .*old\.png: the (disk is full|file has)"),
    ):
        read_picture(tmp_path / "x.png").save(tmp_path / "old.png", cover=blackened)
    assert (tmp_path / "old.png").read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"x.png", "old.png"}


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    for path, says in (
        (Path("/dev/zero"), "is a device, not a picture"),
        (tmp_path, "cannot be read: Is a directory"),
        (tmp_path / ("x" * 300), "cannot be read: File name too long"),
    ):
        with pytest.raises(ImageError, match=says):
            read_picture(path)


def test_a_picture_may_come_through_a_pipe(astronaut: np.ndarray) -> None:
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(cv2.imencode(".png", astronaut)[1].tobytes())

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert np.array_equal(read_picture(Path(f"/dev/fd/{reading}")).image, astronaut)
    finally:
        thread.join()
        os.close(reading)
