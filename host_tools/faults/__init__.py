"""Fault campaigns: stored states, single faults, pairs, random sequences, nuisance trips, and what they found."""
