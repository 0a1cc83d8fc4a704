/** Draws a chart with uPlot, in the colours of the theme. Loaded by `components/Chart.tsx` only. */
import { createEffect, createSignal, For, on, onCleanup, onMount, Show } from "solid-js"
import uPlot from "uplot"
import type { ChartProps, Line } from "../components/Chart.tsx"
import { useApp } from "../Context.ts"
import { clock, minute } from "../format.ts"
import { isolated } from "./series.ts"

/** Part of the height below zero that bars get. */
const below = 0.28
/** The largest value does not touch the edge. */
const headroom = 1.08
const axisWidth = 46
const endWidth = 34
const labelHeight = 14
/** Of what happened in one step alone. */
const pointSize = 4

const niceParts = (millis: number) => millis <= 1_000_000 ? 5 : 6

export default function Plot(props: ChartProps) {
  const { live, preferences } = useApp()
  const [hover, setHover] = createSignal<{ readonly index: number; readonly left: number }>()
  const [depth, setDepth] = createSignal<{ readonly text: string; readonly top: number }>()
  const [ends, setEnds] = createSignal<ReadonlyArray<{ readonly text: string; readonly top: number }>>([])
  let element: HTMLDivElement | undefined
  let plot: uPlot | undefined
  let colors = new Map<string, string>()

  /** A token as the canvas understands it. */
  const color = (token: string, alpha = 1): string => {
    const name = `${token}/${alpha}`
    const known = colors.get(name)
    if (known !== undefined || element === undefined) return known ?? "gray"
    element.style.color = alpha === 1
      ? `var(${token})`
      : `color-mix(in srgb, var(${token}) ${alpha * 100}%, transparent)`
    const value = getComputedStyle(element).color
    element.style.color = ""
    colors.set(name, value)
    return value
  }

  const hasDown = () => props.lines.some(({ kind }) => kind === "down")
  const isEmpty = () =>
    props.none !== undefined &&
    props.lines.every(({ values }) => values.every((value) => value === null || value === 0))
  const hasEnds = () => props.lines.some(({ end }) => end !== undefined)
  const data = (): uPlot.AlignedData => [
    (props.lines[0]?.values ?? []).map((_, index) => (props.from + index * props.stepMillis) / 1_000),
    ...props.lines.map(({ kind, values }) =>
      kind === "down" ? values.map((value) => value ? -value : null) : [...values]
    )
  ]
  const topOf = (down: boolean) => {
    let top = down ? 0 : props.atLeast ?? 0
    for (const line of props.lines) {
      if ((line.kind === "down") === down) { for (const value of line.values) top = Math.max(top, value ?? 0) }
    }
    return top === 0 ? 1 : top * headroom
  }

  const seriesOf = (line: Line): uPlot.Series => ({
    label: line.label,
    scale: line.kind === "down" ? "down" : "y",
    width: line.kind === "down" ? 0 : 1.5,
    points: line.kind === "down"
      ? { show: false }
      : {
        show: true,
        size: pointSize,
        width: 0,
        fill: () => color(line.color),
        filter: (self, index) => isolated(self.data[index] ?? [])
      },
    spanGaps: false,
    stroke: () => color(line.color),
    ...line.dotted === true ? { dash: [2, 3] } : {},
    ...line.kind === "area"
      ? {
        fill: (self) => {
          const gradient = self.ctx.createLinearGradient(0, self.bbox.top, 0, self.valToPos(0, "y", true))
          gradient.addColorStop(0, color(line.color, 0.2))
          gradient.addColorStop(1, color(line.color, 0.02))
          return gradient
        }
      }
      : {},
    ...line.kind === "down"
      ? {
        fill: () => color(line.color),
        ...uPlot.paths.bars ? { paths: uPlot.paths.bars({ size: [0.7, 5], radius: 0.15 }) } : {}
      }
      : {}
  })

  const axis = { font: "11px Geist, system-ui, sans-serif", stroke: () => color("--fg-3"), ticks: { show: false } }
  const placeEnds = (self: uPlot) => {
    const labels = props.lines.flatMap((line, index) => {
      const values = self.data[index + 1] ?? []
      let last = values.length - 1
      while (last > 0 && (values[last] === null || values[last] === undefined)) last -= 1
      const value = values[last]
      return line.end === undefined || value === null || value === undefined
        ? []
        : [{ text: line.end, top: self.valToPos(value, "y") + 8 - labelHeight / 2 }]
    }).sort((a, b) => a.top - b.top)
    for (let index = 1; index < labels.length; index++) {
      const [before, here] = [labels[index - 1], labels[index]]
      if (before !== undefined && here !== undefined) here.top = Math.max(here.top, before.top + labelHeight)
    }
    setEnds(labels)
  }

  const options = (width: number, height: number): uPlot.Options => ({
    width,
    height,
    padding: [8, hasEnds() ? endWidth : 16, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: props.onRange !== undefined, y: false, setScale: false }, points: { show: false } },
    scales: {
      x: { time: false },
      y: {
        range: () => {
          const top = topOf(false)
          return [hasDown() ? -below * top : 0, top]
        }
      },
      down: {
        range: () => {
          const top = topOf(true)
          return [-top, top / below]
        }
      }
    },
    axes: [
      {
        ...axis,
        size: 24,
        gap: 6,
        grid: { show: false },
        splits: (_, __, min, max) => {
          const parts = width < 420 ? 3 : niceParts((max - min) * 1_000)
          return Array.from({ length: parts + 1 }, (_, index) => min + (max - min) * index / parts)
        },
        values: (_, splits) =>
          splits.map((at, index) =>
            index === splits.length - 1 && live.now() - at * 1_000 < 3 * props.stepMillis + 5_000
              ? "now"
              : minute(at * 1_000)
          )
      },
      {
        ...axis,
        size: axisWidth,
        gap: 8,
        space: 28,
        grid: { stroke: () => color("--line"), width: 1 },
        splits: (_, __, min, max, step) => {
          if (isEmpty()) return [0]
          const from = Math.max(0, Math.ceil(min / step) * step)
          return Array.from({ length: Math.floor((max - from) / step) + 1 }, (_, place) => from + place * step)
        },
        values: (_, splits) => splits.map(props.format)
      }
    ],
    series: [{}, ...props.lines.map(seriesOf)],
    hooks: {
      draw: [placeEnds, placeDepth, drawDot],
      setCursor: [(self) => {
        const { idx, left = -1 } = self.cursor
        setHover(idx === null || idx === undefined || left < 0 ? undefined : { index: idx, left: left + axisWidth })
      }],
      setSelect: [(self) => {
        const { left, width } = self.select
        if (width < 4) return
        const time = (at: number) => Math.round(self.posToVal(at, "x") * 1_000)
        props.onRange?.(time(left), time(left + width))
        self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
      }]
    }
  })

  /** Bars have a scale of their own: how much the longest stands for. */
  const placeDepth = (self: uPlot) => {
    const longest = hasDown() ? topOf(true) / headroom : 0
    const isThere = props.lines.some(({ kind, values }) => kind === "down" && values.some((value) => (value ?? 0) > 0))
    setDepth(
      isThere
        ? {
          text: props.format(Math.round(longest * 100) / 100),
          top: self.valToPos(-longest, "down") + 8 - labelHeight / 2
        }
        : undefined
    )
  }

  /** A dot on the newest value of an area: that is where it lives. */
  const drawDot = (self: uPlot) => {
    const at = props.lines.findIndex(({ kind }) => kind === "area")
    const values = self.data[at + 1]
    const value = values?.at(-1)
    const x = self.data[0].at(-1)
    if (isEmpty() || at === -1 || value === null || value === undefined || x === undefined) return
    const { ctx } = self
    ctx.beginPath()
    ctx.arc(self.valToPos(x, "x", true), self.valToPos(value, "y", true), 3 * devicePixelRatio, 0, Math.PI * 2)
    ctx.fillStyle = color(props.lines[at]?.color ?? "--accent")
    ctx.fill()
  }

  onMount(() => {
    if (element === undefined) return
    const own = element
    const create = () => {
      plot?.destroy()
      plot = new uPlot(options(own.clientWidth, own.clientHeight), data(), own)
    }
    create()
    const observer = new ResizeObserver(() => {
      const { clientHeight: height, clientWidth: width } = own
      if (plot !== undefined && width > 0 && (plot.width !== width || plot.height !== height)) {
        plot.setSize({ width, height })
      }
    })
    observer.observe(own)
    // The canvas is drawn before the font is there.
    void document.fonts.ready.then(() => plot?.redraw(false, true))
    createEffect(on(() => props.lines.map(({ color, kind, label }) => `${label}${color}${kind}`).join(), create, {
      defer: true
    }))
    createEffect(on(data, (next) => plot?.setData(next), { defer: true }))
    createEffect(on(preferences.dark, () => {
      colors = new Map()
      plot?.redraw(false, true)
    }, { defer: true }))
    onCleanup(() => {
      observer.disconnect()
      plot?.destroy()
    })
  })

  return (
    <>
      <div ref={element} class="plot" aria-hidden="true" />
      <For each={ends()}>
        {(end) => <span class="line-label" aria-hidden="true" style={{ top: `${end.top}px` }}>{end.text}</span>}
      </For>
      <Show when={isEmpty()}>
        <p class="none" aria-hidden="true">{props.none}</p>
      </Show>
      <Show when={depth()}>
        {(label) => (
          <span class="depth-label num" aria-hidden="true" style={{ top: `${label().top}px` }}>{label().text}</span>
        )}
      </Show>
      <Show when={hover()}>
        {(at) => (
          <output
            aria-hidden="true"
            style={{
              left: `${at().left}px`,
              transform: `translateX(${at().left > (element?.clientWidth ?? 0) / 2 ? "calc(-100% - 10px)" : "10px"})`
            }}
          >
            <b>{clock(props.from + at().index * props.stepMillis)}</b>
            <For each={props.lines}>
              {(line) => {
                const value = () => line.values[at().index]
                return (
                  <>
                    <span>{line.label}</span>
                    <em>{value() === null || value() === undefined ? "–" : props.format(value() ?? 0)}</em>
                  </>
                )
              }}
            </For>
          </output>
        )}
      </Show>
    </>
  )
}
