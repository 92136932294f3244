"""A whole street installation on a desk: simulated devices, and scenarios that make them misbehave."""
