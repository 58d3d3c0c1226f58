EXIT_CODES = ""


def adopt() -> None:
    pass
