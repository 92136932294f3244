"""The proof's own machinery: a virtual node to boot, watch and cut off, and what is read from its disk.

Used by tests/appliance and never part of an image. Nothing here imports a program of the node.
"""
