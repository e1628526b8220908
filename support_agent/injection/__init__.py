"""Trains and measures the classifier of `agent/likeness.py`: `python -m support_agent.injection`.

data/     what was written for it, by families
corpus    families to texts, and the split they belong to
train     logistic regression with numpy, the threshold, the file
measure   recall and false alarms of the whole guard, with their intervals
"""
