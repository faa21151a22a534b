"""Tests of the api service: routes over doubles of its ports, and its SQL over the real servers."""
