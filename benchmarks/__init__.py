"""How fast this project is beside others: ``python -m benchmarks --help``.

The launcher (``__main__``) needs nothing but Python: it makes an environment with the
peers under ``build/bench``, and runs ``measure`` there. One thing is measured by one
module of ``experiments``; whom we compare with is one table, ``roster.PEERS``; what is
asked of them is another, ``workloads.WORKLOADS``; what we want to reach is a third,
``targets.TARGETS``.
"""
