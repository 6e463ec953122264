"""How people write what they need, read into values. Pure: no models, no clock, no network.

A reader answers with a value and its findings, or raises `Unreadable`. Findings keep a code and its words, so
that the same problem can be shown in Chinese to a volunteer and in English to a donor abroad.
"""
