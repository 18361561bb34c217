"""Training protocols by name. Add a new protocol here, and only here.

Haviv, Rivkind & Barak (2019), section 3, for `vocu` and `decu`; `none`, `recu` and `vocu-shuffled` go beyond the
paper's results. Jobs receive their protocol as a param, so adding an entry here reruns nothing.
"""

from slowpoints.core.looks import Look
from slowpoints.task.protocol import Protocol

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("vocu", Look("VoCu", "#0b4f8a", "-"), vocabulary=True),
        Protocol("decu", Look("DeCu", "#e08214", "--"), delay=True),
        Protocol("none", Look("no curriculum", "#5f5f5f", ":")),
        Protocol("recu", Look("ReCu", "#35978f", "-."), response=True),
        Protocol("vocu-shuffled", Look("VoCu, shuffled", "#8e6bbf", (0, (5, 1, 1, 1))), vocabulary=True, shuffled=True),
    )
}
"""In the order of figures and comparisons. Neighbouring colours differ in brightness, for prints in grey."""
