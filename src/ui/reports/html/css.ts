/**
 * The style sheet of reports. Colours are chosen for a contrast of at least 4.5 as text in both themes (a browser test
 * measures them), and nothing is said by colour alone. Printing is always light, with everything unfolded.
 */

const LIGHT = `--page:#f6f7f8;--card:#fff;--sunk:#f1f3f5;--ink:#171b20;--soft:#56606b;--line:#dfe3e8;--before:#a8b3c0;
--after:#1d5fc4;--link:#1a56b0;--bad:#b3261e;--warn:#855600;--good:#1a7037;--bad-bg:#fdf1ef;--warn-bg:#fdf6e5;--good-bg:#eff8f1`

const DARK = `--page:#101418;--card:#181d23;--sunk:#20262d;--ink:#e7ebef;--soft:#a1acb8;--line:#2e363f;--before:#5f6c7a;
--after:#7fb2ff;--link:#8dbbff;--bad:#ff9389;--warn:#f0bb52;--good:#6fd08c;--bad-bg:#2a1a1a;--warn-bg:#28210f;--good-bg:#14251a`

const BASE = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
main,footer{max-width:1000px;margin:0 auto;padding:0 24px}
main{padding-top:40px}
h1,h2,h3,h4,p,dl,dd,ul,table{margin:0;padding:0}
h2,.h2{font-size:20px;line-height:1.3;font-weight:650;letter-spacing:-.01em;margin:44px 0 14px}
.h2 small,h2 small{font-weight:400;font-size:15px;color:var(--soft);letter-spacing:0}
a{color:var(--link);text-underline-offset:2px}
a:focus-visible,summary:focus-visible{outline:2px solid var(--link);outline-offset:3px;border-radius:3px}
ul{list-style:none}
.soft{color:var(--soft)}.after{color:var(--after)}
.bad{color:var(--bad)}.warn{color:var(--warn)}.good{color:var(--good)}
.n{unicode-bidi:isolate}
code,.mono{font:13px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
.i{width:1em;height:1em;vertical-align:-.125em;flex:none;fill:none;stroke:currentColor;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}
table{border-collapse:collapse;width:100%;text-align:left}
th{font-weight:400}
thead th{font-size:13px;color:var(--soft);font-weight:400;vertical-align:bottom}
.r{text-align:right;white-space:nowrap}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px}
.hide{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
`

const HEAD = `
.over{color:var(--soft);margin-bottom:18px}
.over b{color:var(--ink);font-weight:650}
.verdict{display:flex;align-items:center;gap:.3em;font-size:40px;line-height:1.15;font-weight:700;letter-spacing:-.025em;margin:0 0 10px}
.lead{font-size:18px;line-height:1.5;max-width:44em}
.tally{display:flex;gap:3px;margin:24px 0 10px;height:10px}
.tally i{min-width:4px;background:var(--line)}
.tally i:first-child{border-radius:5px 0 0 5px}.tally i:last-child{border-radius:0 5px 5px 0}.tally i:only-child{border-radius:5px}
.tally .bad{background:var(--bad)}.tally .warn{background:var(--warn)}.tally .good{background:var(--good)}.tally .mild{background:var(--good);opacity:.55}
.keys{display:flex;flex-wrap:wrap;gap:4px 20px}
.keys li{display:flex;align-items:center;gap:6px}
.keys b{font-weight:650}
.do{margin:28px 0 0;padding:18px 20px}
.do h2,.do h3{margin:0 0 4px;font-size:15px}
.do code{display:block;margin-top:12px;padding:10px 14px;background:var(--sunk);border-radius:6px;white-space:pre-wrap}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:18px 28px;margin:28px 0 0}
.facts dt{font-size:13px;color:var(--soft)}
.facts dd{font-weight:600}
.facts dd span{display:block;font-weight:400;color:var(--soft)}
`

const COLUMNS = `
.col{padding:20px 22px 22px;margin-bottom:14px}
.top{display:flex;flex-wrap:wrap;align-items:baseline;gap:2px 12px}
.top h3,.top h4{font-size:17px;line-height:1.35;font-weight:650;max-width:100%}
.kind{font-size:13px;color:var(--soft)}
.tag{display:inline-flex;align-items:center;gap:5px;font-weight:600;white-space:nowrap}
.top .tag{margin-left:auto}
.say{margin-top:2px;font-size:16px}
.two{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:24px 44px;margin-top:18px}
.groups th,.groups td{padding:3px 0;vertical-align:middle}
.groups thead th{padding-bottom:6px}
.groups tbody th{width:32%;padding-right:14px;line-height:1.3;font-size:14px}
.groups tbody .x{font-style:italic;color:var(--soft)}
.groups .r{width:4.6em;padding-left:10px;font-size:14px}
.groups td.r:nth-of-type(2){color:var(--soft)}
.groups .most td.r:last-child,.groups .most th{font-weight:650}
.groups svg{display:block;width:100%;height:16px}
.b{fill:var(--before)}.a{fill:var(--after)}
.groups .sw{display:inline-block;width:14px;height:12px;margin-right:6px;vertical-align:-1px}
.ev li{font-size:14px}
.ev ul{margin-top:14px}
.ev li{padding:2px 0 2px 18px;position:relative}
.ev li:before{content:"";position:absolute;left:3px;top:.68em;width:7px;height:2px;background:var(--soft)}
.bul{display:block;width:100%;height:26px;overflow:visible}
.bul .t{fill:var(--sunk)}.bul .e{fill:var(--bad)}.bul .e.ok{fill:var(--after)}.bul .l{stroke:var(--ink);stroke-width:2.5}
.hatch{stroke:var(--soft);stroke-width:1.3}.bul .z{fill:url(#hatch)}
.legend{display:flex;flex-wrap:wrap;gap:2px 18px;margin-top:8px;font-size:14px}
.legend div{display:flex;align-items:center;gap:6px}
.legend dt{color:var(--soft)}.legend dd{font-weight:600}
.legend svg{width:12px;height:12px;flex:none}
.more{margin-top:12px;font-size:14px}
.more summary{color:var(--soft)}
.more dl{display:grid;grid-template-columns:auto 1fr;gap:1px 14px;margin-top:6px}
`

const LISTS = `
summary{cursor:pointer;list-style:none;display:flex;align-items:baseline;gap:9px}
summary::-webkit-details-marker{display:none}
summary:before{content:"";flex:none;width:7px;height:7px;border:solid var(--soft);border-width:0 2px 2px 0;transform:rotate(-45deg) translate(-1px,-1px)}
details[open]>summary:before{transform:rotate(45deg) translate(-2px,-1px)}
.fold{margin-bottom:14px}
.fold>summary{padding:15px 22px;font-weight:600}
.fold>summary span{font-weight:400;color:var(--soft)}
.fold>div{padding:0 22px 14px}
.list{margin-bottom:14px;padding:8px 22px}
.rows td,.rows th{padding:10px 0;border-top:1px solid var(--line);vertical-align:middle}
.rows thead th{border:0;padding:4px 0 6px}
.rows td+td,.rows th+td,.rows th+th{padding-left:20px}
.rows th[scope=row]{line-height:1.4;vertical-align:middle}.sec thead th:first-child{width:55%}
.rows th b{font-weight:600}
.rows tbody th>span{display:block;color:var(--soft);font-size:14px}
.mini{width:110px}.mini svg{display:block;width:110px;height:26px}
.is{width:8.2em}.eff{width:150px}.eff .bul{height:14px;margin-top:3px}
.sec{padding:8px 22px}
.sec>p{padding:12px 0 10px}
.notes li{padding:9px 0;border-top:1px solid var(--line)}
.notes li:first-child{border:0}
.ident{display:grid;grid-template-columns:minmax(120px,190px) minmax(0,1fr);padding:14px 22px}
.ident dt,.ident dd{padding:6px 0}
.ident dt{color:var(--soft);padding-right:16px}
.read p{max-width:46em;padding-bottom:8px}
footer{padding-top:36px;padding-bottom:56px;color:var(--soft);font-size:13px}
`

const TREND = `
.strip{display:flex;flex-wrap:wrap;gap:5px;margin:24px 0 8px;font-size:20px}
.strip li{display:flex}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr));gap:14px;margin-bottom:14px}
.chartbox{padding:16px 18px 12px}
.chartbox h3{font-size:16px;font-weight:650;line-height:1.35}
.now{font-size:14px;display:flex;flex-wrap:wrap;gap:0 12px;margin-bottom:12px}
.now b{color:var(--ink);font-weight:600}
.chart{display:block;width:100%;height:84px;overflow:visible}
.chart path{fill:none;vector-effect:non-scaling-stroke;stroke-linecap:round;stroke-linejoin:round}
.chart .noise{fill:var(--line)}
.chart .lim{stroke:var(--ink);stroke-width:1.3;stroke-dasharray:5 5}
.chart .line{stroke:var(--after);stroke-width:1.6}
.chart .dot{stroke:var(--after);stroke-width:5}.chart .hit{stroke:var(--bad);stroke-width:9}
.span{display:flex;justify-content:space-between;margin-top:8px;padding-top:5px;border-top:1px solid var(--line);font-size:13px;color:var(--soft)}
`

const NARROW = `
@media screen and (max-width:720px){
main,footer{padding-left:16px;padding-right:16px}main{padding-top:24px}
.verdict{font-size:32px}.lead{font-size:17px}
.two{grid-template-columns:minmax(0,1fr);gap:20px}
.col,.list,.sec,.do,.ident{padding-left:16px;padding-right:16px}
.fold>summary,.fold>div{padding-left:16px;padding-right:16px}
.facts{grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:14px 20px}
.top .tag{margin:0;order:-1;width:100%;font-size:14px}
.groups tbody th{width:34%;padding-right:10px}.groups .r{width:3.3em;padding-left:6px}.groups .sw{display:block;margin:0 0 3px auto}
.rows td+td,.rows th+td,.rows th+th{padding-left:10px}
.mini,.mini svg{width:60px}
.eff{width:50px;white-space:nowrap}.list .is,.fold .is{width:16px}
.list .is span span,.fold .is span span,.is>span:only-child:not(.tag){position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}.eff svg,.eff .lim{display:none}
.wide{display:none}
.lines,.lines tbody{display:block}.lines thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.lines tbody tr{display:flex;flex-wrap:wrap;align-items:baseline;gap:2px 9px;padding:11px 0;border-top:1px solid var(--line)}.lines tbody tr:first-child{border:0}
.lines tbody th,.lines tbody td{display:block;padding:0;border:0}.lines tbody th{width:100%}.lines tbody td{font-size:14px}.lines tbody td:last-child{margin-left:auto}
.lines [data-l]:after{content:" " attr(data-l);color:var(--soft)}.lines tbody td+td,.lines tbody th+td{padding-left:0}
.ident{grid-template-columns:minmax(0,1fr)}.ident dd{padding-top:0}.ident dt{padding-bottom:0}
}
`

const PRINT = `
@media print{
@page{margin:14mm}
body{background:#fff;font-size:10.5pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main,footer{max-width:none;padding:0}
details::details-content{content-visibility:visible;height:auto;display:block}
summary:before{display:none}
.card{border-color:#ccc}
.col,.chartbox,.rows tr,.do,.notes li{break-inside:avoid}
h2,.h2,.top,thead{break-after:avoid}
a{color:inherit;text-decoration:none}
}
`

/** Lines are joined: they are for us to read, not for a browser. */
export const CSS =
  `:root{color-scheme:light dark;${LIGHT}}@media screen and (prefers-color-scheme:dark){:root{${DARK}}}${BASE}${HEAD}${COLUMNS}${LISTS}${TREND}${NARROW}${PRINT}`.replaceAll(
    '\n',
    '',
  )
