/* What must happen in the browser itself: the theme, pausing hidden pages, remembering a picked episode, the page's title.

   For pages: window.setpoint.theme() is "light", "dark" or "grey"; window.setpoint.colour("--bad") is a variable's colour in it;
   the document gets a "setpoint:theme" event when it changes. */
(function () {
  "use strict";

  const THEMES = ["light", "dark", "grey"], KEY = "setpoint-theme", MANTINE = "mantine-color-scheme-value";
  const root = document.documentElement, dark = window.matchMedia("(prefers-color-scheme: dark)");

  function remembered() {
    try { return window.localStorage.getItem(KEY); } catch (refused) { return null; }
  }

  function theme() {
    const chosen = remembered();
    return THEMES.includes(chosen) ? chosen : (dark.matches ? "dark" : "light");
  }

  /* Mantine knows two schemes; it reads its own key when it starts, and follows storage events from then on. */
  function show(name) {
    const scheme = name === "dark" ? "dark" : "light";
    root.dataset.theme = name;
    try {
      window.localStorage.setItem(MANTINE, scheme);
      window.dispatchEvent(new StorageEvent("storage", {storageArea: window.localStorage, key: MANTINE, newValue: scheme}));
    } catch (refused) { /* a browser that stores nothing follows the system */ }
    document.dispatchEvent(new CustomEvent("setpoint:theme", {detail: name}));
  }

  show(theme());
  dark.addEventListener("change", function () { show(theme()); });
  window.addEventListener("storage", function (event) { if (event.key === KEY) { show(theme()); } });
  window.setpoint = {
    theme: theme,
    colour: function (variable) { return window.getComputedStyle(root).getPropertyValue(variable).trim(); }
  };

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    setpoint: {
      /* A hidden tab asks for nothing. */
      pause: function (hidden, clocks) {
        return clocks.map(function () { return Boolean(hidden); });
      },

      /* A click chooses a theme, here and in every other tab; the buttons say which one is on. */
      theme: function (clicks, buttons) {
        const clicked = window.dash_clientside.callback_context.triggered_id;
        if (clicked && clicks.some(Boolean)) {
          try { window.localStorage.setItem(KEY, clicked.name); } catch (refused) { /* it lasts as long as the page */ }
          show(clicked.name);
        }
        return buttons.map(function (button) { return String(button.name === root.dataset.theme); });
      },

      /* A picker's value goes into the address: under its name, or, where it begins with ?, as several parts; an empty one goes out.
         Dash asks this too when a page with pickers is drawn: then the value is the one it was drawn with. */
      choose: function () {
        const context = window.dash_clientside.callback_context, picker = context.triggered_id;
        const value = context.triggered.length ? context.triggered[0].value : "";
        const text = Array.isArray(value) ? value.join(",") : String(value === null || value === undefined ? "" : value);
        if (!picker || text === picker.shown) { return window.dash_clientside.no_update; }
        const query = new URLSearchParams(window.location.search);
        const patch = text.startsWith("?") ? new URLSearchParams(text.slice(1)) : [[picker.field, text]];
        for (const [name, item] of patch) {
          if (item) { query.set(name, item); } else { query.delete(name); }
        }
        return query.size ? "?" + query.toString() : "";
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
