import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Axis, Panel } from "./curve.ts";

/** Legible on white and on black. */
const INK = "#808a94";
const GRID = "#80808040";
const COLOURS = ["#3d8bfd", "#f0802a", "#20a866", "#b36ae2"];

/** Panels side by side as an SVG on no background: lines as measured, goals as dashed lines of the same colour. */
export async function drawSvg(panels: readonly Panel[]): Promise<string> {
  const spec: TopLevelSpec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "transparent",
    padding: 8,
    config: {
      font: "sans-serif",
      axis: { labelColor: INK, titleColor: INK, gridColor: GRID, domainColor: INK, tickColor: INK },
      legend: { labelColor: INK, titleColor: INK },
      view: { stroke: GRID },
    },
    resolve: { scale: { color: "independent", strokeDash: "independent" } },
    hconcat: panels.map(panelSpec),
  };
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

function panelSpec({ x, y, points, goals = [] }: Panel) {
  const series = [...new Set(points.map((point) => point.series))];
  const kinds = goals.length > 0 ? ["measured", "goal"] : ["measured"];
  const values = [
    ...points.map((point) => ({ ...point, kind: "measured" })),
    ...goals.map((point) => ({ ...point, kind: "goal" })),
  ];
  const isLegendNeeded = series.length > 1 || goals.length > 0;
  const legend = isLegendNeeded ? { title: null, orient: "bottom" as const } : null;
  const xs = [...new Set(points.map((point) => point.x))];
  return {
    width: 340,
    height: 240,
    data: { values },
    encoding: {
      x: axisSpec("x", x, xs),
      y: axisSpec("y", y, decadesOf(values.map((point) => point.y))),
      color: {
        field: "series",
        type: "nominal" as const,
        scale: { domain: series, range: COLOURS },
        legend: series.length > 1 ? legend : null,
      },
    },
    layer: [
      {
        mark: { type: "line" as const, strokeWidth: 2 },
        encoding: {
          strokeDash: {
            field: "kind",
            type: "nominal" as const,
            scale: {
              domain: kinds,
              range: [
                [1, 0],
                [6, 4],
              ].slice(0, kinds.length),
            },
            legend: goals.length > 0 ? legend : null,
          },
        },
      },
      {
        transform: [{ filter: "datum.kind === 'measured'" }],
        mark: { type: "point" as const, filled: true, size: 45, opacity: 1 },
      },
    ],
  };
}

/** The powers of ten among values, with one below and one above. */
function decadesOf(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

/** On a logarithmic line a tick for each of `values`; the other kind begins at 0. */
function axisSpec(field: "x" | "y", { title, scale }: Axis, values: readonly number[]) {
  return {
    field,
    type: "quantitative" as const,
    title,
    scale: scale === "linear" ? { type: scale, zero: true } : { type: scale },
    axis: {
      labelExpr: "format(datum.value, datum.value >= 1000 ? '~s' : '~r')",
      labelOverlap: true,
      tickCount: 5,
      ...(scale === "log" ? { values: [...values] } : {}),
    },
  };
}
