"""The radio side of the guest network: hostapd's configuration, its control, and what a radio can do.

The guest network is any layer-2 interface. With outdoor access points on a cable there is no radio of
ours at all, and this package only says so and looks at the cable.
"""
