/* What must happen in the browser itself: pausing hidden pages, remembering a picked episode, and the page's title. */
(function () {
  "use strict";

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    setpoint: {
      /* A hidden tab asks for nothing. */
      pause: function (hidden, clocks) {
        return clocks.map(function () { return Boolean(hidden); });
      },

      /* The picked episode belongs to the address, but must not draw the whole page anew. */
      remember: function (episode) {
        if (!episode || !window.location.pathname.startsWith("/runs/")) { return; }
        const query = new URLSearchParams(window.location.search);
        if (query.get("episode") === String(episode)) { return; }
        query.set("episode", episode);
        window.history.replaceState(window.history.state, "", window.location.pathname + "?" + query.toString());
        const trend = document.getElementById("run-trend");
        if (trend && trend.getBoundingClientRect().top < 0) { trend.scrollIntoView({block: "center"}); }
      },

      title: function (path) {
        const parts = (path || "/").split("/").filter(Boolean).map(decodeURIComponent);
        document.title = (parts.length ? parts.reverse().join(" · ") : "overview") + " · setpoint";
      }
    }
  });

  document.addEventListener("visibilitychange", function () {
    window.dash_clientside.set_props("page-hidden", {data: document.hidden});
  });
})();
