"""The world around the box in volts, ohms and microseconds: car, pilot wire, mains, contactor."""
