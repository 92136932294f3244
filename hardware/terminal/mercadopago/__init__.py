"""Mercado Pago Point: the Orders API as a card terminal."""
