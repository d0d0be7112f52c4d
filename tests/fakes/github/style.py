"""How the pages look: small, and familiar to who knows GitHub."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --fg: #1f2328; --muted: #59636e; --line: #d1d9e0; --bg: #fff;
  --soft: #f6f8fa; --accent: #0969da; --open: #1a7f37; --draft: #59636e; --code: #818b981f;
  --add: #dafbe1; --del: #ffebe9; --hunk: #ddf4ff; --mine: #ddf4ff; --mine-line: #54aeff66; }
@media (prefers-color-scheme: dark) { :root { --fg: #f0f6fc; --muted: #9198a1; --line: #3d444d;
  --bg: #0d1117; --soft: #151b23; --accent: #4493f8; --open: #238636; --draft: #656c76;
  --code: #656c7633; --add: #2ea04326; --del: #f8514926; --hunk: #388bfd1a; --mine: #388bfd1a;
  --mine-line: #388bfd66; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--fg); font: 14px/1.5 -apple-system,
  BlinkMacSystemFont, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
.top { background: var(--soft); border-bottom: 1px solid var(--line); padding: 14px 32px;
  font-size: 15px; } .top b { font-weight: 600; } .top small { float: right; color: var(--muted); }
main { max-width: 1216px; margin: 24px auto; padding: 0 32px; }
h1.title { font-size: 32px; line-height: 1.25; font-weight: 400; margin: 0 0 8px; }
h1.title span { color: var(--muted); font-weight: 300; }
.state { display: inline-block; border-radius: 2em; padding: 5px 12px; color: #fff;
  background: var(--open); font-weight: 500; } .state.draft { background: var(--draft); }
.state.closed { background: #8250df; } .sub { color: var(--muted); margin-left: 8px; }
.head { border-bottom: 1px solid var(--line); padding-bottom: 16px; margin-bottom: 24px; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) 256px; gap: 24px; }
@media (max-width: 800px) { .columns { display: block; } main { padding: 0 16px; } }
aside h4 { font-size: 12px; color: var(--muted); margin: 0 0 8px; }
aside section { border-bottom: 1px solid var(--line); padding-bottom: 16px; margin-bottom: 16px; }
.label { display: inline-block; border: 1px solid var(--line); border-radius: 2em; padding: 0 10px;
  font-size: 12px; line-height: 22px; font-weight: 500; margin: 0 4px 4px 0; }
.entry { display: flex; gap: 16px; position: relative; padding-bottom: 16px; }
.avatar { width: 40px; height: 40px; border-radius: 50%; flex: none; }
.box { flex: 1; min-width: 0; border: 1px solid var(--line); border-radius: 6px; }
.box > header { background: var(--soft); border-bottom: 1px solid var(--line); color: var(--muted);
  border-radius: 6px 6px 0 0; padding: 8px 16px; display: flex; justify-content: space-between; }
.box > header b { color: var(--fg); font-weight: 600; }
.box.asker > header { background: var(--mine); border-color: var(--mine-line); }
.box.asker { border-color: var(--mine-line); }
.badge { border: 1px solid var(--line); border-radius: 2em; padding: 0 7px; font-size: 12px;
  line-height: 18px; display: inline-block; color: var(--muted); font-weight: 500; }
.body { padding: 16px; overflow-wrap: break-word; } .body > :first-child { margin-top: 0; }
.body > :last-child { margin-bottom: 0; } .empty { color: var(--muted); font-style: italic; }
.body h1, .body h2 { border-bottom: 1px solid var(--line); padding-bottom: .3em; }
.body h1 { font-size: 1.7em; } .body h2 { font-size: 1.4em; } .body h3 { font-size: 1.2em; }
.body h1, .body h2, .body h3, .body h4 { margin: 20px 0 12px; line-height: 1.25; }
.body p, .body ul, .body ol, .body table, .body pre, .body blockquote, .body details {
  margin: 0 0 14px; }
.body ul, .body ol { padding-left: 2em; } .body li + li { margin-top: .2em; }
.body li:has(> input, > p > input) { list-style: none; margin-left: -1.5em; }
.body blockquote { border-left: .25em solid var(--line); color: var(--muted); padding: 0 1em; }
.body table { border-collapse: collapse; display: block; overflow: auto; }
.body th, .body td { border: 1px solid var(--line); padding: 6px 13px; }
.body tr:nth-child(2n) { background: var(--soft); } .body hr { border: 0; height: 3px;
  background: var(--line); } summary { cursor: pointer; }
code, pre, .patch { font: 12px/1.5 ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas,
  "Liberation Mono", monospace; }
.body code { background: var(--code); border-radius: 6px; padding: .2em .4em; }
.body pre { background: var(--soft); border-radius: 6px; padding: 14px; overflow: auto; }
.body pre code { background: none; padding: 0; } .mention { color: var(--fg); font-weight: 600; }
pre.diff span { display: block; } .added { background: var(--add); } .removed {
  background: var(--del); } .hunk { background: var(--hunk); color: var(--muted); }
.alert { display: block; } .alert.note { color: var(--accent); } .alert.tip { color: var(--open); }
.alert.warning, .alert.caution { color: #d1242f; } .alert.important { color: #8250df; }
.reactions { padding: 0 16px 12px; } .reactions span { border: 1px solid var(--line);
  border-radius: 100px; padding: 1px 8px; margin-right: 6px; display: inline-block; }
.file { border: 1px solid var(--line); border-radius: 6px; margin: 16px 0; overflow: hidden; }
.file-head { background: var(--soft); border-bottom: 1px solid var(--line); padding: 8px 16px;
  display: flex; justify-content: space-between; } .plus { color: var(--open); font-weight: 600; }
.minus { color: #d1242f; font-weight: 600; }
.patch { border-collapse: collapse; width: 100%; display: block; overflow: auto; }
.patch td { padding: 0 10px; white-space: pre; } .patch td:last-child { width: 100%; }
.patch td:nth-child(-n+2) { color: var(--muted); text-align: right; min-width: 44px;
  user-select: none; }
.branch { background: var(--hunk); color: var(--accent); border-radius: 6px; padding: 2px 6px; }
.list { border: 1px solid var(--line); border-radius: 6px; list-style: none; padding: 0; }
.list li { padding: 12px 16px; } .list li + li { border-top: 1px solid var(--line); }
.list a { font-size: 16px; font-weight: 600; color: var(--fg); }
"""
