"""Receipt printers: bytes, protocol, driver and simulator."""
