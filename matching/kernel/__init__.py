"""Which offer should go to which need: pure computation, no Django, no clock, no chance.

solve.solve(problem) -> Plan                    finds a plan
verify.verify(problem, plan) -> violations      judges it, knowing nothing of how it was found
explain.explain(problem, plan) -> Explanation   says why, as data
"""
