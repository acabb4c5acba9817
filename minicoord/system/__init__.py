"""What every floor may use: files, paths, the console, the machine, checks of arguments, and words of messages.

Nothing here knows about networks. Begin with ``files.py``: everything that is written to disk goes through
`minicoord.system.files.write_atomically`.
"""
