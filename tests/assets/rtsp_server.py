"""A real RTSP server of one H.264 mp4 file; run by the system's python3, which has the bindings.

Usage: /usr/bin/python3 rtsp_server.py CLIP PORT [USER PASSWORD]; port 0 takes any that is free.
Prints its port once it listens. The stream is at /live.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def authentication(user: str, password: str) -> GstRtspServer.RTSPAuth:
    """Basic authentication with one user."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    return auth


def main(clip: str, port: str, *credentials: str) -> None:
    """Serve ``clip`` until killed."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=port)
    factory = GstRtspServer.RTSPMediaFactory(shared=True)
    factory.set_launch(
        f'( filesrc location="{clip}" ! qtdemux ! h264parse config-interval=1 ! rtph264pay name=pay0 pt=96 )'
    )
    if credentials:
        server.set_auth(authentication(*credentials))
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("user", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
        permissions.add_permission_for_role("user", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
