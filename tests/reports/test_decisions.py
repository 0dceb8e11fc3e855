"""Markdown as the report shows it."""

from dtkd.reports import decisions


def test_markdown_of_every_kind():
    text = "# Title\n\nA `b|c` [link](x) and **more**\n\n| a | b |\n|---|---|\n| 1 | x\\|y |\n\nend"
    heading, table, last = decisions.markdown(text)
    assert heading["spans"] == [("", "A "), ("code", "b|c"), ("", " "), ("", "link"), ("", " and "), ("strong", "more")]
    assert table["head"] == [[("", "a")], [("", "b")]]
    assert table["rows"] == [[[("", "1")], [("", "x|y")]]]
    assert last == {"kind": "paragraph", "spans": [("", "end")]}
