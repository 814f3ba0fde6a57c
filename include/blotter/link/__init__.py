"""Which known incident a reading's incident is: description, candidates, comparison, verdict.

Belongs here: near-duplicate text (`syndication`), the words that tell one text from another (`terms`), what is compared
(`describe`), how alike two accounts are and what that proves (`compare`), and what is kept of an incident between
batches (`memory`). Does not belong here: whose account is believed (`blotter.resolve`), what moved (`blotter.track`),
the order of articles and where memory lies (`blotter.update`, `blotter.store.desk`). Core: pure functions.
"""

# Named in every link's `actor`: it changes with the features, the weights or the rules.
LINKER_VERSION = "linker-1"
