"""The pure core: values in, values out, integers only, no clock and no pins."""
