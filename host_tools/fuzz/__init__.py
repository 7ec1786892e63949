"""Fuzzing: millions of broken inputs for every parser that meets bytes from outside."""
