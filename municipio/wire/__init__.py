"""Codecs shared by node and city: batches, acknowledgements, signatures; no I/O."""
