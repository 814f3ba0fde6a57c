"""The commands of `blotter`, a module for each group of them; `blotter.cli` puts them together."""
