"""A site's `[filter]` section: what it may say, and that nothing else passes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.filter.policy import (
    Category,
    FilterPolicy,
    Youtube,
    parse_policy,
)
from captive_portal.sections import SectionProblem

MONDAY_NOON = datetime(2026, 1, 12, 12, 0)  # noqa: DTZ001  a site's local time
SUNDAY_NOON = datetime(2026, 1, 11, 12, 0)  # noqa: DTZ001


def policy(doc: dict[str, Any]) -> FilterPolicy:
    made = parse_policy(doc)
    assert isinstance(made, FilterPolicy)
    return made


def test_an_empty_section_blocks_every_category_and_leaves_youtube_alone() -> None:
    made = policy({})
    assert made.categories == frozenset(Category)
    assert made.safesearch
    assert made.youtube is Youtube.OFF


def test_a_whole_section_is_read() -> None:
    made = policy(
        {
            "categories": ["adult", "gambling", "malware"],
            "hours": {"gambling": "lun-vie 07:00-15:00"},
            "safesearch": False,
            "youtube": "strict",
            "allow": ["Piñata.mx", "gob.mx"],
            "block": ["ejemplo.com"],
        }
    )
    assert made.allow == ("xn--piata-pta.mx", "gob.mx")
    assert made.youtube is Youtube.STRICT
    assert Category.GAMBLING in made.blocked_at(MONDAY_NOON)
    assert Category.GAMBLING not in made.blocked_at(SUNDAY_NOON)
    assert Category.ADULT in made.blocked_at(SUNDAY_NOON)


def test_a_clock_that_nobody_believes_opens_nothing() -> None:
    made = policy({"hours": {"gambling": ["lun 07:00-08:00"]}})
    assert made.blocked_at(None) == frozenset(Category)


@pytest.mark.parametrize(
    ("doc", "key", "nearest"),
    [
        ({"categorias": []}, "categorias", "filter.categories"),
        ({"categories": ["porn"]}, "categories", ""),
        ({"categories": "adult"}, "categories", ""),
        ({"categories": [["adult"]]}, "categories", ""),
        ({"hours": {"malware": "00:00-01:00"}}, "hours.malware", ""),
        ({"hours": {"gambling": "25:00-26:00"}}, "hours", ""),
        ({"hours": {"gambling": 7}}, "hours", ""),
        ({"hours": []}, "hours", ""),
        ({"categories": ["adult"], "hours": {"drugs": "01:00-02:00"}}, "hours.drugs", ""),
        ({"safesearch": "yes"}, "safesearch", ""),
        ({"youtube": "hard"}, "youtube", ""),
        ({"youtube": True}, "youtube", ""),
        ({"allow": ['a.com")os.execute("x']}, "allow", ""),
        ({"allow": ["a.com\nserver=/x/"]}, "allow", ""),
        ({"allow": [7]}, "allow", ""),
        ({"allow": "a.com"}, "allow", ""),
        ({"block": ["gob.mx"]}, "block", ""),
        ({"block": ["a.mx"], "allow": ["a.mx"]}, "block", ""),
        ({"block": ["a.mx"] * 501}, "block", ""),
    ],
)
def test_a_wrong_value_is_named(doc: dict[str, Any], key: str, nearest: str) -> None:
    problem = parse_policy(doc)
    assert isinstance(problem, SectionProblem)
    assert (problem.key, problem.nearest) == (key, nearest)


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=6,
)
_keys = st.sampled_from(["categories", "hours", "safesearch", "youtube", "allow", "block"])


@settings(max_examples=200)
@given(st.dictionaries(_keys | st.text(max_size=8), _anything, max_size=4))
def test_any_document_is_a_policy_or_a_problem(doc: dict[str, Any]) -> None:
    assert isinstance(parse_policy(doc), FilterPolicy | SectionProblem)
