"""The node's own body: supply, heat, card, space, clock, screen driver, memory."""
