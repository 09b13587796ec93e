/* The live page's parts: small makers of elements, the orders, and the numbers as they are shown. */
(function () {
  "use strict";

  const live = window.setpointLive = {session: null, plan: null, last: null, twins: "AB", loop: 0, pending: {}, queued: null, sending: Promise.resolve(), answered: []};

  live.make = function (tag, attributes, ...children) {
    const made = document.createElement(tag);
    Object.entries(attributes || {}).forEach(function ([key, value]) {
      if (key.startsWith("on")) { made.addEventListener(key.slice(2), value); }
      else if (value !== null && value !== undefined && value !== false) { made.setAttribute(key, value === true ? "" : value); }
    });
    children.flat(Infinity).forEach(function (child) { if (child !== null && child !== undefined) { made.append(child); } });
    return made;
  };

  /* Text is written only where it changes: a browser lays out what is written. */
  live.write = function (node, text) { if (node.textContent !== text) { node.textContent = text; } };
  live.mark = function (node, name, on) { if (node.classList.contains(name) !== Boolean(on)) { node.classList.toggle(name, Boolean(on)); } };
  live.set = function (node, name, value) { if (node.getAttribute(name) !== String(value)) { node.setAttribute(name, String(value)); } };

  /* The rows of a list: one of which nothing has changed stays the element that it is, or a press on it would be lost. */
  live.rows = function (root, items, made) {
    const kept = new Map(Array.from(root.children, function (row) { return [row.told, row]; }));
    const rows = items.map(function (item) {
      const told = JSON.stringify(item), row = kept.get(told) || made(item);
      kept.delete(told);
      row.told = told;
      return row;
    });
    Array.from(root.children).forEach(function (row) { if (!rows.includes(row)) { row.remove(); } });
    rows.forEach(function (row, k) { if (root.children[k] !== row) { root.insertBefore(row, root.children[k] || null); } });
  };

  live.number = function (value, digits) {
    return value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−");
  };
  live.figures = function (value) {
    if (value === null || value === undefined) { return "–"; }
    const size = Math.abs(value);
    if (!(size >= 1e5 || (size && size < 1e-3))) { return value.toPrecision(4).replace("-", "−"); }
    const parts = value.toExponential(2).split("e");
    const power = parts[1].replace("+", "").replace("-", "⁻").replace(/[0-9]/g, function (d) { return "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]; });
    return parts[0].replace("-", "−") + "×10" + power;
  };
  live.clock = function (seconds) {
    const whole = Math.floor(seconds), h = Math.floor(whole / 3600), two = function (n) { return String(n).padStart(2, "0"); };
    const day = Math.floor(h / 24);
    return (day ? day + " d " : "") + two(h % 24) + ":" + two(Math.floor(whole / 60) % 60) + ":" + two(whole % 60);
  };

  /* An order follows the answer to the one before it: two that travel together may arrive the other way round. What comes of it
     is asked for at once, so that a key is seen on the trend without waiting. */
  live.order = function (order) {
    const session = live.session;
    live.queued = order;
    live.sending = live.sending.then(function () { return session === live.session ? send(session, order) : null; });
    return live.sending;
  };

  function send(session, order) {
    if (live.queued === order) { live.queued = null; }
    return fetch("/_live/" + session + "/order", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(order)
    }).then(function (answer) { return answer.json().catch(function () { return {}; }); }).then(function (found) {
      if (session === live.session) { live.say(found.error ? found.error : "", Boolean(found.error)); }
    }).catch(function () { live.say("the dashboard does not answer", true); }).then(function () {
      if (session !== live.session) { return; }
      live.answered.push(order);
      live.ask(true);
    });
  }

  live.button = function (text, attributes, onclick) {
    return live.make("button", Object.assign({type: "button", class: "lv-button", onclick: onclick}, attributes), text);
  };

  /* Moves the setpoint of a loop by a share of its range, from where the last press has put it. */
  live.nudge = function (i, share, twin) {
    const loop = live.plan.loops[i], range = loop.setpoints[1] - loop.setpoints[0], now = live.asked(i, twin);
    if (now === null) { return; }
    live.setpoint(i, Math.min(Math.max(now + share * range, loop.setpoints[0]), loop.setpoints[1]));
  };
  /* Where a setpoint has been put: its order counts until what was asked for after its answer has told what came of it. */
  live.asked = function (i, twin) {
    if (live.pending[i]) { return live.pending[i].value; }
    const of = twin || live.twins[0];
    return live.last ? live.last.twins[of].faces[i][2] : null;
  };
  /* The newest order, while it waits to be sent, takes a newer value with it: a key that is held leaves nothing to work off. */
  live.setpoint = function (i, value) {
    const rounded = Number(value.toPrecision(9)), last = live.pending[i];
    if (last && last === live.queued && last.twins === live.twins) { last.value = rounded; return; }
    live.pending[i] = {do: "setpoint", twins: live.twins, tag: live.plan.loops[i].tag, value: rounded};
    live.order(live.pending[i]);
  };
  /* Steps a disturbance, from where the last press has put it. */
  live.step = function (d, share) {
    const place = "disturbance " + d.name, last = live.pending[place];
    const held = live.last.twins[live.twins[0]].changes.find(function (c) { return c.kind === "disturbance" && c.place === d.name; });
    const from = last && last.twins === live.twins ? last.size : held ? held.size : 0;
    const size = share ? Math.min(Math.max(from + share * d.step, -d.reach), d.reach) : 0;
    live.pending[place] = {do: "disturb", twins: live.twins, name: d.name, size: Math.abs(size) < 1e-9 * d.reach ? 0 : size};
    live.order(live.pending[place]);
  };
  live.settle = function (told) {
    Object.keys(live.pending).forEach(function (i) { if (told.includes(live.pending[i])) { delete live.pending[i]; } });
  };
})();
