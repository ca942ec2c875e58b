// Sets the theme before the first paint, so this one script is neither a module nor deferred.
(function () {
  "use strict";
  const root = document.documentElement;
  const stored = () => { try { return localStorage.getItem("rld.theme"); } catch { return null; } };
  const system = matchMedia("(prefers-color-scheme: light)");
  const apply = () => { root.dataset.theme = stored() || (system.matches ? "light" : "dark"); };
  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const other = root.dataset.theme === "light" ? "dark" : "light";
    try { localStorage.setItem("rld.theme", other); } catch { /* a browser without storage forgets */ }
    root.dataset.theme = other;
  });
})();
