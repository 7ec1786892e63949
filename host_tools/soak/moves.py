"""What may happen while a car is there: each move is a function of the Life, with how often it comes."""

YEARS_20_S = 20 * 365 * 86_400


def nothing(life):
    """The night is quiet."""


def pause_by_wall(life):
    """A pause or limit that begins at a time of day."""
    wall_s = life.box.board.wall_s()
    if wall_s is None:
        return
    start_s = wall_s + life.chance.randint(-60, 600)
    fields = {"start_at": start_s, "duration_s": life.chance.randint(61, 1200)}
    if life.chance.random() < 0.5:
        fields.update({"issued_at": wall_s - 5, "expires_at": wall_s + 3600})
    if life.chance.random() < 0.5:
        life.grid({"kind": "pause", **fields})
    else:
        life.grid({"kind": "limit", "limit_ma": life.chance.randint(0, 20) * 1000, **fields})


def pause_now(life):
    """A pause that begins now; it may outlive the car, the year and the ring of ticks."""
    longest_s = 21_600 if life.chance.random() < 0.1 else 300
    life.grid({"kind": "pause", "duration_s": life.chance.randint(1, longest_s)})


def resume(life):
    """The grid ends all that it asked for."""
    life.grid({"kind": "resume"})
    life.sent.resumed()


def charge_now(life):
    """The owner wants power."""
    life.box.owner("charge_now")
    life.sent.clicked(life.now_ms())


def want(life):
    """The battery is full, or the driver wants more."""
    life.change({"car": {"wants_charge": life.chance.random() < 0.7}})


def replug(life):
    """The plug comes out for a moment."""
    life.change({"car": {"is_plugged": False}})
    life.run(life.chance.randint(1, 90_000))
    life.change({"car": {"is_plugged": True}})


def told_time(life):
    """A server tells the time."""
    life.tell_time()


def wrong_time(life):
    """Somebody tells a time that is 20 years off; for a while the box lives with it."""
    sign = life.chance.choice((-1, 1))
    life.box.board.set_wall_s(life.outside.world_s(life.now_ms()) + sign * YEARS_20_S)
    life.counts["clock jumps of 20 years"] += 1
    if life.chance.random() < 0.7:
        pause_by_wall(life)
    life.run(life.chance.randint(1, 600) * 1000)
    life.tell_time()


def clock_goes_on(life):
    """With nobody telling it, the box's clock is still right."""
    outside = life.outside
    is_same_chapter = outside.chapter(max(0, life.told_at_ms)) == outside.chapter(life.now_ms())
    if life.box.board.wall_s() is not None and is_same_chapter:
        life.see_time()


def power_cut(life):
    """The supply fails for a moment or an hour."""
    if life.has_cuts:
        life.cut(life.chance.choice((1, 3, 60, 3600)))
        if life.chance.random() < 0.7:
            life.run(life.chance.randint(1, 60) * 1000)
            life.tell_time()


MOVES = (nothing, pause_by_wall, pause_now, resume, charge_now, want)
WEIGHTS = (20, 20, 10, 5, 8, 12)
MOVES += (replug, told_time, wrong_time, clock_goes_on, power_cut)
WEIGHTS += (4, 4, 4, 6, 1)
