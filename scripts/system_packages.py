#!/usr/bin/env python3
"""Make sure that the system libraries and programs facestream needs are there.

Usage: system_packages.py run|test

Looks for the libraries themselves, not for package names, so nothing happens on a desktop that has them. What is
missing is installed with apt when this runs as root or sudo asks for no password; otherwise the one line to run is
printed. Runs on the system's bare python3: standard library only.
"""

from __future__ import annotations

import ctypes
import glob
import os
import shutil
import subprocess
import sys

# Debian package: a library that it brings. Found by ldd on the wheels of opencv-python and PyQt5 (its xcb plugin).
LIBRARIES = {
    "libgl1": "libGL.so.1",
    "libglib2.0-0": "libgthread-2.0.so.0",
    "libdbus-1-3": "libdbus-1.so.3",
    "libfontconfig1": "libfontconfig.so.1",
    "libfreetype6": "libfreetype.so.6",
    "libx11-6": "libX11.so.6",
    "libx11-xcb1": "libX11-xcb.so.1",
    "libxext6": "libXext.so.6",
    "libxcb1": "libxcb.so.1",
    "libxcb-icccm4": "libxcb-icccm.so.4",
    "libxcb-image0": "libxcb-image.so.0",
    "libxcb-keysyms1": "libxcb-keysyms.so.1",
    "libxcb-randr0": "libxcb-randr.so.0",
    "libxcb-render0": "libxcb-render.so.0",
    "libxcb-render-util0": "libxcb-render-util.so.0",
    "libxcb-shape0": "libxcb-shape.so.0",
    "libxcb-shm0": "libxcb-shm.so.0",
    "libxcb-sync1": "libxcb-sync.so.1",
    "libxcb-xfixes0": "libxcb-xfixes.so.0",
    "libxcb-xinerama0": "libxcb-xinerama.so.0",
    "libxcb-xkb1": "libxcb-xkb.so.1",
    "libxkbcommon0": "libxkbcommon.so.0",
    "libxkbcommon-x11-0": "libxkbcommon-x11.so.0",
}
# Without any font the window's text is empty boxes.
FONTS = {"fonts-dejavu-core": [f"{folder}/**/*.[to]tf" for folder in ("/usr/share/fonts", "/usr/local/share/fonts")]}

# Only the tests use these: a virtual screen, a hand on it, an encoder, a judge of menu entries, and a real RTSP server.
PROGRAMS = {"xvfb": "Xvfb", "xdotool": "xdotool", "ffmpeg": "ffmpeg", "desktop-file-utils": "desktop-file-validate"}
RTSP_SERVER = {
    "python3-gi": ["/usr/lib/python3/dist-packages/gi/__init__.py"],
    "gir1.2-gst-rtsp-server-1.0": ["/usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib"],
    "gstreamer1.0-plugins-good": ["/usr/lib/*/gstreamer-1.0/libgstisomp4.so"],
    "gstreamer1.0-plugins-bad": ["/usr/lib/*/gstreamer-1.0/libgstvideoparsersbad.so"],
}

APT = ["apt-get", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Install-Recommends=false", "-y"]
REPORT_EVERY = 25  # packages between two progress lines


def loads(library: str) -> bool:
    """Whether the dynamic linker finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_for_run() -> list[str]:
    """Packages without which the program does not start."""
    return [package for package, library in LIBRARIES.items() if not loads(library)] + without_files(FONTS)


def missing_for_test() -> list[str]:
    """Packages without which some tests skip."""
    return [package for package, name in PROGRAMS.items() if shutil.which(name) is None] + without_files(RTSP_SERVER)


def without_files(table: dict[str, list[str]]) -> list[str]:
    """Packages of which no file is there."""
    return [
        package
        for package, patterns in table.items()
        if not any(next(glob.iglob(pattern, recursive=True), None) for pattern in patterns)
    ]


def administrator() -> list[str] | None:
    """What to put before a command that needs root, or ``None`` when root cannot be had without asking."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def install(packages: list[str], prefix: list[str]) -> bool:
    """Install packages with apt, telling how far it is; whether that worked."""
    print(f"Installing {len(packages)} missing system packages with apt: {' '.join(packages)}", flush=True)
    environment = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    subprocess.run([*environment, *APT, "-qq", "update"], check=False)
    command = [*environment, *APT, "install", *packages]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as apt:
        assert apt.stdout is not None
        tail, done = [], 0
        for line in apt.stdout:
            tail = [*tail[-9:], line]
            done += line.startswith("Setting up ")
            if line.startswith("Setting up ") and done % REPORT_EVERY == 0:
                print(f"  {done} set up", flush=True)
    if apt.returncode:
        print("".join(tail), file=sys.stderr)
    return apt.returncode == 0


def main(purpose: str) -> int:
    """Install or name what is missing; 0 when the program can start."""
    if not sys.platform.startswith("linux"):
        return 0
    needed = missing_for_run()
    wanted = needed + (missing_for_test() if purpose == "test" else [])
    if not wanted:
        return 0
    prefix = administrator()
    if shutil.which("apt-get") and prefix is not None and install(wanted, prefix):
        return 0
    if shutil.which("apt-get"):
        print(f"System packages are missing. Run:\n  sudo apt-get install -y {' '.join(wanted)}", file=sys.stderr)
    else:
        print(f"Install what your system calls these Debian packages: {' '.join(wanted)}", file=sys.stderr)
    if not needed:
        print("Going on without them: the tests that need them skip and say why.", file=sys.stderr)
    return 1 if needed else 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["run"], ["test"]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
