"""The company an installation speaks for."""
