"""Sound for ears that read the screen: a USB sound card, its headphone socket, and a voice."""
