"""The doctor: what is wrong with this node and what to do about it, for people and for the city.

`collect` reads the machine into one frozen `Snapshot`; `checks*` judge it and do no I/O; `table` lists
the checks. Another part of the node adds a check by a function of its own and a line in `table`.
"""
