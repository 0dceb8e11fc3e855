"""Videos, lists and what is known of them: formats, decoding, inspection, statistics, the rendered demo."""
