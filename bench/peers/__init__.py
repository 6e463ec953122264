"""What others do to match supplies with needs, written for the kernel's Problem so that all answer one question.

volunteers.py  the loop that volunteer projects write, and a careful greedy
getusppe.py    the three ways of GetUsPPE: first come, nearest, transport by linear programme
flows.py       what no plan can beat
oracles.py     the same flow from other solvers, and the exact optimum of small families
measures.py    what a plan is worth, in the figures of the field
goals.py       what the kernel was asked to reach
"""
