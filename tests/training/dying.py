"""``python -m tests.training.dying HOW ID SPOT OUT``: an export that kills its own process, with SIGKILL, at a spot.

``HOW`` is ``job`` (a worker's export; ``ID`` of the export) or ``folder`` (the command's; ``ID`` of the snapshot).
"""

import os
import signal
import sys
from pathlib import Path

import django


def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)


def main(how, pk, spot, out):
    from django.core.files.storage import default_storage

    from training.models import Export, ExportFile, Snapshot
    from training.services import exports
    from training.services.leases import claim

    if spot == "while writing":
        from training.exports import tar

        written = iter(range(40))
        add = tar.add
        tar.add = lambda *args: add(*args) if next(written, None) is not None else die()
    elif spot == "before it says so":
        ExportFile.objects.bulk_create = die
    elif spot == "between two parts":
        keep = default_storage.save
        calls = iter((keep, keep))
        default_storage.save = lambda *args: next(calls, die)(*args)
    elif spot == "while moving":
        os.replace = die
    if how == "job":
        for _ in exports.work_on(claim(Export, pk)):
            pass
    else:
        for _ in exports.export_here(
            snapshot=Snapshot.objects.get(pk=pk), format="webdataset", out=Path(out), part_rows=30
        ):
            pass


if __name__ == "__main__":
    django.setup()
    main(*sys.argv[1:])
