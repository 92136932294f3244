"""Files with which a city's engineer serves central on a Debian host; the how-to says where each goes."""
