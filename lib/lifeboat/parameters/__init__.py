"""What a parameter file says: read, checked, and proposed for a new table."""
