"""The broker in a folder, with real kombu connections in several processes at once."""

import multiprocessing
from collections import Counter
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection, Exchange, Queue

from rld_platform.filesystem_broker import Transport

READERS, WRITERS, MESSAGES = 2, 3, 150


def connect(folder: Path) -> Connection:
    for name in ("messages", "control"):
        (folder / name).mkdir(exist_ok=True)
    options = {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
    }
    return Connection("filesystem://", transport=Transport, transport_options=options)


def declare(connection: Connection, name: str) -> Queue:
    queue = Queue(name, Exchange("work"), routing_key=name)
    queue.maybe_bind(connection.channel())
    queue.declare()
    return queue


def write(folder: Path, writer: int) -> None:
    """Each message is long, so that writing it takes a moment in which somebody may look."""
    with connect(folder) as connection:
        queue = declare(connection, "cpu")
        with connection.SimpleQueue(queue) as messages:
            for number in range(MESSAGES):
                messages.put({"name": f"{writer}/{number}", "weight": "x" * 50_000})


def read(folder: Path, all_written: object, names: object) -> None:
    with connect(folder) as connection, connection.SimpleQueue(declare(connection, "cpu")) as messages:
        while True:
            was_over = all_written.is_set()
            try:
                message = messages.get(block=False)
            except Empty:
                if was_over:
                    return
                continue
            assert len(message.payload["weight"]) == 50_000
            message.ack()
            names.put(message.payload["name"])


def test_every_message_is_read_whole_and_by_one_reader(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    all_written, names = context.Event(), context.Queue()
    writers = [context.Process(target=write, args=(tmp_path, n)) for n in range(WRITERS)]
    readers = [context.Process(target=read, args=(tmp_path, all_written, names)) for _ in range(READERS)]
    for process in [*writers, *readers]:
        process.start()
    for process in writers:
        process.join(timeout=120)
    all_written.set()
    seen = Counter(names.get(timeout=120) for _ in range(WRITERS * MESSAGES))
    for process in readers:
        process.join(timeout=120)
    assert [process.exitcode for process in [*writers, *readers]] == [0] * (WRITERS + READERS)
    assert seen == Counter(f"{writer}/{number}" for writer in range(WRITERS) for number in range(MESSAGES))
    assert not list((tmp_path / "messages").iterdir())


def bind(folder: Path, names: list[str]) -> None:
    for name in names:
        with connect(folder) as connection:
            declare(connection, name)


def test_no_queue_is_forgotten_when_many_are_declared_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    declared = [[f"queue-{person}-{number}" for number in range(40)] for person in range(3)]
    people = [context.Process(target=bind, args=(tmp_path, names)) for names in declared]
    for process in people:
        process.start()
    for process in people:
        process.join(timeout=120)
    assert [process.exitcode for process in people] == [0, 0, 0]
    with connect(tmp_path) as connection:
        table = connection.channel().get_table("work")
    assert {row.queue for row in table} == {name for names in declared for name in names}


@pytest.mark.parametrize("left", ["1_a.cpu.msg.part", "1_a.cpu.msg.taken", "1_a.other.cpu.msg"])
def test_what_is_no_message_of_this_queue_is_left_alone(tmp_path: Path, left: str) -> None:
    with connect(tmp_path) as connection, connection.SimpleQueue(declare(connection, "cpu")) as messages:
        (tmp_path / "messages" / left).write_text("{")
        with pytest.raises(Empty):
            messages.get(block=False)
    assert (tmp_path / "messages" / left).exists()
