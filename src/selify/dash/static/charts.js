// Draws what stands in data-chart (see dash/charts.py) with uPlot. Without this file, the table behind
// each chart is there.
"use strict";

(() => {
  const { lang } = document.documentElement;
  const short = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", timeZone: "UTC" });
  const whole = new Intl.NumberFormat(lang);
  const compact = new Intl.NumberFormat(lang, { notation: "compact", maximumFractionDigits: 1 });
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // light-dark() is resolved where it is used, not where it is defined.
  const resolved = (element, name) => {
    element.style.color = `var(${name})`;
    const { color } = getComputedStyle(element);
    element.style.color = "";
    return color;
  };

  // Bars stand on each other: each series is drawn as the sum of itself and those below it, tallest first.
  function stacked(series) {
    const sums = series[0].values.map(() => 0);
    return series.map(({ values }) => values.map((value, place) => (sums[place] += value ?? 0))).reverse();
  }

  function draw(figure) {
    const canvas = figure.querySelector(".chart-canvas");
    const { kind, days, series } = JSON.parse(figure.dataset.chart);
    const bars = kind === "bars";
    const shown = bars ? [...series].reverse() : series;
    const tint = (name) => resolved(canvas, `--chart-${series.findIndex((one) => one.name === name) + 1}`);
    const muted = resolved(canvas, "--muted-foreground");
    const grid = resolved(canvas, "--border");
    const axis = { stroke: muted, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: `12px ${colour("--default-font-family")}` };
    const options = {
      width: canvas.clientWidth,
      height: 220,
      padding: [12, 8, 0, 0],
      cursor: { points: { show: !bars }, drag: { x: false, y: false } },
      legend: { live: true },
      tzDate: (moment) => uPlot.tzDate(new Date(moment * 1000), "UTC"),
      scales: { x: { range: (_, from, to) => (bars ? [from - 43200, to + 43200] : [from, to]) }, y: { range: (_, from, to) => [Math.min(0, from), to > 0 ? to * 1.05 : 1] } },
      axes: [
        { ...axis, grid: { show: false }, values: (_, moments) => moments.map((moment) => short.format(moment * 1000)), space: 64 },
        { ...axis, values: (_, numbers) => numbers.map((number) => compact.format(number)), size: 46 },
      ],
      series: [
        { label: figure.dataset.day, value: (_, moment) => (moment === null ? "–" : short.format(moment * 1000)) },
        ...shown.map(({ name, values }) => ({
          label: name,
          stroke: tint(name),
          fill: bars ? tint(name) : undefined,
          width: bars ? 0 : 2,
          points: { show: false },
          paths: bars ? uPlot.paths.bars({ size: [0.6, 40], radius: 0.15 }) : undefined,
          value: (_plot, _sum, _series, place) => (place === null ? "–" : whole.format(values[place] ?? 0)),
        })),
      ],
    };
    canvas.replaceChildren();
    const plot = new uPlot(options, [days, ...(bars ? stacked(series) : series.map(({ values }) => values))], canvas);
    new ResizeObserver(() => plot.setSize({ width: canvas.clientWidth, height: 220 })).observe(canvas);
  }

  const drawAll = (root) => {
    for (const figure of root.querySelectorAll?.("[data-chart]") ?? []) draw(figure);
  };
  document.addEventListener("htmx:load", ({ target }) => drawAll(target === document ? document.body : target));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));
  new MutationObserver(() => drawAll(document)).observe(document.documentElement, { attributeFilter: ["class"] });
})();
