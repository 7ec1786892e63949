"""The contactor: contacts that follow the coil late, bounce, weld or stay open."""

CLOSE_US = 20_000
OPEN_US = 12_000
BOUNCE_US = 1_500
LIVE_MV = 50_000  # a detector sees a pole from here (requirements §2)
POLES = ("l1", "l2", "l3", "n")


class Contactor:
    """Four poles behind one coil; welds and a stuck-open fault come from the plant's faults."""

    def __init__(self, plant):
        self.plant = plant
        self.is_pulled = False
        self._plan = 0

    def coil_changed(self, is_coil_on):
        """Contacts follow later: 20 ms to close with one bounce, 12 ms to open."""
        self._plan += 1
        if is_coil_on:
            self._later(CLOSE_US, True)
            self._later(CLOSE_US + BOUNCE_US, False)
            self._later(CLOSE_US + 2 * BOUNCE_US, True)
        else:
            self._later(OPEN_US, False)

    def closed_poles(self):
        """Bit mask L1=1 L2=2 L3=4 N=8 of poles that conduct; a one-phase box has L1 and N alone."""
        wired = 15 if self.plant.phases == 3 else 9
        moved = wired if self.is_pulled and not self.plant.faults["contactor_stuck_open"] else 0
        return moved | self._welded() & wired

    def reads_pulled_in(self):
        """What the mirror contact's wire says. The contact is linked to the poles, so one that welds holds it too; it
        pulls the wire low while the contactor is open, so that a broken one reads as pulled in.
        """
        return self.closed_poles() != 0 or self.plant.faults["feedback_broken"]

    def live_poles(self):
        """Bit mask of poles that detectors behind the contactor find live; that of N sees whether N conducts."""
        poles = self.plant.live_poles()
        for phase in range(3):
            if poles >> phase & 1 and self.plant.mains.rms_mv(phase) < LIVE_MV:
                poles &= ~(1 << phase)
        return poles

    def _welded(self):
        """Bit mask of welded poles."""
        faults = self.plant.faults
        if faults["contactor_welded"]:
            return 15
        return sum(1 << bit for bit, pole in enumerate(POLES) if faults["contactor_welded_" + pole])

    def _later(self, after_us, is_pulled):
        self.plant.later(after_us, self._pull, self._plan, is_pulled)

    def _pull(self, plan, is_pulled):
        if plan == self._plan:
            self.is_pulled = is_pulled
            self.plant.contacts_changed()
