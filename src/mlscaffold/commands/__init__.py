"""The commands for projects that exist: parsing and printing only."""
