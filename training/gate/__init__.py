"""Whether an adapted network may take the deployed one's place, decided without anybody saying who is who.

Judged on tracklets that were not learned from (`holding_out`), by figures that fail in different ways. Each is paired:
both networks see the same tracklets, and the same people are drawn again for the interval of the difference.
"""
