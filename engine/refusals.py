"""How a service says no: a code for programs, a sentence for people, the HTTP status that fits."""


class Refusal(Exception):
    """Raised by services and selectors of every app; the API and the commands turn it into their answer."""

    def __init__(self, code: str, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status
