"""Sealing: finished captures get their own copy of every sample, and a manifest that tells whether it is whole."""
