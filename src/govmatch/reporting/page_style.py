"""The page's style sheet and script: inline, so that it needs no other host."""

from __future__ import annotations

CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'unsafe-inline'"

STYLE = """
:root{color-scheme:light dark;--paper:#f5f2ea;--card:#fffdf9;--ink:#1c2a29;--muted:#5f6d69;--line:#e3ddd0;
--accent:#0f6e64;--soft:#d9ebe6;--warm:#b8431c;--warmsoft:#f8e3d6;--ground:#eef1ea;--halo:#fffdf9;
--s0:#b23a24;--s1:#dd8440;--s2:#e6c268;--s3:#7dbba6;--s4:#1b7a6d;--none:#b9bfb8}
@media (prefers-color-scheme:dark){:root{--paper:#0f1718;--card:#172224;--ink:#e4ece9;--muted:#94a5a1;
--line:#2a3a3c;--accent:#5cc9b8;--soft:#1d3a38;--warm:#f59a6a;--warmsoft:#43281c;--ground:#121d1f;--halo:#121d1f;
--s0:#d9583f;--s1:#e0904f;--s2:#dcc071;--s3:#6fae9b;--s4:#2f9c8b;--none:#55625f}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.6 system-ui,-apple-system,"PingFang SC",
"Microsoft YaHei","Noto Sans CJK SC","Source Han Sans SC","WenQuanYi Micro Hei",sans-serif}
main,header,footer{max-width:1180px;margin:0 auto;padding:0 28px}
header{padding-top:40px;padding-bottom:6px}
.mark{letter-spacing:.14em;font-size:12px;color:var(--accent);font-weight:600}
h1{font-size:32px;line-height:1.25;margin:6px 0 4px;font-weight:650;letter-spacing:.01em}
h1 small{display:block;font-size:17px;font-weight:400;color:var(--muted);letter-spacing:0}
h2{font-size:18px;margin:0 0 14px;font-weight:620}
h2 small,.en{font-weight:400;color:var(--muted);font-size:.82em;margin-left:.35em}
.meta{display:flex;flex-wrap:wrap;gap:10px;align-items:center;margin:14px 0 22px;color:var(--muted)}
.badge{border:1px solid var(--warm);background:var(--warmsoft);color:var(--warm);border-radius:99px;
padding:2px 13px;font-size:13px;font-weight:600}
.badge.ok{border-color:var(--accent);background:var(--soft);color:var(--accent)}
.grid{display:grid;gap:18px;grid-template-columns:repeat(12,1fr);margin-bottom:18px}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:20px 22px;min-width:0;
box-shadow:0 1px 2px rgba(20,40,40,.04)}
.w12{grid-column:span 12}.w8{grid-column:span 8}.w7{grid-column:span 7}.w6{grid-column:span 6}
.w5{grid-column:span 5}.w4{grid-column:span 4}
.keys{display:grid;grid-template-columns:repeat(5,1fr);gap:18px;margin-bottom:18px}
.key b{display:block;font-size:33px;line-height:1.15;font-weight:640;font-variant-numeric:tabular-nums}
.key b small{font-size:15px;font-weight:400;color:var(--muted);margin-left:3px}
.key span{color:var(--muted);font-size:13px}
.key.warm b{color:var(--warm)}.key.good b{color:var(--accent)}
.meter{height:5px;border-radius:3px;background:var(--warmsoft);margin-top:10px;overflow:hidden}
.meter i{display:block;height:100%;background:var(--accent)}
.proof{border-left:4px solid var(--accent)}
.proof.open{border-left-color:var(--warm)}
.proof p{margin:0 0 6px}.proof p.en{margin:0 0 12px;font-size:13.5px}
dl{display:flex;flex-wrap:wrap;gap:6px 26px;margin:0;font-size:13px}
dl div{display:flex;gap:7px}dt{color:var(--muted)}dd{margin:0;font-variant-numeric:tabular-nums}
code{font-family:ui-monospace,SFMono-Regular,Consolas,monospace;font-size:.92em}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--ink);font-size:13px}
.map{background:var(--ground);border-radius:10px}
.map text.town{font-size:15px;font-weight:600;text-anchor:middle;paint-order:stroke;stroke:var(--halo);
stroke-width:4px;stroke-linejoin:round;pointer-events:none}
.map circle{stroke:var(--card);stroke-width:1.1}
.map circle.assumed{stroke:var(--ink);stroke-width:.9;stroke-dasharray:2 2;stroke-opacity:.6}
.map circle:hover{stroke:var(--ink);stroke-width:2.2;stroke-dasharray:none}
.map path.flow{fill:none;stroke:var(--ink);stroke-linecap:round;stroke-opacity:.5}
.map path.flow:hover{stroke:var(--warm);stroke-opacity:1}
.map marker path{fill:var(--ink);fill-opacity:.7}
.s0{fill:var(--s0)}.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}
.s4{fill:var(--s4)}.none{fill:var(--none)}
.legend{display:flex;flex-wrap:wrap;gap:6px 18px;margin-top:12px;font-size:13px;color:var(--muted);
align-items:center}
.legend svg{display:inline-block;width:auto;height:18px;vertical-align:-4px;margin-right:5px}
.legend label{cursor:pointer}
.bar{display:grid;grid-template-columns:minmax(120px,38%) 1fr 74px;gap:12px;align-items:center;margin:9px 0;
font-size:14px}
.bar .track{height:14px;border-radius:7px;background:var(--line);overflow:hidden;display:flex}
.bar .fill{height:100%;background:var(--accent)}.bar .fill.warm{background:var(--warm)}
.bar .n{text-align:right;font-variant-numeric:tabular-nums}
.bar .en{display:block;margin:0;line-height:1.25}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th{text-align:left;font-weight:600;color:var(--muted);border-bottom:1.5px solid var(--line);
padding:6px 10px 6px 0;vertical-align:bottom;line-height:1.3}
th .en{display:block;margin:0}
td{border-bottom:1px solid var(--line);padding:6px 10px 6px 0;vertical-align:top;overflow-wrap:anywhere}
tr:last-child td{border-bottom:0}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.t{white-space:nowrap;font-variant-numeric:tabular-nums}
.scroll{max-height:520px;overflow:auto}
.scroll thead th{position:sticky;top:0;background:var(--card)}
.sortable th{cursor:pointer;user-select:none}
.sortable th[aria-sort]:after{content:" ▲";color:var(--accent);font-size:10px}
.sortable th[aria-sort=descending]:after{content:" ▼"}
.find{font:inherit;font-size:14px;width:100%;max-width:340px;padding:6px 12px;margin-bottom:12px;
border-radius:8px;border:1px solid var(--line);background:var(--paper);color:var(--ink)}
.empty{color:var(--muted);margin:4px 0}
footer{color:var(--muted);font-size:13px;padding-top:8px;padding-bottom:44px}
footer p{margin:4px 0;overflow-wrap:anywhere}
.noflows path.flow{display:none}.nonames text.town{display:none}
@media (max-width:860px){.w8,.w7,.w6,.w5,.w4{grid-column:span 12}.keys{grid-template-columns:repeat(2,1fr)}
main,header,footer{padding-left:16px;padding-right:16px}}
@media print{:root{--paper:#fff;--card:#fff;--ink:#111;--muted:#444;--line:#ccc;--halo:#fff;--ground:#fff}
body{font-size:11.5px}.card{break-inside:avoid;box-shadow:none}.scroll{max-height:none;overflow:visible}
.scroll thead th{position:static}.find,.legend label{display:none}.card.long{break-inside:auto}
.keys{grid-template-columns:repeat(5,1fr)}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""

SCRIPT = """
"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  table.tHead.addEventListener("click", event => {
    const head = event.target.closest("th");
    if (!head) return;
    const column = head.cellIndex, down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numeric = head.classList.contains("n"), sign = down ? -1 : 1;
    const key = row => row.cells[column].textContent;
    const number = row => parseFloat(key(row).replace(/[,%]/g, ""));
    const order = numeric
      ? (a, b) => (isNaN(number(a)) ? 1 : isNaN(number(b)) ? -1 : number(a) - number(b))
      : (a, b) => key(a).localeCompare(key(b), "zh");
    body.append(...[...body.rows].sort((a, b) => sign * order(a, b)));
  });
  const find = document.getElementById(table.dataset.find);
  if (find) find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}
for (const box of document.querySelectorAll("input[data-hides]"))
  box.addEventListener("change", () =>
    document.getElementById("map").classList.toggle(box.dataset.hides, !box.checked));
"""
