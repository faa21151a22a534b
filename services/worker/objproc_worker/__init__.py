"""Part of the Object Processing System."""
