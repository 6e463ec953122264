"""How the name of an organisation is compared."""

import re
import unicodedata

NOT_COMPARED = re.compile(r"[\W_]+")


def normal_name(name: str) -> str:
    """The comparable form: plain characters, no white space, no punctuation or brackets, lower case."""
    return NOT_COMPARED.sub("", unicodedata.normalize("NFKC", name).casefold())
