"""Set-up: what the machine needs, what Python needs, what the browser needs. Standard library only.

It runs with the system's Python before anything is installed, and says what it is doing all the way. Every step leaves
a stamp, so that a second run finds everything in place and takes no time.
"""
