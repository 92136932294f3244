"""One module and one .kv file per screen: they draw a view and forward what is pressed. No rules here."""
