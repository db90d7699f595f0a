"""Whether we can listen where we are told to. Needs nothing but Python: ``tools/ports.py`` asks it
before anything is installed.
"""

import errno
import socket

from selify.core.errors import SelifyError


class PortBusy(SelifyError):
    code = "port_busy"
    title = "A port is in use"


class CannotListen(SelifyError):
    code = "cannot_listen"
    title = "An address cannot be listened on"


def check_port(host: str, port: int, setting: str) -> None:
    """Raises PortBusy when somebody listens there already, CannotListen when nobody could."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise _listening_refused(host, port, setting, error) from error


def _listening_refused(host: str, port: int, setting: str, error: OSError) -> SelifyError:
    if error.errno == errno.EADDRINUSE:
        return PortBusy(
            f"Port {port} on {host} is in use ({error.strerror}).",
            hint=f"Stop what runs there, or choose another with {setting}.",
        )
    if error.errno == errno.EACCES:
        hint = f"Choose a port above 1023 with {setting}, and let a reverse proxy have this one."
    else:
        hint = "SELIFY_HOST must be an address of this machine, such as 127.0.0.1 or 0.0.0.0."
    return CannotListen(f"Nobody can listen on {host}, port {port} ({error.strerror}).", hint=hint)
