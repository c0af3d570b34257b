"""Tools on documents: PDF, spreadsheets, bibliographies."""
