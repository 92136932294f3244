"""The kiosk's own widgets: large, labelled, drawn from one theme. Nothing here knows a service."""
