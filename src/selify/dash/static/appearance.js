// By day or by night: what was chosen on this machine, else what the machine wishes. Before anything is
// drawn, so that nothing flashes; the kit's own dark rules ask for the class.
"use strict";

(() => {
  const night = matchMedia("(prefers-color-scheme: dark)");
  const { classList } = document.documentElement;
  const chosen = () => {
    try {
      return localStorage.getItem("appearance");
    } catch {
      return null; // a browser that keeps nothing
    }
  };
  window.showAppearance = () => {
    const wanted = chosen();
    classList.toggle("dark", wanted ? wanted === "dark" : night.matches);
    classList.toggle("light", wanted === "light");
  };
  night.addEventListener("change", window.showAppearance);
  window.showAppearance();
})();
