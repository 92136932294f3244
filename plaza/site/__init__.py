"""A node's site: judging `plaza.toml`, putting it on a card, and making the node be what it says.

The rules of the file are `municipio.site_file`, which the city's server shares; here are the edges.
"""

from municipio.site_file.fault import SiteFault
from municipio.site_file.parse import parse_site_file
from municipio.site_file.plan import SitePlan

__all__ = ["SiteFault", "SitePlan", "parse_site_file"]
