"""Backfills: later profile versions applied to what captures hold, as revisions beside the old one."""
