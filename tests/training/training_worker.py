"""``python -m tests.training.training_worker``: a worker of the queue ``train`` in a process that can be killed."""

import django

if __name__ == "__main__":
    django.setup()
    from training.tasks import train

    train()
