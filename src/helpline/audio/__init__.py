"""Sound as bytes: mono, signed 16 bit, little endian; 24 kHz unless a name says otherwise."""
