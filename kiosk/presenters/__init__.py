"""Everything the kiosk decides and says, without a display: frozen views, intent methods, no Kivy."""
