"""Words of the report where groups are made by the change of features."""

from dtkd.reports.sections import sections


def test_nobody_speaks_of_flow_where_there_are_features():
    study = {"use": ["own"], "students": {}, "split": {"source": "flow", "measure": "feature_change"}}
    (of_change,) = (section for section in sections(study, [], []) if section["id"] == "motion")
    (of_flow,) = (section for section in sections(study | {"split": {"source": "flow"}}, [], [])
                  if section["id"] == "motion")  # fmt: skip
    assert of_change["text"].startswith("A class is static if the feature change of its videos is small on average")
    assert "Table 1. Feature change of the classes" in {item["title"] for item in of_change["items"]}
    assert not [words for item in [of_change, *of_change["items"]] for words in item.values()
                if isinstance(words, str) and "flow" in words.lower()]  # fmt: skip
    assert "optical flow" in of_flow["text"]
