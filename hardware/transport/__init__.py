"""How bytes reach a device: serial ports, and the far end of one for simulators."""
