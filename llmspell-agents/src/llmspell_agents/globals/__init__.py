"""The script globals about agents and models, one file each."""
