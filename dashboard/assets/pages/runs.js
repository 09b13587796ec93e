/* The grid of runs: how its cells are written and drawn, and what of it stands in the address. */
(function () {
  "use strict";

  const functions = window.dashAgGridFunctions = window.dashAgGridFunctions || {};
  const parts = window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {};
  const marks = {running: "●", completed: "✓", stopped: "■", failed: "▲"};

  function missing(value) { return value === null || value === undefined; }

  function number(value) {
    if (missing(value)) { return ""; }
    const size = Math.abs(value);
    const text = size !== 0 && (size < 1e-3 || size >= 1e7) ? value.toExponential(3) : value.toLocaleString("en", {
      minimumSignificantDigits: size ? 4 : 1, maximumSignificantDigits: 4});
    return text.replace("-", "−");
  }

  function half(params) { return params.data && params.data["± " + params.colDef.field]; }

  /* A mean with half its interval where there is one. */
  functions.setpointInterval = function (params) {
    return number(params.value) + (missing(half(params)) ? "" : " ± " + half(params).toPrecision(2));
  };

  /* A saving with its sign, to the last place that its interval makes worth knowing. */
  functions.setpointSaved = function (params) {
    if (missing(params.value)) { return ""; }
    const known = half(params), places = known ? Math.min(4, Math.max(0, 1 - Math.floor(Math.log10(known)))) : 2;
    const text = (params.value > 0 ? "+" : "") + params.value.toFixed(places) + (known ? " ± " + known.toFixed(places) : "");
    return text.replace("-", "−");
  };

  /* Why a cell is empty. */
  functions.setpointReason = function (params, reason) { return missing(params.value) ? reason : null; };

  /* The same with the plant's own unit. */
  functions.setpointFigure = function (params) {
    const units = (params.context.units || {})[params.data.plant] || {};
    const unit = units[params.colDef.field.slice(4)];
    const text = functions.setpointInterval(params);
    return !text || !unit || unit === "–" ? text : text + " " + unit;
  };

  functions.setpointDuration = function (seconds) {
    if (seconds === null || seconds === undefined) { return "–"; }
    const s = Math.round(seconds), pad = function (n) { return String(n).padStart(2, "0"); };
    if (s < 60) { return s + " s"; }
    if (s < 3600) { return Math.floor(s / 60) + " min " + pad(s % 60) + " s"; }
    if (s < 86400) { return Math.floor(s / 3600) + " h " + pad(Math.floor(s % 3600 / 60)) + " min"; }
    return Math.floor(s / 86400) + " d " + pad(Math.floor(s % 86400 / 3600)) + " h";
  };

  functions.setpointMoment = function (seconds) {
    const t = new Date(1000 * seconds), pad = function (n) { return String(n).padStart(2, "0"); };
    return t.getFullYear() + "-" + pad(t.getMonth() + 1) + "-" + pad(t.getDate()) + " " + pad(t.getHours()) + ":" + pad(t.getMinutes());
  };

  /* Links inside the dashboard do not load it anew. */
  function go(event, href) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) { return; }
    event.preventDefault();
    window.history.pushState({}, "", href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  parts.RunLink = function (props) {
    const row = props.data, many = row.runs !== undefined;
    const query = new URLSearchParams(window.location.search);
    query.delete("seeds");
    query.set("group", row.id);
    const href = many && row.runs > 1 ? "/runs?" + query.toString() : "/runs/" + encodeURIComponent(many ? row.first : row.id);
    const text = many ? (row.runs === 1 ? row.first : row.runs + " runs of " + row.first.replace(/-[^-]*$/, "")) : row.id;
    return React.createElement("a", {href: href, className: "link", onClick: function (event) { go(event, href); }}, text);
  };

  parts.RunStatus = function (props) {
    const mark = React.createElement("span", {className: "mark"}, marks[props.value] || "");
    return React.createElement("span", {className: "status " + props.value}, mark, props.value);
  };

  /* Without its year, which a table of exported runs and who rests on it are told. */
  parts.RunMoment = function (props) { return props.valueFormatted.slice(5); };

  parts.RunCourse = function (props) {
    const course = props.value || [];
    if (course.length < 2) { return null; }
    const low = Math.min.apply(null, course), span = Math.max.apply(null, course) - low || 1;
    const points = course.map(function (value, k) {
      return (82 * k / (course.length - 1) + 1).toFixed(1) + "," + (19 - 16 * (value - low) / span).toFixed(1);
    });
    const line = React.createElement("polyline", {points: points.join(" ")});
    return React.createElement("svg", {width: 84, height: 22, className: "course", "aria-hidden": true}, line);
  };

  function put(name, value) {
    if (window.location.pathname !== "/runs") { return; } // the reader has gone on meanwhile
    const query = new URLSearchParams(window.location.search);
    if ((query.get(name) || "") === value) { return; }
    if (value) { query.set(name, value); } else { query.delete(name); }
    const text = query.toString();
    window.history.replaceState(window.history.state, "", window.location.pathname + (text ? "?" + text : ""));
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    runs: {
      search: async function (text, id) {
        const api = await window.dash_ag_grid.getApiAsync(id);
        api.setGridOption("quickFilterText", text || "");
        put("search", text || "");
      },

      /* Sorting and filtering belong to the address, but must not draw the page anew. */
      remember: function (columns, filter) {
        if (columns) {
          const sorted = columns.find(function (column) { return column.sort; });
          const text = sorted ? (sorted.sort === "desc" ? "-" : "") + sorted.colId : "";
          put("sort", text === "-started" ? "" : text);
        }
        if (filter) { put("filter", Object.keys(filter).length ? JSON.stringify(filter) : ""); }
      },

      choose: function (rows, stamp) {
        const chosen = (rows || []).filter(function (row) { return row.runs === undefined; }).map(function (row) { return row.id; });
        const words = chosen.length < 2 ? "Tick rows to compare" : "Compare " + chosen.length + " runs";
        const href = chosen.length < 2 ? "" : "/compare?runs=" + chosen.slice(0, 12).map(encodeURIComponent).join(",");
        return [words, href, Object.assign({}, stamp, {chosen: chosen})];
      },

      csv: async function (clicks, id) {
        const api = await window.dash_ag_grid.getApiAsync(id);
        if (clicks) { api.exportDataAsCsv({fileName: "setpoint-runs.csv"}); }
      }
    }
  });
})();
