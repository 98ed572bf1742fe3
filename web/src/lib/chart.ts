import {
  CandlestickSeries,
  CrosshairMode,
  HistogramSeries,
  LineSeries,
  LineStyle,
  createChart,
  createSeriesMarkers,
  type AutoscaleInfo,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  type MouseEventParams,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import { besidePrice, type Change, type ChartModel } from './chart-model';
import type { Candle, Marker } from './protocol';
import type { Palette } from './palette';

export interface Level {
  price: number;
  title: string;
  kind: 'entry' | 'stop' | 'target';
}

export interface LegendValue {
  name: string;
  color: string;
  value: number | null;
}

export interface Legend {
  candle: Candle | null;
  series: readonly LegendValue[];
}

export interface ChartOptions {
  palette: Palette;
  locale: string;
  price: (value: number) => string;
  compact: (value: number) => string;
  moment: (ms: number) => string;
  marker: (marker: Marker) => string;
  minMove: number;
  onlegend: (legend: Legend) => void;
  /** The first candle came near. */
  onstart: () => void;
  /** Whether the newest candle is in view. */
  onlatest: (inView: boolean) => void;
}

const PRICE_PANE = 0;
const VOLUME_PANE = 1;
const OWN_PANE = 2;
const BAR_WIDTH = 5.5;
const MOST_BARS = 170;
const RIGHT_MARGIN = 6;
/** The scale grows for a level at most to this many times the candles' range. */
const SCALE_GROWTH = 2.5;
const NEAR_START = 30;

const seconds = (ms: number) => Math.floor(ms / 1000) as UTCTimestamp;

/** Draws a ChartModel: candles, volume, indicators, markers and the open position's levels. */
export class PriceChart {
  readonly #chart: IChartApi;
  readonly #candles: ISeriesApi<'Candlestick'>;
  readonly #volume: ISeriesApi<'Histogram'>;
  readonly #markers: ISeriesMarkersPluginApi<Time>;
  readonly #lines = new Map<string, { api: ISeriesApi<'Line'>; color: string }>();
  #levels: IPriceLine[] = [];
  #hovered: number | null = null;
  #first = 0;
  readonly #bars: number;
  #shown: readonly Level[] = [];
  readonly #forget: () => void;

  constructor(
    host: HTMLElement,
    private readonly model: ChartModel,
    private readonly options: ChartOptions,
  ) {
    const { palette } = options;
    this.#bars = Math.min(MOST_BARS, Math.round(host.clientWidth / BAR_WIDTH));
    this.#chart = createChart(host, this.#layout());
    this.#candles = this.#chart.addSeries(
      CandlestickSeries,
      {
        upColor: palette.up,
        downColor: palette.down,
        wickUpColor: palette.up,
        wickDownColor: palette.down,
        borderVisible: false,
        priceLineColor: palette.muted,
        priceFormat: { type: 'custom', formatter: options.price, minMove: options.minMove },
        autoscaleInfoProvider: (original: () => AutoscaleInfo | null) => this.#scale(original()),
      },
      PRICE_PANE,
    );
    this.#candles.priceScale().applyOptions({ scaleMargins: { top: 0.14, bottom: 0.06 } });
    const priceFormat = { type: 'custom', formatter: options.compact, minMove: 0.01 } as const;
    this.#volume = this.#chart.addSeries(HistogramSeries, { priceFormat, priceLineVisible: false, lastValueVisible: false }, VOLUME_PANE);
    this.#volume.priceScale().applyOptions({ scaleMargins: { top: 0.1, bottom: 0 } });
    this.#markers = createSeriesMarkers(this.#candles, []);
    this.#chart.subscribeCrosshairMove((move) => this.#hover(move));
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (!range) return;
      if (range.from < NEAR_START && this.model.candles.length > 0) options.onstart();
      options.onlatest(range.to >= this.#length - 1);
    });
    this.#forget = model.listen((change) => this.#follow(change));
    this.#reset();
  }

  destroy(): void {
    this.#forget();
    this.#chart.remove();
  }

  latest(): void {
    this.#chart.timeScale().scrollToPosition(RIGHT_MARGIN, false);
  }

  /** The levels of the open position. */
  setLevels(levels: readonly Level[]): void {
    const { palette } = this.options;
    const colors = { entry: palette.accent, stop: palette.down, target: palette.up };
    this.#shown = levels;
    for (const line of this.#levels) this.#candles.removePriceLine(line);
    this.#levels = levels.map(({ price, title, kind }) =>
      this.#candles.createPriceLine({
        price,
        title,
        color: colors[kind],
        lineWidth: 1,
        lineStyle: kind === 'entry' ? LineStyle.Solid : LineStyle.Dashed,
        axisLabelVisible: true,
      }),
    );
  }

  /** Brings the levels into view, unless one is so far off that the candles would be flattened. */
  #scale(info: AutoscaleInfo | null): AutoscaleInfo | null {
    if (!info?.priceRange) return info;
    let { minValue, maxValue } = info.priceRange;
    const most = (maxValue - minValue) * SCALE_GROWTH;
    for (const { price } of this.#shown) {
      if (Math.max(maxValue, price) - Math.min(minValue, price) > most) continue;
      minValue = Math.min(minValue, price);
      maxValue = Math.max(maxValue, price);
    }
    return { ...info, priceRange: { minValue, maxValue } };
  }

  get #length(): number {
    return this.model.candles.length + (this.model.forming ? 1 : 0);
  }

  #layout() {
    const { palette, locale, moment } = this.options;
    return {
      autoSize: true,
      layout: {
        background: { color: palette.surface },
        textColor: palette.muted,
        fontFamily: palette.font,
        fontSize: 11,
        // The attribution that the licence asks for stands below the chart, with its link.
        attributionLogo: false,
        panes: { separatorColor: palette.grid, separatorHoverColor: palette.line, enableResize: true },
      },
      grid: { vertLines: { color: palette.grid }, horzLines: { color: palette.grid } },
      crosshair: {
        mode: CrosshairMode.Normal,
        vertLine: { color: palette.muted, labelBackgroundColor: palette.line },
        horzLine: { color: palette.muted, labelBackgroundColor: palette.line },
      },
      rightPriceScale: { borderVisible: false },
      timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false, rightOffset: RIGHT_MARGIN, minBarSpacing: 1, fixLeftEdge: true },
      localization: { locale, timeFormatter: (time: Time) => `${moment(Number(time) * 1000)} UTC` },
    };
  }

  #follow(change: Change): void {
    if (change.kind === 'reset') this.#reset();
    else if (change.kind === 'candles') this.#update(change.from);
    else if (change.kind === 'series') this.#updateLines(change.from);
    else this.#mark();
    this.#tell();
  }

  #reset(): void {
    const { candles, forming } = this.model;
    const all = forming ? [...candles, forming] : candles;
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    const first = all[0]?.[0] ?? 0;
    const grown = this.#first > 0 && first > 0 && first < this.#first ? all.findIndex((candle) => candle[0] >= this.#first) : 0;
    this.#first = first;
    this.#candles.setData(all.map(bar));
    this.#volume.setData(all.map((candle) => this.#column(candle)));
    this.#resetLines();
    this.#mark();
    if (grown > 0 && range) {
      this.#chart.timeScale().setVisibleLogicalRange({ from: range.from + grown, to: range.to + grown });
    } else if (all.length > 0) {
      this.#chart.timeScale().setVisibleLogicalRange({ from: all.length - this.#bars, to: all.length + RIGHT_MARGIN });
    }
    this.#tell();
  }

  #update(from: number): void {
    const { candles, forming } = this.model;
    const fresh = forming ? [...candles.slice(from), forming] : candles.slice(from);
    for (const candle of fresh) {
      this.#candles.update(bar(candle));
      this.#volume.update(this.#column(candle));
    }
  }

  #resetLines(): void {
    for (const { api } of this.#lines.values()) this.#chart.removeSeries(api);
    this.#lines.clear();
    for (const name of Object.keys(this.model.series)) this.#addLine(name);
    this.#share();
  }

  #addLine(name: string): void {
    const { candles, series } = this.model;
    const values = series[name] ?? [];
    const { palette, price } = this.options;
    const beside = besidePrice(name, values, candles);
    const color = palette.lines[this.#lines.size % palette.lines.length] ?? palette.accent;
    const api = this.#chart.addSeries(
      LineSeries,
      {
        color,
        lineWidth: 1,
        priceLineVisible: false,
        lastValueVisible: !beside,
        crosshairMarkerVisible: false,
        ...(beside ? { priceFormat: { type: 'custom', formatter: price, minMove: this.options.minMove } as const } : { title: name }),
      },
      beside ? PRICE_PANE : OWN_PANE,
    );
    api.setData(values.flatMap((value, i) => this.#point(i, value)));
    this.#lines.set(name, { api, color });
  }

  #updateLines(from: number): void {
    for (const [name, values] of Object.entries(this.model.series)) {
      const line = this.#lines.get(name);
      if (!line) {
        this.#addLine(name);
        this.#share();
        continue;
      }
      for (let i = from; i < values.length; i += 1) {
        for (const point of this.#point(i, values[i] ?? null)) line.api.update(point, true);
      }
    }
  }

  #point(i: number, value: number | null): { time: UTCTimestamp; value: number }[] {
    const candle = this.model.candles[i];
    return candle && value !== null ? [{ time: seconds(candle[0]), value }] : [];
  }

  #share(): void {
    const shares = [6, 1.2, 1.8];
    this.#chart.panes().forEach((pane, i) => pane.setStretchFactor(shares[i] ?? 1));
  }

  #mark(): void {
    const { palette, marker } = this.options;
    // Those before the first candle would all be drawn at it.
    const first = this.model.candles[0]?.[0] ?? this.model.forming?.[0] ?? Infinity;
    const inView = this.model.markers.filter((mark) => mark.time >= first);
    const marks = inView.map((mark): SeriesMarker<Time> => {
      const buys = mark.side === 'BUY';
      return {
        time: seconds(mark.time),
        position: buys ? 'belowBar' : 'aboveBar',
        shape: buys ? 'arrowUp' : 'arrowDown',
        color: mark.kind === 'entry' ? palette.accent : /stop|trailing|break/.test(mark.reason) ? palette.down : palette.up,
        text: marker(mark),
      };
    });
    this.#markers.setMarkers(marks.sort((a, b) => Number(a.time) - Number(b.time)));
  }

  #column(candle: Candle) {
    const { palette } = this.options;
    const color = candle[4] >= candle[1] ? palette.up : palette.down;
    return { time: seconds(candle[0]), value: candle[5], color: color.replace(/^rgb\((.+)\)$/, 'rgba($1, 0.4)') };
  }

  #hover(move: MouseEventParams): void {
    this.#hovered = move.time === undefined ? null : Number(move.time);
    this.#tell();
  }

  #tell(): void {
    const { candles, forming, series } = this.model;
    const hovered = this.#hovered;
    const at = hovered === null ? candles.length - 1 : candles.findIndex((candle) => seconds(candle[0]) === hovered);
    const live = hovered === null || (forming && seconds(forming[0]) === hovered);
    const valueAt = (values: readonly (number | null)[]) => (live ? values.findLast((value) => value !== null) : values[at]) ?? null;
    const values = [...this.#lines].map(([name, { color }]) => ({ name, color, value: valueAt(series[name] ?? []) }));
    this.options.onlegend({ candle: (live ? forming : null) ?? candles[at] ?? null, series: values });
  }
}

function bar([time, open, high, low, close]: Candle) {
  return { time: seconds(time), open, high, low, close };
}
