"""Helpline: an open-source voice desk for customer service."""

__version__ = "0.1.0"
