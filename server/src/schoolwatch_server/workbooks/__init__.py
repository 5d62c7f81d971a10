"""Lists that people keep in spreadsheets: read, looked through row by row, and put into the registry."""
