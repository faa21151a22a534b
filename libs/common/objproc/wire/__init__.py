"""Where bytes and domain meet: envelopes, codec, upcasts. Nothing else encodes or decodes."""
