"""How the report looks, on a light screen and on a dark one."""

STYLE = """
:root { --paper: #ffffff; --ink: #1b1f24; --pale: #66707c; --edge: #dfe3e8; --card: #f6f8fa;
  --good: #1a7f4b; --bad: #c0362c; --plain: #7b8794; --before: #8b97a5; --after: #1f6feb; --two: #d97706;
  --goodcard: #e9f6ee; --badcard: #fdeeec; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161b; --ink: #e6eaef; --pale: #98a3b0; --edge: #2c343e;
  --card: #1a2027; --good: #4cc38a; --bad: #f2776b; --plain: #8a95a3; --before: #8b97a5; --after: #6cb0ff;
  --two: #f0a83c; --goodcard: #14281e; --badcard: #2d1917; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 40px; }
header { border-radius: 10px; padding: 18px 24px; border-left: 8px solid; }
header.passed { background: var(--goodcard); border-color: var(--good); }
header.refused { background: var(--badcard); border-color: var(--bad); }
header h1 { margin: 0 0 6px; font-size: 32px; line-height: 1.2; }
header.passed h1 { color: var(--good); }
header.refused h1 { color: var(--bad); }
header .title { margin: 0; color: var(--pale); }
header ul { margin: 0 0 8px; padding-left: 20px; }
header p:last-child { margin: 0; color: var(--pale); }
h2 { margin: 34px 0 10px; font-size: 20px; }
small, .note, footer { color: var(--pale); font-size: 13px; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; color: var(--pale); font-size: 13px; }
th, td { padding: 8px 10px; border-bottom: 1px solid var(--edge); vertical-align: middle; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.change { width: 240px; text-align: center; line-height: 1.2; }
.state { white-space: nowrap; font-weight: 600; }
tr.better .state { color: var(--good); }
tr.worse .state { color: var(--bad); }
tr.same .state, tr.unknown .state { color: var(--pale); font-weight: 400; }
tr.unknown { opacity: .6; }
svg.interval { width: 220px; height: 26px; }
.axis { stroke: var(--edge); }
.zero { stroke: var(--pale); }
.limit { stroke: var(--pale); stroke-dasharray: 2 3; }
.interval rect { fill: var(--plain); opacity: .45; }
.interval circle { fill: var(--plain); }
.interval.better rect, .interval.better circle { fill: var(--good); }
.interval.worse rect, .interval.worse circle { fill: var(--bad); }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(380px, 1fr)); gap: 16px; margin-top: 26px; }
figure { margin: 0; padding: 14px 16px; background: var(--card); border-radius: 10px; }
figcaption { min-height: 46px; }
svg.chart { width: 100%; height: auto; display: block; }
.grid { stroke: var(--edge); }
.tick { fill: var(--pale); font-size: 11px; }
.line { fill: none; stroke-width: 2.2; stroke: var(--after); }
.line.before { stroke: var(--before); stroke-dasharray: 6 3; }
.line.two { stroke: var(--two); }
.key::before { content: ""; display: inline-block; width: 14px; height: 3px; margin: 0 5px 4px 8px;
  background: var(--after); }
.key.before::before { background: repeating-linear-gradient(90deg, var(--before) 0 4px, transparent 4px 6px); }
.key.two::before { background: var(--two); }
.key { font-size: 13px; color: var(--pale); }
img.sheet { width: 100%; max-width: 832px; border-radius: 8px; }
footer { margin-top: 34px; border-top: 1px solid var(--edge); padding-top: 10px; }
"""
