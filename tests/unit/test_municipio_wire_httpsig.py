from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.wire.httpsig import HttpSigProblem, content_digest, sign_request, verify_request
from municipio.wire.keys import PublicKey, key_id

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
KEY_ID = key_id(PUBLIC)
PATH = "/v1/nodes/COA007/batches"
BODY = b'{"hello": "plaza"}'


def find_key(name: str) -> PublicKey | None:
    return PUBLIC if name == KEY_ID else None


def signed(body: bytes = BODY) -> dict[str, str]:
    return sign_request("POST", PATH, body, KEY_ID, "nonce-1", KEY.sign)


def test_a_signed_request_names_its_signer() -> None:
    assert verify_request("POST", PATH, signed(), BODY, find_key) == KEY_ID


def test_header_names_are_compared_without_case() -> None:
    headers = {name.upper(): value for name, value in signed().items()}
    assert verify_request("POST", PATH, headers, BODY, find_key) == KEY_ID


def test_content_digest_is_the_one_of_rfc_9530() -> None:
    # RFC 9530 appendix B.1: the body of the first example.
    assert content_digest(b'{"hello": "world"}\n') == (
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    )


def test_the_signature_base_is_the_one_of_rfc_9421() -> None:
    """The bytes under the signature, written out by hand from section 2.5."""
    headers = signed()
    params = headers["Signature-Input"].removeprefix("plaza=")
    base = (
        f'"@method": POST\n"@path": {PATH}\n"content-digest": {content_digest(BODY)}\n'
        f'"@signature-params": {params}'
    )
    value = headers["Signature"].removeprefix("plaza=:").removesuffix(":")
    PUBLIC.verify(base64.b64decode(value), base.encode())
    assert params == (
        f'("@method" "@path" "content-digest");keyid="{KEY_ID}";nonce="nonce-1";alg="ed25519"'
    )


def test_created_is_read_and_never_judged() -> None:
    params = f'("@path" "@method" "content-digest");created=12;keyid="{KEY_ID}";nonce="n"'
    base = (
        f'"@path": {PATH}\n"@method": POST\n"content-digest": {content_digest(BODY)}\n'
        f'"@signature-params": {params}'
    )
    value = base64.b64encode(KEY.sign(base.encode())).decode()
    headers = {
        "Content-Digest": content_digest(BODY),
        "Signature-Input": f"any={params}",
        "Signature": f"any=:{value}:",
    }
    assert verify_request("POST", PATH, headers, BODY, find_key) == KEY_ID


def test_another_method_path_body_or_key_is_refused() -> None:
    headers = signed()
    for answer in (
        verify_request("PUT", PATH, headers, BODY, find_key),
        verify_request("POST", PATH + "x", headers, BODY, find_key),
        verify_request("POST", PATH, headers, BODY + b" ", find_key),
        verify_request("POST", PATH, headers, BODY, lambda _: None),
        verify_request(
            "POST", PATH, headers, BODY, lambda _: Ed25519PrivateKey.generate().public_key()
        ),
        verify_request("POST", PATH, {}, BODY, find_key),
    ):
        assert isinstance(answer, HttpSigProblem)


@pytest.mark.parametrize("name", ["Content-Digest", "Signature-Input", "Signature"])
def test_changing_any_character_of_any_header_is_noticed(name: str) -> None:
    headers = signed()
    value = headers[name]
    for at in range(len(value)):
        for other in (chr(ord(value[at]) ^ 1), "A", "é", ""):
            changed = value[:at] + other + value[at + 1 :]
            # The label is a name that both fields must share and is not part of what is signed.
            if changed == value:
                continue
            answer = verify_request("POST", PATH, headers | {name: changed}, BODY, find_key)
            assert isinstance(answer, HttpSigProblem), changed


@pytest.mark.parametrize(
    "value",
    [
        "",
        "plaza",
        "plaza=()",
        'plaza=("@method");keyid="x"',
        'plaza=("@method" "@path");keyid="x";nonce="y"',
        'plaza=("@method" "@path" "content-digest");keyid="x";keyid="y";nonce="z"',
        'plaza=("@method" "@path" "content-digest");keyid="x";nonce="z";alg="hmac-sha256"',
        'plaza=("@method" "@path" "content-digest" "content-digest");keyid="x";nonce="z"',
        'plaza=("@method" "@path" "content-digest"),b=()',
        'plaza=("' + "a" * 5000,
    ],
)
def test_a_signature_input_out_of_its_rules_is_refused(value: str) -> None:
    headers = signed() | {"Signature-Input": value}
    answer = verify_request("POST", PATH, headers, BODY, lambda _: PUBLIC)
    assert isinstance(answer, HttpSigProblem)


@given(st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=150)
def test_any_header_text_is_a_problem_and_never_a_crash(one: str, two: str) -> None:
    headers = {"Content-Digest": content_digest(b""), "Signature-Input": one, "Signature": two}
    assert isinstance(verify_request("GET", "/", headers, b"", find_key), HttpSigProblem)


def test_a_hostile_path_cannot_smuggle_a_line_into_what_is_signed() -> None:
    with pytest.raises(ValueError, match="cannot sign"):
        sign_request("POST", '/x\n"@method": GET', b"", KEY_ID, "n", KEY.sign)
    with pytest.raises(ValueError, match="letters"):
        sign_request("POST", "/x", b"", 'a"b', "n", KEY.sign)
