"""A whole node on one desk: real programs, simulated devices, a cable that can be cut.

Nothing here is used by a real node. Every program runs as its own process, as it would in a plaza;
only the far ends of the wires (printer, card terminal) and the cable to the city are simulated.
"""
