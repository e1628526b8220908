"""What a company brings along: its articles, customers and orders, as often as it likes. docs/importing.md.

A reader of one format yields what it found (`Item`) and what it could not read (`Broken`); articles.py decides for each
what is to be done and does it. customers.py and orders.py do the same for rows of CSV.
"""
