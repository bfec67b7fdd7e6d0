"""Reads the rows of whatever the user named: files of every format, folders, tables in memory, the hub."""
