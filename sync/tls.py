"""TLS to the city, for a machine whose clock may be wrong.

A board without a battery clock wakes up in the past, where every certificate is "not yet valid"; it would
never hear the city that could tell it the time. So the dates of certificates are not judged. Chain and
name are; what counts is signed again inside (acknowledgements, answers, content), and what is secret is
sealed before it travels.

A city's own authority is often a few commands of openssl, whose certificates name no authority's key. Python
3.13, which is on the card, calls for that name by itself; 3.11 does not. A node asks for it on neither.
"""

from __future__ import annotations

import ssl

from sync.keys import KeyMissing

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL 1.1.0, which Python's ssl module does not name."""


def city_tls(ca_file: str) -> ssl.SSLContext | KeyMissing:
    """Trust the CAs of that PEM file alone, or with an empty name those of the system."""
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as e:
        return KeyMissing(f"central.ca_file {ca_file}: {e}")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    flags = int(context.verify_flags) | NO_CHECK_TIME  # as a number: the names leave out this one
    strict = int(ssl.VERIFY_X509_STRICT) if ca_file else 0
    context.verify_flags = ssl.VerifyFlags(flags & ~strict)
    return context
