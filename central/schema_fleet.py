"""Tables of the fleet, the indicators and the data rights: projections and the city's own notes.

Counts are made by the projector in the transaction that moves a chain's mark, so each fact is in them
once. Nothing here names a person; `audit` names tokens of the staff.
"""

from __future__ import annotations

from central.schema import lean_table

places = lean_table("places", "node placed_at", "lat_e6 lon_e6", "node")
"""Where a node stands, told by the staff, in millionths of a degree (WGS 84)."""

vitals = lean_table(
    "vitals", "node name state cause detail since told_at", "epoch seq", "node name"
)
"""The last word of a node about each of its parts: `device:NAME`, `energy`, `node`, `clock`."""

tallies = lean_table("tallies", "month node what part", "value", "month node what part")
"""Counts by civil month of the city, node, kind (`What`) and part of it."""

reports = lean_table(
    "reports",
    "folio node service_code channel month colonia filed_at",
    "",
    "folio",
    "month",
    "filed_at",
)
"""What a citizen report is about; where it stands is in `folios`. `filed_at` is the corrected time."""

case_events = lean_table(
    "case_events", "folio at what detail source noted_at", "line", "folio at what detail"
)
"""What happened to a matter: `state` (one of SIAC's four) or `photo` (the fact's id). A folio may be one
that no node has delivered yet. `source` is the file that said it."""

desk_logs = lean_table("desk_logs", "office desk public head at", "rows", "office desk")
"""How far the log of an office's desk is in the audit trail, by the hash of its last row."""

open311_keys = lean_table("open311_keys", "name digest made_at revoked_at", "", "name")
"""Who may file requests over Open311: SHA-256 of a key, never the key."""

services = lean_table("services", "code name dependency keywords", "", "code")
"""The services that can be reported and who attends them, from the published content."""

tramites = lean_table("tramites", "id name dependency", "", "id")
"""Names of the published trámites, which nodes tell by their ids."""

recovered_ids = lean_table("recovered_ids", "id node", "", "id", "node")
"""Facts that came inside another one and were counted there."""

carried_folios = lean_table("carried_folios", "node folio fact_id", "", "folio fact_id", "node")
"""Folios that a fact opened which came inside another one; its place may have opened one too."""

boot_clocks = lean_table("boot_clocks", "node boot anchors", "", "node boot")
"""What is known of the clock of one boot of a node: JSON of `central.moments.Clock`."""

fact_times = lean_table(
    "fact_times",
    "node lane boot quality",
    "epoch seq boot_ms time_ms received_ms earliest_ms latest_ms doubted counted",
    "node epoch lane seq",
    "node boot",
)
"""When a fact happened, for those whose own time is not the answer; `counted` by the indicators."""

staff_tokens = lean_table("staff_tokens", "name digest made_at revoked_at", "", "name")
"""Who may see the staff's pages: SHA-256 of a token, never the token."""

audit = lean_table("audit", "id at who what folio detail", "", "id", "at", "folio")
"""Who looked at what, and what was exported or erased. Rows are added and never changed."""
