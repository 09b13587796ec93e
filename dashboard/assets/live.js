/* The live page's heart: at each beat it asks what is new and has every part show it. */
(function () {
  "use strict";

  const live = window.setpointLive;

  function begin(plan) {
    const top = document.getElementById("live-top"), side = document.getElementById("live-side");
    Object.assign(live, {plan: plan, session: plan.session, last: null, pending: {}, queued: null, answered: [], asking: false, again: false, n: -1, after: -1, event: -1, over: false});
    live.buildTop(top, plan);
    live.buildFaces(document.getElementById("live-cards"), plan);
    live.buildTwins(document.getElementById("live-twins"), plan);
    live.buildSide(side, plan);
    live.buildTrend(plan);
    top.dataset.built = key(plan);
  }

  function key(plan) { return [plan.session, plan.span].concat(plan.shown).join(" "); }

  /* One question at a time; one that is wanted meanwhile follows the answer. */
  live.ask = function (now) {
    if (live.over || document.hidden) { return; }
    if (live.asking) { live.again = live.again || now; return; }
    live.asking = true;
    const plan = live.plan, told = live.answered, ours = function () { return plan === live.plan; }; // another plan has its own questions
    live.answered = [];
    fetch("/_live/" + live.session + "/feed?n=" + live.n + "&after=" + live.after + "&e=" + live.event, {cache: "no-store"})
      .then(function (answer) {
        return answer.status === 204 ? null : answer.json();
      })
      .then(function (found) {
        if (!found || !ours()) { return; }
        if (found.ended) { live.ended(); } else { show(found, now); }
      })
      .catch(function () { if (ours()) { live.say("the dashboard does not answer", true); } })
      .finally(function () {
        if (!ours()) { return; }
        live.asking = false;
        live.settle(told);
        if (live.again) { live.again = false; live.ask(true); }
      });
  };

  function show(found, now) {
    const sample = found.samples.A;
    live.last = found;
    live.n = found.n;
    live.after = sample.first + sample.share.length - 1;
    if (found.events.length) { live.event = found.events[found.events.length - 1].e; }
    live.drawTop(found);
    live.drawFaces(found);
    live.drawTwins(found);
    live.drawSide(found);
    live.takeSamples(found);
    live.drawTrend(now);
  }

  live.ended = function () {
    if (live.over) { return; }
    live.over = true;
    window.location.reload();
  };

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    live: {
      beat: function (_beats, plan) {
        const top = document.getElementById("live-top");
        if (plan && top && top.dataset.built !== key(plan)) {
          begin(plan);
        }
        if (plan && live.plan) { live.ask(false); }
        return window.dash_clientside.no_update;
      }
    }
  });
})();
