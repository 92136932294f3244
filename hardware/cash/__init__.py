"""Cash over one ccTalk bus: coin acceptor, bill validator with escrow, and a hopper for change."""
