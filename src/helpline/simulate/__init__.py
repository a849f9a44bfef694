"""Simulated customers: scenarios in YAML, played at a desk of their own, and judged."""
