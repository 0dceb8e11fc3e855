"""What all packages share: errors, files, devices, downloads, records of how things were made."""
