"""The same events in two forms: JSON frames for programs, htmx fragments for the chat page."""
