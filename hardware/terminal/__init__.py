"""Card terminals: wire, protocol, driver and simulator."""
