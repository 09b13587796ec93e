/* The live page's panels: the clock, operating one loop, alarms, disturbances, faults and the journal. */
(function () {
  "use strict";

  const live = window.setpointLive, make = live.make;
  const SHAPES = {1: "■ 1", 2: "▲ 2", 3: "● 3"};
  const STAGES = {unacknowledged: "UNACK", acknowledged: "ACK", returned: "RTN UNACK", shelved: "SHELVED"};

  live.buildTop = function (root, plan) {
    const top = live.top = {state: make("b", {class: "lv-clockstate"}, "…"), time: make("span", {class: "lv-time"}), pace: make("span", {class: "lv-soft"}), speeds: []};
    top.run = live.button("Run", {id: "live-run", class: "lv-button wide"}, function () { live.order({do: live.last && live.last.running ? "pause" : "run"}); });
    const step = live.button("Step", {id: "live-step"}, function () { live.order({do: "step"}); });
    const speeds = plan.speeds.map(function (speed) {
      const button = live.button(speed.label, {"data-speed": speed.label}, function () { live.order({do: "speed", value: speed.value}); });
      top.speeds.push({value: speed.value, button: button});
      return button;
    });
    const end = live.button("End", {id: "live-end", title: "end this session"}, function () { live.order({do: "end"}).then(function () { live.ended(); }); });
    root.replaceChildren(
      make("div", {class: "lv-title"}, make("h1", null, plan.title), make("span", {class: "lv-soft"}, plan.scenario + " · seed " + plan.seed)),
      make("div", {class: "lv-clock"}, top.state, top.time, top.pace),
      make("div", {class: "lv-controls"}, top.run, step, make("div", {class: "lv-seg", role: "group", "aria-label": "speed"}, speeds), end));
  };

  live.drawTop = function (found) {
    const top = live.top, plan = live.plan;
    live.write(top.state, found.over ? "■ EPISODE OVER" : found.running ? "▶ RUNNING" : "❚❚ PAUSED");
    live.write(top.time, live.clock(found.k * plan.period) + "  ·  decision " + found.k + " of " + plan.steps);
    live.write(top.pace, found.running && found.pace ? "at " + Math.round(found.pace).toLocaleString("en") + "×" : "");
    live.write(top.run, found.running ? "Pause" : "Run");
    top.speeds.forEach(function (speed) { live.set(speed.button, "aria-pressed", String(speed.value === found.speed)); });
    const notes = document.getElementById("live-notes"), text = found.notes.join("  ·  ");
    live.write(notes, text ? "◆ " + text : "");
  };

  live.buildSide = function (root, plan) {
    const operate = live.operate = {};
    operate.title = make("h2");
    operate.who = ["AB", "A", "B"].map(function (twins) {
      return live.button(twins === "AB" ? "A + B" : twins, {"data-twins": twins}, function () { live.twins = twins; live.drawOperate(live.last); });
    });
    operate.modes = ["MAN", "AUTO", "CAS"].map(function (mode) {
      return live.button(mode, {"data-mode": mode}, function () { live.order({do: "mode", twins: live.twins, tag: loop().tag, mode: mode}); });
    });
    operate.release = live.button("Release", {id: "live-release", title: "back to the scenario's programme"}, function () { live.order({do: "release", twins: live.twins, tag: loop().tag}); });
    operate.sp = entry("sp", "setpoint", function (value) { live.setpoint(live.loop, value); });
    operate.op = entry("op", "output", function (value) { live.order({do: "output", twins: live.twins, tag: loop().tag, value: value}); });
    operate.said = make("div", {class: "lv-said", role: "alert"});
    live.list = {alarms: make("div", {id: "live-alarms"}), changes: make("div", {id: "live-changes"}), journal: make("ol", {id: "live-journal"}), counts: make("span", {class: "lv-soft"})};
    live.seenAlarms = live.seenChanges = "";
    const all = live.button("Acknowledge all", {id: "live-ack"}, function () { live.order({do: "acknowledge", twins: "AB", alarm: ""}); });
    root.replaceChildren(
      panel(operate.title, make("div", {class: "lv-seg", role: "group", "aria-label": "twins that orders are for"}, operate.who),
        make("div", {class: "lv-row"}, make("div", {class: "lv-seg", role: "group", "aria-label": "mode"}, operate.modes), operate.release),
        operate.sp.row, operate.op.row, operate.said,
        make("p", {class: "lv-hint"}, "On a faceplate: ↑ ↓ move the setpoint by 1 % of its range, Page ↑ ↓ by 5 %; M, A, C set the mode; Enter goes to its number; K acknowledges all alarms.")),
      panel(make("h2", null, "Alarms"), make("div", {class: "lv-row"}, live.list.counts, all), live.list.alarms),
      panel(make("h2", null, "Disturbances"), disturbances(plan)),
      panel(make("h2", null, "Faults"), faults(plan), live.list.changes),
      panel(make("h2", null, "Journal"), live.list.journal));
    live.choose(Math.min(live.loop, plan.loops.length - 1));
  };

  function panel(head, ...children) { return make("section", {class: "panel lv-panel"}, make("div", {class: "panel-head"}, head), make("div", {class: "panel-body"}, children)); }
  function loop() { return live.plan.loops[live.loop]; }

  /* A slider and a number for the same value; while somebody uses one of them it is not written to. */
  function entry(name, words, send) {
    const slider = make("input", {type: "range", id: "live-" + name + "-slider", "aria-label": words + " by slider"});
    const number = make("input", {type: "number", id: "live-" + name + "-number", "aria-label": words + " by number"});
    const label = make("span", {class: "lv-label"}, name.toUpperCase()), unit = make("span", {class: "lv-unit"});
    slider.addEventListener("input", function () { number.value = slider.value; });
    let keys = false; // by pointer it is let go of once it is moved; by keys it stays in hand
    slider.addEventListener("keydown", function () { keys = true; });
    slider.addEventListener("pointerdown", function () { keys = false; });
    slider.addEventListener("change", function () { send(Number(slider.value)); if (!keys) { slider.blur(); } });
    number.addEventListener("keydown", function (event) { if (event.key === "Enter" && number.value !== "") { send(Number(number.value)); number.blur(); } });
    return {slider: slider, number: number, unit: unit, row: make("div", {class: "lv-entry " + name}, label, slider, number, unit)};
  }

  function fill(entry, range, digits, unit, value, off) {
    const step = Math.pow(10, -digits), using = [entry.slider, entry.number].includes(document.activeElement);
    [entry.slider, entry.number].forEach(function (input) {
      live.set(input, "min", range[0]); live.set(input, "max", range[1]); live.set(input, "step", input === entry.slider ? step : "any");
      if (input.disabled !== off) { input.disabled = off; }
      if (!using && value !== null && input.value !== value.toFixed(digits)) { input.value = value.toFixed(digits); }
    });
    live.write(entry.unit, unit);
  }

  /* To the number that the operator may set: the setpoint's, else the output's. */
  live.enter = function () {
    const field = [live.operate.sp.number, live.operate.op.number].find(function (each) { return !each.disabled; });
    if (field) { field.focus(); field.select(); }
  };

  live.choose = function (i) {
    live.loop = i;
    document.querySelectorAll(".lv-card").forEach(function (card) { live.mark(card, "chosen", Number(card.dataset.loop) === i); });
    live.say("", false);
    if (live.last) { live.drawOperate(live.last); }
  };

  live.say = function (text, wrong) {
    if (!live.operate) { return; }
    live.write(live.operate.said, text ? "▲ " + text : "");
    live.mark(live.operate.said, "wrong", wrong);
  };

  live.drawOperate = function (found) {
    if (!found) { return; }
    const operate = live.operate, it = loop(), [, , asked, op, mode, heard, byHand] = found.twins[live.twins[0]].faces[live.loop];
    live.write(operate.title, "Operate " + it.tag + ", " + it.meaning);
    operate.who.forEach(function (button) { live.set(button, "aria-pressed", String(button.dataset.twins === live.twins)); });
    operate.modes.forEach(function (button, k) {
      live.set(button, "aria-pressed", String(k === mode));
      button.disabled = button.dataset.mode === "CAS" && !it.cascade;
    });
    operate.release.disabled = !byHand || mode !== 2;
    fill(operate.sp, it.setpoints, it.digits, it.unit, asked, mode === 0 || (mode === 2 && !it.master));
    fill(operate.op, it.out.range, it.out.digits, it.out.unit, op, mode !== 0 || !heard);
  };

  function disturbances(plan) {
    live.dist = plan.disturbances.map(function (d) {
      const value = make("span", {class: "lv-num"}), step = function (share) { return function () { live.step(d, share); }; };
      return {value: value, row: make("div", {class: "lv-dist", "data-disturbance": d.name}, make("span", {title: (d.tag || d.name) + ", " + d.meaning}, d.meaning + (d.measured ? "" : " *")),
        value, make("span", {class: "lv-unit"}, d.shown),
        live.button("−", {"aria-label": "lower " + d.meaning, title: "step by " + live.figures(d.step) + " " + d.unit}, step(-1)),
        live.button("+", {"aria-label": "raise " + d.meaning, title: "step by " + live.figures(d.step) + " " + d.unit}, step(1)),
        live.button("0", {"aria-label": "take back the step of " + d.meaning, title: "as the scenario has it"}, step(0)))};
    });
    return [live.dist.map(function (d) { return d.row; }), make("p", {class: "lv-hint"}, "Steps on top of the scenario. * nobody measures it.")];
  }

  function faults(plan) {
    const where = make("select", {id: "live-place", "aria-label": "what goes wrong"}, plan.places.map(function (p, i) { return make("option", {value: i}, p.label); }));
    const kind = make("select", {id: "live-kind", "aria-label": "how it goes wrong"});
    const size = make("input", {type: "number", id: "live-size", step: "any", "aria-label": "size of the fault"}), unit = make("span", {class: "lv-unit"});
    function kinds() { kind.replaceChildren(...plan.places[where.value].kinds.map(function (k, i) { return make("option", {value: i}, k.label); })); sizes(); }
    function sizes() {
      const chosen = plan.places[where.value].kinds[kind.value];
      size.disabled = !chosen.sized; size.value = chosen.sized ? Number(chosen.size.toPrecision(3)) : ""; unit.textContent = chosen.unit;
    }
    where.addEventListener("change", kinds); kind.addEventListener("change", sizes); kinds();
    const inject = live.button("Inject", {id: "live-inject"}, function () {
      const place = plan.places[where.value], chosen = place.kinds[kind.value];
      live.order({do: "inject", twins: live.twins, place: place.name, kind: chosen.kind, size: chosen.sized ? Number(size.value) : null});
    });
    return make("div", {class: "lv-fault"}, where, make("div", {class: "lv-row"}, kind, size, unit, inject));
  }

  live.drawSide = function (found) {
    live.drawOperate(found);
    live.dist.forEach(function (d, i) { live.write(d.value, live.number(found.twins[live.twins[0]].d[i], live.plan.disturbances[i].digits)); });
    drawAlarms(found.alarms);
    drawChanges(found);
    found.events.forEach(function (event) {
      live.list.journal.prepend(make("li", null, make("span", {class: "lv-soft"}, event.k + "  "), event.text));
      while (live.list.journal.children.length > 60) { live.list.journal.lastChild.remove(); }
    });
  };

  function drawAlarms(alarms) {
    const seen = JSON.stringify(alarms);
    if (seen === live.seenAlarms) { return; }
    live.seenAlarms = seen;
    const waiting = alarms.filter(function (a) { return a.stage === "unacknowledged" || a.stage === "returned"; }).length;
    live.write(live.list.counts, alarms.length ? alarms.length + " standing, " + waiting + " to acknowledge" : "none");
    alarms.sort(function (a, b) { return a.priority - b.priority || b.since - a.since; });
    live.rows(live.list.alarms, alarms, function (a) {
      const shelf = a.stage === "shelved";
      return make("div", {class: "lv-alarm p" + a.priority + " " + a.stage, "data-alarm": a.name, "data-twin": a.twin},
        make("span", {class: "lv-priority"}, SHAPES[a.priority]), make("span", {class: "lv-twin " + a.twin}, a.twin), make("span", null, a.text),
        make("span", {class: "lv-stage"}, STAGES[a.stage], make("span", {class: "lv-soft"}, "  since " + a.since)),
        a.stage === "unacknowledged" || a.stage === "returned" ? live.button("Ack", {"aria-label": "acknowledge " + a.text}, function () { live.order({do: "acknowledge", twins: a.twin, alarm: a.name}); }) : null,
        live.button(shelf ? "Unshelve" : "Shelve", {"aria-label": (shelf ? "unshelve " : "shelve ") + a.text}, function () { live.order({do: "shelve", twins: a.twin, alarm: a.name, on: !shelf}); }));
    });
  }

  function drawChanges(found) {
    const rows = ["A", "B"].flatMap(function (twin) { return found.twins[twin].changes.map(function (c) { return Object.assign({twin: twin}, c); }); });
    const wrong = rows.filter(function (c) { return c.kind !== "setpoint"; }), seen = JSON.stringify(wrong);
    if (seen === live.seenChanges) { return; }
    live.seenChanges = seen;
    live.rows(live.list.changes, wrong, function (c) {
      const undo = c.kind === "fault" ? {do: "mend", twins: c.twin, place: c.place} : {do: "disturb", twins: c.twin, name: c.place, size: 0};
      return make("div", {class: "lv-change"}, make("span", {class: "lv-twin " + c.twin}, c.twin), make("span", null, c.text), live.button("take back", {"data-mend": c.place}, function () { live.order(undo); }));
    });
  }
})();
