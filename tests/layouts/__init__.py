"""Files built in tests from the documented layout of their format: one module per format."""
