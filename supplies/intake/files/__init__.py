"""Files as people send them, opened in a limited process and read row by row: see `opening.read_rows`.

`parser` is the program that runs there, and everything it imports (`kinds`, `delimited`, `workbook`, `structured`)
knows nothing of the site. A file is judged by its content; its name is only what it claims to be.
"""
