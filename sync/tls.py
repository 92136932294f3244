"""TLS to the city, for a machine whose clock may be wrong.

A board without a battery clock wakes up in the past, where every certificate is "not yet valid"; it would
never hear the city that could tell it the time. So the dates of certificates are not judged. Chain and
name are; what counts is signed again inside (acknowledgements, answers, content), and what is secret is
sealed before it travels.
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
    context.verify_flags |= NO_CHECK_TIME
    return context
