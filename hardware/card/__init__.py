"""The technician's smart card: a PIV card in a PC/SC reader."""
