"""What kiosk and portal both do, over the Protocols of `municipio.usecases.ports`."""
