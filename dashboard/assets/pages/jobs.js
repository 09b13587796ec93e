/* What a form of a job holds belongs to the address, but must not draw the page anew: the next field would lose the keyboard. */
window.dash_clientside = Object.assign({}, window.dash_clientside, {
  jobs: {
    remember: function (values, ids) {
      const query = new URLSearchParams(window.location.search);
      ids.forEach(function (id, k) {
        if (values[k]) { query.set(id.field, values[k]); } else { query.delete(id.field); }
      });
      const text = query.toString();
      window.history.replaceState(window.history.state, "", window.location.pathname + (text ? "?" + text : ""));
    }
  }
});
