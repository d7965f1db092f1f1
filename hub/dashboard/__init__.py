"""What operators look at all day: pages over a site's data, served beside the API by the web process.

Pages are written by the server from what is stored and hold no state of their own. What happens reaches all open pages
from one task (`hub.dashboard.pulse`); what is asked goes to the hub by `Services.correct`. Nothing is fetched from
elsewhere: scripts, styles and fonts come from this package and NiceGUI's.
"""

from hub.dashboard.mounting import mount

__all__ = ["mount"]
