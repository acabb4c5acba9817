"""What every experiment shares: the protocol, settings, runs and the files that they write."""
