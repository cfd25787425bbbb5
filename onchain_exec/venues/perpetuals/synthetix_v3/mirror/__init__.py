"""Synthetix v3's perpetuals market in exact integers, each step a new state."""
