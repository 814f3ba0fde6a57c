// What the pages do beyond plain HTML: follow Airflow's light or dark, move through time by slider, open articles.
// Everything works without it.
(function () {
  "use strict";
  const root = document.documentElement;

  // Inside Airflow's frame the pages take its theme; by themselves, that of the system.
  function followTheme() {
    try {
      if (window.parent === window) return;
      const outer = window.parent.document.documentElement;
      const take = () => {
        root.dataset.theme = outer.classList.contains("dark") ? "dark" : "light";
      };
      take();
      new MutationObserver(take).observe(outer, { attributes: true, attributeFilter: ["class"] });
    } catch (refused) {
      delete root.dataset.theme;
    }
  }

  // The slider says which moment it stands at while it moves, and shows it when it is let go.
  function watchSlider(form) {
    const slider = form.querySelector("input[type=range]");
    if (!slider) return;
    const told = form.querySelector("output");
    const moments = new Map();
    form.querySelectorAll("datalist option").forEach((tick) => moments.set(tick.value, tick.label));
    const tell = () => {
      const words = "version " + slider.value + ": " + (moments.get(slider.value) || "");
      told.textContent = words;
      slider.setAttribute("aria-valuetext", words);
    };
    const shown = slider.value;
    slider.addEventListener("input", tell);
    slider.addEventListener("pointerup", () => slider.value !== shown && form.requestSubmit());
    tell();
  }

  // Airflow's frame lets no link open a window of its own; the page around it may.
  function openOutside(event) {
    const link = event.target.closest("a[data-outside]");
    if (!link || window.parent === window) return;
    try {
      const outer = window.parent.document;
      const twin = outer.createElement("a");
      twin.href = link.href;
      twin.target = "_blank";
      twin.rel = "noopener noreferrer";
      twin.click();
      event.preventDefault();
    } catch (refused) {
      return;
    }
  }

  // A sentence in a folded article is unfolded before it is shown.
  function unfold() {
    const wanted = window.location.hash && document.getElementById(window.location.hash.slice(1));
    const folded = wanted && wanted.closest("details");
    if (folded && !folded.open) {
      folded.open = true;
      wanted.scrollIntoView({ block: "center" });
    }
  }

  followTheme();
  document.querySelectorAll("[data-slider]").forEach(watchSlider);
  document.addEventListener("click", openOutside);
  window.addEventListener("hashchange", unfold);
  unfold();
})();
