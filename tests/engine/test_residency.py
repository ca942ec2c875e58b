"""What stays in a device's memory, and what has to go."""

from engine.residency import Residency


def residency(budget_mb=100):
    return Residency(lambda device: budget_mb)


def get(kept, key, memory_mb=40, device="cpu"):
    built = []

    def build():
        built.append(key)
        return object()

    return kept.get(key, key, memory_mb, device, build), bool(built)


def names(kept):
    return [name for name, _ in kept.listed()]


def test_what_is_there_is_not_built_again():
    kept = residency()
    first, built = get(kept, "a")
    again, built_again = get(kept, "a")
    assert (built, built_again) == (True, False)
    assert first is again


def test_the_least_recently_used_goes_when_another_needs_the_room():
    kept = residency()
    get(kept, "a")
    get(kept, "b")
    get(kept, "a")
    get(kept, "c")
    assert names(kept) == ["c", "a"]
    assert get(kept, "b")[1]


def test_no_more_goes_than_has_to():
    kept = residency()
    for name in "abc":
        get(kept, name, 30)
    get(kept, "d", 30)
    assert names(kept) == ["d", "c", "b"]


def test_something_larger_than_the_budget_is_kept_alone():
    kept = residency()
    get(kept, "a")
    get(kept, "huge", 500)
    assert names(kept) == ["huge"]
    get(kept, "b")
    assert names(kept) == ["b"]


def test_every_device_has_its_own_budget():
    kept = residency()
    get(kept, "a", 80, "cuda:0")
    get(kept, "b", 80, "cuda:1")
    assert names(kept) == ["b", "a"]


def test_what_could_not_be_built_takes_no_room():
    kept = residency()

    def fail():
        raise OSError("damaged")

    for _ in range(2):
        try:
            kept.get("a", "a", 100, "cpu", fail)
        except OSError:
            continue
    assert names(kept) == []


def test_all_others_go_when_the_device_has_no_memory_left():
    kept = residency()
    get(kept, "a")
    get(kept, "b")
    assert kept.shed("b")
    assert names(kept) == ["b"]
    assert not kept.shed("b")
