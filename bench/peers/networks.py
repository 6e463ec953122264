"""Network simplex of networkx on a flow read from standard input; seconds and cost on standard output.

Runs in an environment of its own with nothing but networkx, so it imports nothing of ours.
"""

import json
import sys
import time

import networkx


def solved(nodes, arcs):
    """Seconds and cost of the cheapest flow. nodes: what each sends out. arcs: tail, head, capacity, cost, no two alike."""
    began = time.process_time()
    graph = networkx.DiGraph()
    graph.add_nodes_from((node, {"demand": -balance}) for node, balance in enumerate(nodes))
    graph.add_edges_from((t, h, {"capacity": capacity, "weight": cost}) for t, h, capacity, cost in arcs)
    cost, _ = networkx.network_simplex(graph)
    return {"seconds": time.process_time() - began, "cost": cost}


if __name__ == "__main__":
    json.dump([solved(**network) for network in json.load(sys.stdin)], sys.stdout)
