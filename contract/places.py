"""Which addresses are this machine's own, where nothing needs to be encrypted on its way."""

from ipaddress import ip_address


def is_local(host: str | None) -> bool:
    """Tell whether a host is this machine; no host at all is, too: a socket, or a default of this machine."""
    if not host or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
