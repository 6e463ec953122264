"""The kernel alone, without a database, on the instance of `bench.matching_kernel`."""

from bench.matching_kernel import measure as measure_kernel
from bench.reporting import Report, Table

SIZES = (1_000, 10_000)


def measure() -> Report:
    found = [measure_kernel(rows) for rows in SIZES]
    rows = [
        [
            figures["rows"],
            figures["kernel"]["seconds"],
            figures["kernel"]["seconds_verify"],
            figures["naive"]["seconds"],
            figures["times_faster"],
            figures["kernel"]["peak_mib"],
            _percent(figures["kernel"]["fill_by_class"]),
            _percent(figures["naive"]["fill_by_class"]),
        ]
        for figures in found
    ]
    return Report(
        "kernel",
        "The kernel against a greedy loop, in memory",
        "One synthetic instance of China with as many needs as offers. Peak memory is what Python allocated (`tracemalloc`),"
        " the kernel's arrays included. Fill is the share of the units of urgency 1 to 4.",
        [
            Table(
                [
                    "rows",
                    "solve s",
                    "verify s",
                    "loop s",
                    "loop / solve",
                    "peak MiB",
                    "fill",
                    "fill of the loop",
                ],
                rows,
            )
        ],
        {"sizes": found},
    )


def _percent(shares: list[float]) -> str:
    return " ".join(f"{share:.0%}" for share in shares)
