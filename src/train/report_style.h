#pragma once

namespace vitrine::detail {

/// The style of a report, for light and dark screens and for paper.
constexpr const char* kReportStyle = R"(
:root { color-scheme: light dark; --ground: #f6f6f4; --card: #ffffff; --edge: #e4e4e0;
  --text: #1c1d20; --muted: #6a6c73; --first: #2563c4; --second: #c2701c; --right: #2563c4;
  --wrong: #c43d3d; --on: #ffffff; --bar: #dbe6f8; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #141518; --card: #1c1e22; --edge: #2e3137; --text: #e9eaec; --muted: #9a9da6;
    --first: #74a7f7; --second: #eba55c; --right: #5b91e8; --wrong: #e26d6d; --on: #0d0e10;
    --bar: #2a3a55; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui,
  -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 56px; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; font-weight: 650; letter-spacing: -0.01em;
  overflow-wrap: anywhere; }
h2 { margin: 44px 0 14px; font-size: 19px; font-weight: 620; }
h3 { margin: 0 0 6px; font-size: 14px; font-weight: 600; }
.subtitle, .remark { margin: 4px 0 0; color: var(--muted); overflow-wrap: anywhere; }
.remark { margin: 0 0 12px; }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 10px;
  padding: 16px 18px; min-width: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 12px;
  margin-top: 24px; }
.tiles b { display: block; font-size: 24px; line-height: 1.3; font-weight: 620; }
.tiles .main b { color: var(--first); }
.tiles span { color: var(--muted); font-size: 13px; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr));
  gap: 14px; align-items: start; }
svg { display: block; width: 100%; height: auto; font-size: 12px; fill: var(--text); }
svg.matrix { margin: 0 auto; }
.card:has(svg.large), .card:has(svg.large) + .card { grid-column: 1 / -1; }
.tick, .label { fill: var(--muted); }
.label { fill: var(--text); }
.small { font-size: 10px; }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
.grid, .axis { stroke: var(--edge); }
.axis { stroke: var(--muted); stroke-opacity: 0.6; }
.mark { stroke: var(--muted); stroke-dasharray: 2 4; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.curve.line0 { stroke: var(--first); }
.curve.line1 { stroke: var(--second); }
.name { font-weight: 600; }
.name.line0, .point.line0 { fill: var(--first); }
.name.line1, .point.line1 { fill: var(--second); }
.last { fill: var(--muted); }
.point { opacity: 0; }
.point:hover { opacity: 1; }
.point .near { opacity: 0; }
.ground { fill: var(--ground); }
.right { fill: var(--right); }
.wrong { fill: var(--wrong); }
.on { fill: var(--on); }
.scroll { overflow: auto; max-height: 560px; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th { position: sticky; top: 0; background: var(--card); color: var(--muted); font-weight: 500;
  text-align: left; z-index: 1; }
th, td { padding: 5px 10px; border-bottom: 1px solid var(--edge); vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
tr:last-child td { border-bottom: 0; }
td.name { font-weight: 400; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
.share { position: relative; min-width: 110px; white-space: nowrap; }
.share i { position: absolute; inset: 5px auto 5px 6px; max-width: calc(100% - 12px);
  background: var(--bar); border-radius: 3px; }
.share b { position: relative; font-weight: 400; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(115px, 1fr)); gap: 14px; }
.pictures.wide { grid-template-columns: repeat(auto-fill, minmax(136px, 1fr)); gap: 18px 14px; }
figure { margin: 0; min-width: 0; }
figure img, .missing { display: block; width: 100%; aspect-ratio: 1; object-fit: contain;
  background: var(--ground); border-radius: 6px; }
img[src^="data:image/png"] { image-rendering: pixelated; }
.missing { display: grid; place-items: center; color: var(--muted); font-size: 12px; }
figcaption { margin-top: 5px; font-size: 13px; line-height: 1.35; overflow-wrap: anywhere; }
.pictures:not(.wide) figcaption { color: var(--muted); text-align: center; }
small { display: block; color: var(--muted); font-size: 12px; }
.good { font-weight: 600; }
.bad { font-weight: 600; color: var(--wrong); }
dl { margin: 0; columns: 3 280px; column-gap: 36px; font-size: 14px; }
dl div { display: flex; gap: 12px; justify-content: space-between; padding: 4px 0;
  border-bottom: 1px solid var(--edge); break-inside: avoid; }
dt { color: var(--muted); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; min-width: 0; }
footer { margin-top: 40px; color: var(--muted); font-size: 13px; }
@media print { .scroll { max-height: none; } main { padding: 0; } }
)";

}  // namespace vitrine::detail
