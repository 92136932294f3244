"""What only a kiosk does: charging a card and printing, over Protocols."""
