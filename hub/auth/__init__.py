"""Who somebody is: users, passwords, access and refresh tokens."""
