"""Pages of HTML that need no other file: a study's report, a data set's check."""
