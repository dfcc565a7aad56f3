"""Backups: files from which a workspace is restored elsewhere and proven, and which bring no erased person back."""
