"""Whom we believe to be the server: the system's authorities, or a file of one's own."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from cs_magic.api.profile import Profile
from cs_magic.errors import ProfileError


def contexts(profile: Profile) -> Callable[[], ssl.SSLContext | None]:
    """What makes that which a connection is checked against; None for plain HTTP.

    Warns where it checks nothing.

    Raises:
        ProfileError: the CA file can't be used.
    """
    if urlsplit(profile.endpoint).scheme != "https":
        return lambda: None
    if profile.verify is False:
        warnings.warn(
            f"The certificate of {profile.host} is not checked (verify = false):"
            " anybody in between can read keys and answers",
            stacklevel=3,
        )
        unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unchecked.check_hostname = False
        unchecked.verify_mode = ssl.CERT_NONE
        return lambda: unchecked
    if isinstance(profile.verify, str):
        ours = _with_authorities(profile.verify)
        return lambda: ours
    import truststore

    # One for each connection: a context of truststore does one handshake after another.
    return partial(truststore.SSLContext, ssl.PROTOCOL_TLS_CLIENT)


def _with_authorities(path: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        unread = not isinstance(error, ssl.SSLError)
        reason = error.strerror if unread else "there are no certificates in it"
    raise ProfileError(f"The CA file {path} can't be used: {reason}")
