"""Copies of the whole server, encrypted and elsewhere; how they are made, proved and put back.

The program restic keeps them: it encrypts, stores only what changed, and reaches folders and SFTP. What is
ours is what belongs in a copy, that the database in it is one moment's, and that putting it back is safe.
"""
