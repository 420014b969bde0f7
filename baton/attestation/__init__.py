"""What a machine states about files, in the forms that others read: in-toto statements and SLSA provenance."""
