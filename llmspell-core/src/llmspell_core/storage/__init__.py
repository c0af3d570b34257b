"""What stores and journals are kept in."""
