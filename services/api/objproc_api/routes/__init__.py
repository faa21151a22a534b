"""The routes, by resource. Each reads its request, calls one part, and writes the answer."""
