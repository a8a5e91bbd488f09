"""What is done by hand, beside the Luigi tasks: one module per command of `python -m pipeline`.

Each has `add_parser(commands)`, which says how it is typed, and `run(options)`, which returns an exit code and imports
what it works with. (`authorize` has both beside its work, in pipeline/extract.)
"""
