"""The security policy: profiles, the five gates of the tool border, audit and redaction."""
