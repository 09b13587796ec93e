/* The live page's faceplates: a moving analog indicator for each loop of each twin, and the keys that move it. */
(function () {
  "use strict";

  const live = window.setpointLive, make = live.make, MODES = ["MAN", "AUTO", "CAS"];
  const STATE = {running: "● in service", tripped: "■ TRIPPED", "integration failed": "■ FAILED", complete: "✓ complete"};
  /* Who has a plant under the shell, by shape and word: only what calls for the operator has a colour. */
  const SHELL = {AUTO: "● AUTO", FILTERED: "◐ FILTERED", BACKUP: "◆ BACKUP", TRIPPED: "■ TRIPPED", MANUAL: "▣ MANUAL"};

  function place(value, scale) {
    if (value === null) { return 0; }
    return Math.min(Math.max((value - scale[0]) / (scale[1] - scale[0]), 0), 1);
  }

  /* What lies beyond a limit; nothing of it shows where the limit is at an end of the indicator. */
  function zone(node, side, value, scale) {
    const at = 100 * place(value, scale), shown = at > 0 && at < 100;
    live.set(node, "style", !shown ? "display:none" : side === "high" ? "bottom:" + at + "%;top:0" : "bottom:0;height:" + at + "%");
  }

  function face(loop, i, twin) {
    const scale = loop.scale, part = {};
    const zones = part.zones = loop.limits.concat(loop.varying).map(function (limit) { return make("i", {class: "lv-zone " + limit.side}); });
    loop.limits.forEach(function (limit, k) { zone(zones[k], limit.side, limit.value, scale); });
    const low = 100 * place(loop.setpoints[0], scale), high = 100 * place(loop.setpoints[1], scale);
    part.sp = make("i", {class: "lv-spmark"});
    part.pv = make("i", {class: "lv-pvmark"});
    part.open = make("i", {class: "lv-opfill"});
    part.value = make("b", {class: "lv-value"}, "–");
    part.setpoint = make("span", {class: "lv-num"}, "–");
    part.output = make("span", {class: "lv-num"}, "–");
    part.key = make("span", {class: "lv-key op"}, "OP");
    part.mode = make("span", {class: "lv-mode"}, "–");
    part.flag = make("span", {class: "lv-flag"});
    part.root = make("div", {
      class: "lv-face", tabindex: 0, role: "spinbutton", "data-loop": i, "data-twin": twin,
      "aria-label": "setpoint of " + loop.tag + ", twin " + twin, "aria-valuemin": loop.setpoints[0], "aria-valuemax": loop.setpoints[1],
      "aria-valuenow": loop.setpoints[0],
      onfocus: function () { live.choose(i); }, onclick: function () { live.choose(i); }
    },
    make("div", {class: "lv-mai", "aria-hidden": "true"},
      make("div", {class: "lv-track"}, make("i", {class: "lv-normal", style: "bottom:" + low + "%;height:" + (high - low) + "%"}), zones, part.sp, part.pv)),
    make("div", {class: "lv-read"},
      make("div", {class: "lv-facehead"}, make("span", {class: "lv-twin " + twin}, twin), part.mode),
      make("div", null, part.value),
      make("div", {class: "lv-line"}, make("span", {class: "lv-key sp"}, "SP"), part.setpoint),
      make("div", {class: "lv-line"}, part.key, part.output),
      make("div", {class: "lv-opbar", "aria-hidden": "true"}, part.open), part.flag));
    return part;
  }

  live.buildFaces = function (root, plan) {
    live.faces = {A: [], B: []};
    root.replaceChildren(...plan.loops.map(function (loop, i) {
      const pair = ["A", "B"].map(function (twin) {
        const part = face(loop, i, twin);
        live.faces[twin].push(part);
        return part.root;
      });
      const head = make("header", null, make("b", null, loop.tag), make("span", {class: "lv-meaning"}, loop.meaning), make("span", {class: "lv-unit"}, loop.unit));
      return make("section", {class: "lv-card", "data-loop": i}, head, make("div", {class: "lv-pair"}, pair));
    }));
    root.onkeydown = keys;
  };

  const STEPS = {ArrowUp: 0.01, ArrowDown: -0.01, PageUp: 0.05, PageDown: -0.05};
  function keys(event) {
    const on = event.target.closest(".lv-face");
    if (!on || event.ctrlKey || event.metaKey || event.altKey) { return; }
    const i = Number(on.dataset.loop), mode = {m: "MAN", a: "AUTO", c: "CAS"}[event.key.toLowerCase()];
    if (STEPS[event.key]) { live.nudge(i, STEPS[event.key], on.dataset.twin); }
    else if (mode) { live.order({do: "mode", twins: live.twins, tag: live.plan.loops[i].tag, mode: mode}); }
    else if (event.key === "Enter") { live.enter(); }
    else if (event.key.toLowerCase() === "k") { document.getElementById("live-ack").click(); }
    else { return; }
    event.preventDefault();
  }

  live.drawFaces = function (found) {
    ["A", "B"].forEach(function (twin) {
      found.twins[twin].faces.forEach(function (values, i) { drawFace(live.faces[twin][i], live.plan.loops[i], values); });
    });
  };

  function drawFace(part, loop, values) {
    const [pv, sp, asked, op, mode, heard, byHand, bounds] = values, out = loop.out;
    const varying = loop.varying.map(function (limit, k) { return {value: bounds[k], side: limit.side, kind: limit.kind}; });
    varying.forEach(function (limit, k) { zone(part.zones[loop.limits.length + k], limit.side, limit.value, loop.scale); });
    const crossed = loop.limits.concat(varying).filter(function (l) { return pv !== null && (l.side === "high" ? pv > l.value : pv < l.value); });
    const beyond = crossed.some(function (l) { return l.kind !== "soft"; }), soft = !beyond && crossed.length > 0;
    const outside = pv !== null && (pv < loop.scale[0] || pv > loop.scale[1]);
    part.pv.style.bottom = 100 * place(pv, loop.scale) + "%";
    part.sp.style.bottom = 100 * place(sp, loop.scale) + "%";
    part.open.style.width = 100 * place(op, out.range) + "%";
    live.write(part.value, live.number(pv, loop.digits));
    live.write(part.setpoint, live.number(sp, loop.digits));
    live.write(part.output, live.number(op, out.digits));
    live.write(part.key, heard ? "OP" : "OP ⊘");
    live.write(part.mode, MODES[mode] + (byHand ? " hand" : ""));
    live.set(part.mode, "title", (byHand ? "setpoint by hand, not the programme's; " : "") + (heard ? "" : "its slave does not listen"));
    live.mark(part.mode, "off", MODES[mode] !== "CAS" && loop.cascade);
    live.mark(part.root, "beyond", beyond);
    live.mark(part.root, "outside", outside && !beyond);
    live.mark(part.root, "soft", soft && !outside);
    live.write(part.flag, beyond ? "■ LIMIT" : outside ? "▲ RANGE" : soft ? "● SOFT LIMIT" : "");
    live.set(part.root, "aria-valuenow", asked === null ? loop.setpoints[0] : asked);
    live.set(part.root, "aria-valuetext", live.number(asked, loop.digits) + " " + loop.unit + ", " + MODES[mode]);
  }

  live.buildTwins = function (root, plan) {
    live.heads = {};
    root.replaceChildren(...["A", "B"].map(function (twin) {
      const head = live.heads[twin] = {state: make("span", {class: "lv-state"}), buttons: {}};
      const controllers = plan.controllers.map(function (c) {
        return head.buttons[c.name] = live.button(c.label, {"data-controller": c.name, title: c.name}, function () {
          live.order({do: "controller", twins: twin, name: c.name});
        });
      });
      head.shield = live.button("Shield", {"data-shield": twin, "aria-pressed": "false"}, function () {
        live.order({do: "shield", twins: twin, on: head.shield.getAttribute("aria-pressed") !== "true"});
      });
      head.shell = live.button("Shell", {"data-shell": twin, "aria-pressed": "false", title: "shield and supervisor: the policy has to earn the plant"}, function () {
        live.order({do: "shell", twins: twin, on: head.shell.getAttribute("aria-pressed") !== "true"});
      });
      head.mode = make("b", {class: "lv-shell", "data-supervised": twin});
      head.words = make("span", {class: "lv-soft lv-words"});
      head.why = make("span", {class: "lv-soft lv-why"});
      return make("div", {class: "lv-head"}, make("span", {class: "lv-twin " + twin}, twin), make("span", {class: "lv-key-line " + twin, title: "its lines on the trend"}), make("div", {class: "lv-seg", role: "group", "aria-label": "controller of twin " + twin}, controllers),
        plan.shield ? make("div", {class: "lv-seg", role: "group", "aria-label": "what keeps the limits of twin " + twin}, head.shield, head.shell) : null,
        plan.shield ? head.mode : null, plan.shield ? head.words : null, head.state, head.why);
    }), costs());
  };

  function costs() {
    live.costs = {A: make("b", {class: "lv-cost"}), B: make("b", {class: "lv-cost"}), difference: make("span")};
    return make("div", {class: "lv-head lv-difference"}, make("span", {class: "lv-soft"}, "cost so far"), make("span", {class: "lv-twin A"}, "A"), live.costs.A,
      make("span", {class: "lv-twin B"}, "B"), live.costs.B, live.costs.difference);
  }

  /* Which twin is cheaper, and by how much; a share is of what A costs. */
  function apart(a, b, unit) {
    if (a === null || b === null || a === b) { return ""; }
    const share = a ? " (" + (100 * Math.abs((b - a) / a)).toFixed(1) + " %)" : "";
    return (b < a ? "B" : "A") + " cheaper by " + live.figures(Math.abs(b - a)) + unit + share;
  }

  live.drawTwins = function (found) {
    const unit = live.plan.worth === "–" ? "" : " " + live.plan.worth;
    ["A", "B"].forEach(function (twin) {
      const head = live.heads[twin], seen = found.twins[twin];
      Object.entries(head.buttons).forEach(function ([name, button]) { live.set(button, "aria-pressed", String(name === seen.name)); });
      live.set(head.shield, "aria-pressed", String(seen.shield.on));
      live.set(head.shell, "aria-pressed", String(seen.shell.mode !== ""));
      live.write(head.mode, SHELL[seen.shell.mode] || "");
      live.set(head.mode, "data-mode", seen.shell.mode);
      live.write(head.words, seen.shield.on ? "shield " + seen.shield.words : "");
      live.write(head.why, seen.shell.why);
      live.mark(head.words, "abnormal", seen.shield.on && seen.shield.share < 1);
      live.write(head.state, seen.shell.mode && seen.status === "running" ? "" : STATE[seen.status] || seen.status);
      live.mark(head.state, "stopped", seen.status === "tripped" || seen.status === "integration failed");
      live.write(live.costs[twin], live.figures(seen.cost) + unit);
    });
    live.write(live.costs.difference, apart(found.twins.A.cost, found.twins.B.cost, unit));
  };
})();
