"""Tools for images, sound and video, decoded in helper processes."""
