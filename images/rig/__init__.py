"""The proof's own machinery: a virtual node to boot, watch and cut off, and what is read from its disk.

Used by tests/appliance and never part of an image. Only `judge` reads with the eyes of a program of the node.
"""
