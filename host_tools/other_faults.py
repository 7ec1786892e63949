"""Rows of the fault table that no condition of the core judges: the state machine, a service or the starter answers."""

# id  confirm_ms reaction  deadline_ms class  becomes_hard_after  mrec: the columns of firmware/core/faults.FAULTS
ROWS = (
    ("S1", 0, "normal", 100, "normal", 0, 0),
    ("S4", 0, "normal", 100, "normal", 0, 14),
    ("S5", 0, "normal", 0, "normal", 0, 14),
    ("P1", 0, "coil off", 50, "normal", 0, 15),
    ("P2", 0, "few writes", 0, "normal", 0, 15),
    ("P3", 0, "old or new", 0, "auto", 0, 0),
    ("F1", 0, "copy before, or 6 A and locked", 5000, "owner", 0, 0),
    ("F2", 0, "made anew", 5000, "auto", 0, 0),
    ("F3", 0, "makes room", 0, "auto", 0, 0),
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
    ("U1", 0, "old or new", 0, "auto", 0, 0),
    ("U2", 0, "refused, logged", 0, "normal", 0, 0),
    ("U3", 0, "rolled back", 420_000, "auto", 0, 0),
)
