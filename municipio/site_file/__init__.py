"""The one file that a technician edits, `plaza.toml`: what may stand in it, judged and written. Pure.

Rule of this folder: bytes and values in, values out. Reading a card, asking a person and changing a node
are the callers' work (`plaza.site`, `central`).
"""
