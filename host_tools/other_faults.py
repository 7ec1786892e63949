"""Rows of the fault table that no condition of the core judges: the state machine or a service answers for them."""

# id  confirm_ms reaction  deadline_ms class  becomes_hard_after  mrec: the columns of firmware/core/faults.FAULTS
ROWS = (
    ("S1", 0, "normal", 100, "normal", 0, 0),
    ("S4", 0, "normal", 100, "normal", 0, 14),
    ("S5", 0, "normal", 0, "normal", 0, 14),
    ("X2", 0, "normal", 5000, "normal", 0, 0),
    ("X4", 0, "normal", 0, "normal", 0, 0),
    ("X6", 0, "normal", 0, "normal", 0, 0),
    ("T1", 0, "normal", 0, "normal", 0, 0),
    ("N1", 0, "normal", 0, "normal", 0, 0),
    ("N2", 0, "normal", 0, "normal", 0, 0),
    ("N3", 0, "normal", 0, "normal", 0, 0),
    ("N4", 0, "normal", 0, "normal", 0, 0),
    ("N5", 0, "normal", 0, "normal", 0, 0),
    ("N6", 0, "normal", 6100, "normal", 0, 0),
    ("N7", 0, "normal", 0, "normal", 0, 0),
)
