"""The city's rules and words: pure values in, pure values out.

Rule of this room: no files, no sockets, no clock reads, no randomness, no environment.
Everything that happens to the outside world is done by a caller in another room.
"""
