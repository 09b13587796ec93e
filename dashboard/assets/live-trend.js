/* The live page's trend: the lines are kept here and handed to Plotly twice a second at most, at once after an order. */
(function () {
  "use strict";

  const live = window.setpointLive, APART = 500, KEPT = 1500, LINES = ["pv", "sp", "op"];

  live.buildTrend = function (plan) {
    live.trend = {span: plan.span, drawn: 0, held: false, late: 0, theme: "", ranges: {}, history: {A: null, B: null}};
  };

  live.takeSamples = function (found) {
    ["A", "B"].forEach(function (twin) {
      const given = found.samples[twin];
      let kept = live.trend.history[twin];
      if (!kept || given.first !== kept.first + kept.share.length) {
        kept = live.trend.history[twin] = {first: given.first, share: [], pv: given.pv.map(none), sp: given.sp.map(none), op: given.op.map(none), bounds: given.bounds.map(function (lines) { return lines.map(none); })};
      }
      const extra = kept.share.length + given.share.length - KEPT;
      const bounds = kept.bounds.flatMap(function (lines, i) { return lines.map(function (old, k) { return [old, given.bounds[i][k]]; }); });
      [[kept.share, given.share], ...bounds, ...LINES.flatMap(function (line) { return kept[line].map(function (old, i) { return [old, given[line][i]]; }); })]
        .forEach(function ([old, fresh]) { old.push(...fresh); if (extra > 0) { old.splice(0, extra); } });
      if (extra > 0) { kept.first += extra; }
    });
  };
  function none() { return []; }

  live.drawTrend = function (now) {
    const trend = live.trend, plot = document.querySelector("#live-trend .js-plotly-plot");
    window.clearTimeout(trend.late);
    if (!live.last || !trend.history.A || !document.getElementById("live-trend")) { return; }
    if (!plot || !plot.data || !window.Plotly) { trend.late = window.setTimeout(function () { live.drawTrend(true); }, 100); return; }
    const since = performance.now() - trend.drawn;
    if (!now && since < APART) { trend.late = window.setTimeout(function () { live.drawTrend(true); }, APART - since); return; }
    trend.drawn = performance.now();
    if (!plot.dataset.live) { listen(plot); }
    const x = [], y = [], indices = [], layout = {}, theme = document.documentElement.dataset.theme;
    plot.data.forEach(function (trace, k) {
      const line = points(trace.meta);
      x.push(line.x); y.push(line.y); indices.push(k);
    });
    const seconds = live.plan.unit.seconds, last = live.last.k, ahead = foresees() ? 0.18 : 0.03;
    if (!trend.held) {
      const from = Math.max(0, last - trend.span * (1 - ahead));
      layout["xaxis.range"] = [from * live.plan.period / seconds, (from + trend.span) * live.plan.period / seconds];
      Object.keys(plot._fullLayout).filter(function (key) { return /^xaxis\d+$/.test(key); }).forEach(function (key) { layout[key + ".range"] = layout["xaxis.range"]; });
      heights(plot, x, y, layout);
    }
    const style = {x: x, y: y};
    fit(plot);
    if (trend.theme !== theme) { trend.theme = theme; colours(plot, style); }
    window.Plotly.update(plot, style, layout, indices);
  };

  /* The trend is as tall as the window leaves it, so that an operator sees all of it at once. */
  function fit(plot) {
    const box = plot.closest(".graph"), rows = live.plan.shown.length, left = window.innerHeight - box.getBoundingClientRect().top - window.scrollY - 16;
    const tall = Math.round(Math.max(120 + 165 * rows, Math.min(left, 420 * rows))) + "px";
    if (box.style.height !== tall || Math.abs(plot._fullLayout.width - box.clientWidth) > 1) {
      box.style.height = tall;
      window.Plotly.Plots.resize(plot);
    }
  }

  function foresees() { return ["A", "B"].some(function (twin) { return live.last.twins[twin].ahead.length > 0; }); }

  /* The samples of a line; what holds now is drawn up to now, so that an order is on the trend before the next decision. */
  function points(meta) {
    const kept = live.trend.history[meta.twin], per = live.plan.period / live.plan.unit.seconds, seen = live.last.twins[meta.twin];
    if (meta.kind === "ahead") {
      const line = seen.ahead[meta.loop] || [];
      return {x: line.map(function (_, i) { return (live.last.k + i) * per; }), y: line};
    }
    const values = meta.kind === "share" ? kept.share : meta.kind === "bound" || meta.kind === "edge" ? kept.bounds[meta.loop][meta.place] : kept[meta.kind][meta.loop];
    const skip = Math.max(0, values.length - live.trend.span - 1), part = live.trend.held ? values : values.slice(skip), first = kept.first + (live.trend.held ? 0 : skip);
    const x = part.map(function (_, i) { return (first + i) * per; });
    if (meta.kind === "share") { return {x: x, y: part.map(function (share) { return 100 * Math.min(1, 1 - share); })}; }
    if (meta.kind === "pv" || meta.kind === "bound") { return {x: x, y: part}; }
    if (meta.kind === "edge") { return {x: x, y: part.map(function () { return edge(meta); })}; }
    const now = seen.faces[meta.loop][meta.kind === "sp" ? (seen.faces[meta.loop][4] === 2 ? 2 : 1) : 3];
    const supervised = meta.kind === "sp" && live.plan.loops[meta.loop].supervised && seen.faces[meta.loop][4] === 2;
    if (supervised || now === null) { return {x: x, y: part}; }
    const after = live.last.k * per;
    return {x: x.concat([after, after + 0.02 * live.trend.span * per]), y: part.concat([now, now])};
  }

  /* Where no axis reaches, beyond a limit. */
  function edge(meta) {
    const scale = live.plan.loops[meta.loop].scale, far = 1000 * Math.abs(scale[1] - scale[0]);
    return meta.side === "high" ? scale[1] + far : scale[0] - far;
  }

  /* An axis holds all that is shown of its lines; it grows at once, and shrinks once they need less than half of it. */
  function heights(plot, x, y, layout) {
    const need = {};
    plot.data.forEach(function (trace, k) {
      if (["share", "bound", "edge"].includes(trace.meta.kind)) { return; }
      const axis = "yaxis" + (trace.yaxis || "y").slice(1), box = need[axis] || (need[axis] = {low: Infinity, high: -Infinity, meta: trace.meta});
      const from = layout["xaxis.range"][0];
      y[k].forEach(function (value, i) { if (value !== null && x[k][i] >= from) { box.low = Math.min(box.low, value); box.high = Math.max(box.high, value); } });
    });
    Object.entries(need).forEach(function ([axis, box]) {
      if (!(box.high >= box.low)) { return; }
      const loop = live.plan.loops[box.meta.loop], full = box.meta.kind === "op" ? loop.out.range : loop.scale, least = 0.04 * (full[1] - full[0]);
      const air = Math.max(0.12 * (box.high - box.low), least / 2), low = box.low - air, high = box.high + air, old = live.trend.ranges[axis];
      if (old && low >= old[0] - air && high <= old[1] + air && box.low >= old[0] && box.high <= old[1] && high - low > 0.5 * (old[1] - old[0])) { return; }
      live.trend.ranges[axis] = layout[axis + ".range"] = [low, high];
    });
  }

  function colours(plot, style) {
    const pens = {A: window.setpoint.colour("--lv-a"), B: window.setpoint.colour("--lv-b")};
    style["line.color"] = plot.data.map(function (trace) { return trace.meta.kind === "bound" ? window.setpoint.colour("--bad") : pens[trace.meta.twin]; });
    style["marker.color"] = style["line.color"];
  }

  /* A reader who zooms keeps what he looks at; a double click lets the trend run on. */
  function listen(plot) {
    plot.dataset.live = "yes";
    plot.on("plotly_relayout", function (change) { if (Object.keys(change).some(function (key) { return /axis\d*\.range\[/.test(key); })) { live.trend.held = true; } });
    plot.on("plotly_doubleclick", function () { live.trend.held = false; live.trend.ranges = {}; live.drawTrend(true); });
  }

  document.addEventListener("setpoint:theme", function () { if (live.trend) { live.drawTrend(true); } });
})();
