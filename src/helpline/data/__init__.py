"""Data that ships with the package: the demo shop, its policy, its help pages."""
