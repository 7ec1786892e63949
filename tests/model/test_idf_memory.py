"""The simulated chip's memory against what real images said, and each user of it that finds too little."""

import pytest

from host_tools.device import chips
from host_tools.sim import idf_memory

FACTS = chips.memory(chips.loaded("esp32"))
SAID_KB = 0.6  # drivers and timers of the image took a little too, which the model leaves out


def kb(pool):
    """Free internal memory in kB."""
    return pool.free_b() / 1000


def image(has_psram=False, facts=FACTS):
    """(pool, heap, users, lines of the console) of an image that has just started."""
    pool, said = idf_memory.Pool(facts, has_psram), []
    return pool, idf_memory.Heap(pool), idf_memory.Users(pool, True, said.append), said


def test_the_figures_of_an_emulated_image_with_the_heap_first():
    """MicroPython 1.24.0 without PSRAM: 142 kB at boot, 84.6 after the app's import, 29.0 after App(), 4 buffers."""
    pool, heap, users, said = image()
    assert kb(pool) == pytest.approx(142, abs=SAID_KB)
    heap.lives(60_000)
    assert kb(pool) == pytest.approx(84.6, abs=SAID_KB)
    heap.lives(94_240)
    assert kb(pool) == pytest.approx(29.0, abs=SAID_KB)
    with pytest.raises(RuntimeError, match="Wifi Unknown Error 0x0101"):
        users.radio_made()
    assert said[-1].endswith("wifi:Expected to init 10 rx buffer, actual is 4")
    assert kb(pool) == pytest.approx(29.0, abs=SAID_KB), "what was taken in vain is given back"


def test_the_figures_of_the_same_image_with_the_radio_first():
    pool, heap, users, _ = image()
    users.radio_made()
    users.radio_made()  # once is enough
    users.switched(False, True)
    assert kb(pool) == pytest.approx(102, abs=SAID_KB)
    heap.lives(60_000)
    assert kb(pool) == pytest.approx(44, abs=SAID_KB)
    heap.lives(94_240)
    assert kb(pool) == pytest.approx(1.1, abs=SAID_KB)
    assert not users.may_join()
    heap.lives(150_000)
    assert heap.is_full


@pytest.mark.parametrize(("block_b", "fit_b"), ((112_208, 110_592), (54_900, 53_248), (4_352, 4_352), (40, 40)))
def test_the_largest_block_is_rounded_as_the_real_one(block_b, fit_b):
    """110,592 of 112,208 B: micropython #8940; 53,248 of a little more: #18859."""
    assert idf_memory.fit_b(block_b) == fit_b


def test_newer_images_name_the_memory():
    pool, heap, _, _ = image()
    heap.lives(60_000)
    heap.lives(94_240)
    users = idf_memory.Users(pool, False, print)
    with pytest.raises(OSError, match="WiFi Out of Memory"):
        users.radio_made()


def test_psram_takes_the_heap_and_the_large_record_and_nothing_of_the_radio():
    pool, heap, users, _ = image(has_psram=True)
    before_b = pool.free_b()
    heap.lives(320 * 1024)
    assert pool.free_b() == before_b and len(heap.areas_b) > 2 and not heap.is_full
    users.radio_made()
    assert before_b - pool.free_b() > FACTS["radio_psram_extra_b"]
    before_b = pool.free_b()
    users.handshake(lambda: False, lambda: False)
    assert FACTS["tls_handshake_b"] < before_b - pool.free_b() < FACTS["tls_in_b"] + FACTS["tls_out_b"] + 1024
    assert pool.told(idf_memory.CAP_SPIRAM)[0][0] == FACTS["psram_b"]
    assert sum(row[1] for row in pool.told(idf_memory.CAP_8BIT | idf_memory.CAP_INTERNAL)) == pool.free_b()
    assert sum(row[1] for row in pool.told(idf_memory.CAP_8BIT)) > 1 << 20, "what a naive sum would take for room"


def test_a_session_ends_and_its_handshake_before_it():
    pool, _, users, _ = image()
    now = {"is_over": False, "is_shaken": False}
    before_b = pool.free_b()
    users.handshake(lambda: now["is_over"], lambda: now["is_shaken"])
    whole_b = before_b - pool.free_b()
    users.looked()
    assert before_b - pool.free_b() == whole_b > FACTS["tls_in_b"] + FACTS["tls_out_b"] + FACTS["tls_handshake_b"]
    now["is_shaken"] = True
    users.looked()
    assert FACTS["tls_in_b"] < before_b - pool.free_b() < whole_b - FACTS["tls_handshake_b"] + 1
    now["is_over"] = True
    users.looked()
    users.looked()
    assert pool.free_b() == before_b
    least_b = sum(row[3] for row in pool.told(idf_memory.CAP_8BIT))
    assert least_b == before_b - whole_b, "the least is remembered"


def test_users_that_find_too_little_fail_in_their_own_way():
    pool, heap, users, _ = image()
    users.radio_made()
    users.switched(False, True)
    heap.lives(60_000)
    assert users.may_join() and users.may_join()
    assert users.sockets(4)
    with pytest.raises(OSError, match="12"):
        users.handshake(lambda: False, lambda: False)
    assert not users.sockets(20)
    assert users.sockets(0)
    heap.lives(94_240)
    with pytest.raises(RuntimeError):
        users.switched(True, True)
    before_b = pool.free_b()
    users.switched(False, False)
    assert pool.free_b() - before_b == FACTS["radio_active_b"] + FACTS["radio_join_b"], "the radio's own part stays"
