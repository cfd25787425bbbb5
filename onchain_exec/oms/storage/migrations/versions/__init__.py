"""Revisions of the journal's tables, oldest first. A revision that was released is never changed."""
