"""The virtual wallbox in real time: firmware, plant, broker and a page to play the car."""
