"""Thousands of calendar hours of one box: wraps of the ticks, odd days of the calendar, wrong clocks, power cuts."""
