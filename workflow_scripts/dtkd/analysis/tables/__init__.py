"""The paper's Tables 1 to 6 from splits, indexes, predictions and run records; written as CSV, Markdown and LaTeX.

Accuracies are per cent, by the selected epoch's weights (``top1``, ``top5``) and by the last epoch's (``_last``). A row
of several seeds shows their mean; ``<name>_std`` beside it is the sample standard deviation over seeds, there only if
some row has several. ``paper_<name>`` is the paper's number, where a row has a counterpart with the same network,
clip, subsets and hyperparameters (the paper says little of its trainings), and ``diff_<name>`` ours less the paper's.

The functions take ``rows``, mappings of plain values with files as paths: ``predictions`` is one `predictions.parquet`
per seed, and ``as_published`` says whether all that no column shows is as in the paper. They raise DtkdError, with the
file's name, for predictions that are missing, broken or of other videos than those they are compared with.
"""
