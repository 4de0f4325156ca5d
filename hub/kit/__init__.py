"""What every slice of the hub stands on; it knows no word of the domain."""
