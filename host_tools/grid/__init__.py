"""The operator's side of the grid contract."""
