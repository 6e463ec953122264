"""Numbers and codes printed on goods: what each part of them says, and what is odd about them. See `reading.read_marks`.

Only the form of a number is looked at. Whether it was ever given, and to these goods, stands in a register; each mark
names the one to ask. Nothing here says that goods are genuine.
"""
