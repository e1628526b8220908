"""MCP servers as a source of tools: asked in a thread of their own, bounded in every way, and believed in nothing.

schemas · results             definitions and answers: pure
keeper · stdio · http         the two ways to a server
sessions                      open sessions of this process, and the one way to call
listing · tools · performer   what staff allowed, as the engine's tools and as confirmed actions
"""
