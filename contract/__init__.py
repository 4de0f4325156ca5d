"""What the programs say to each other and must compute alike; pure, without any I/O library."""
