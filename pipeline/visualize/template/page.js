// Tabs, filters, charts, and how old the page is. Without this, all tabs stand below each other, with their tables.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

  function show(tab, focus) {
    for (const each of tabs) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", chosen);
      each.tabIndex = chosen ? 0 : -1;
      panel(each).hidden = !chosen;
    }
    if (focus) tab.focus();
    tab.scrollIntoView({ block: "nearest", inline: "center" });
    draw(panel(tab));
  }

  for (const tab of tabs) {
    tab.addEventListener("click", () => {
      show(tab);
      history.replaceState(null, "", "#" + tab.id.replace("tab-", ""));
    });
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const edge = { Home: tabs[0], End: tabs.at(-1) }[event.key];
      const next = edge ?? (step && tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length]);
      if (!next) return;
      event.preventDefault();
      show(next, true);
    });
  }

  for (const select of document.querySelectorAll("select[data-filter]")) {
    select.addEventListener("change", () => {
      const section = select.closest("section");
      for (const answer of section.querySelectorAll(`[data-of="${select.dataset.filter}"]`)) {
        answer.hidden = answer.dataset.choice !== select.value;
      }
      draw(section);
    });
  }

  // Charts are drawn when they are first seen: a hidden one has no width.
  function draw(section) {
    for (const chart of section.querySelectorAll(".chart:not([data-drawn])")) {
      if (!chart.offsetParent) continue;
      chart.dataset.drawn = "";
      const spec = JSON.parse(chart.querySelector("script").textContent);
      const place = chart.querySelector("div") ?? chart.appendChild(document.createElement("div"));
      place.style.width = "100%";
      // No style elements of the library: the page's policy refuses them, and page.css has the rules.
      const own = { defaultStyle: false, tooltip: { disableDefaultStyle: true } };
      vegaEmbed(place, spec, { actions: false, renderer: "svg", ast: true, config: colours(), ...own });
    }
  }

  function colours() {
    const style = getComputedStyle(root);
    const [ink, soft, line, accent, second] = ["ink", "soft", "line", "accent", "second"].map((name) => style.getPropertyValue("--" + name).trim());
    return {
      background: null,
      font: getComputedStyle(document.body).fontFamily,
      view: { stroke: null },
      bar: { color: accent },
      line: { color: accent },
      range: { category: [accent, second] },
      axis: { labelColor: soft, tickColor: line, domainColor: line, gridColor: line, labelFontSize: 12 },
      legend: { labelColor: ink, labelFontSize: 12 },
    };
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const chart of document.querySelectorAll(".chart[data-drawn]")) delete chart.dataset.drawn;
    draw(document.querySelector("section:not([hidden])"));
  });

  const hours = (Date.now() - Date.parse(document.getElementById("made").dateTime)) / 3600000;
  if (hours > 24) {
    const stale = document.getElementById("stale");
    stale.textContent = `${Math.floor(hours / 24)} ${hours < 48 ? "day" : "days"} ago`;
    stale.hidden = false;
  }

  show(tabs.find((tab) => "#" + tab.id.replace("tab-", "") === location.hash) ?? tabs[0]);
})();
