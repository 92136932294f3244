"""Demo cards of the city's trámites, one TOML file per dependency. All figures in them are invented."""
