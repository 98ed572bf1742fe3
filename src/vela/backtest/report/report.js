'use strict'
{
  const data = JSON.parse(document.getElementById('data').textContent)
  const root = document.documentElement
  const two = (number) => String(number).padStart(2, '0')
  const day = (at) => `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`
  const clock = (at) => `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`
  const moment = (time) => `${day(new Date(time))} ${clock(new Date(time))}`
  const written = (value) =>
    value.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 }).replace('-', '−')
  const price = (value) => value.toLocaleString('en', { maximumSignificantDigits: 7 })
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high)
  // First index whose value is at or after `wanted`.
  const find = (sorted, wanted) => {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (sorted[middle] < wanted) low = middle + 1
      else high = middle
    }
    return low
  }

  const place = (tip, text, x, width) => {
    tip.hidden = false
    tip.textContent = text
    const right = x > width / 2
    tip.style.left = right ? '' : `${x + 12}px`
    tip.style.right = right ? `${width - x + 12}px` : ''
  }

  // Equity and drawdown share one time: a look at either shows both.
  const { t, e, h, d } = data.curve
  const fields = ['equity', 'drawdown'].map((name) => document.querySelector(`[data-plot=${name}] .field`))
  const marks = fields.map((field) => {
    const cross = field.appendChild(document.createElement('div'))
    cross.className = 'cross'
    cross.hidden = true
    return cross
  })
  const curveTip = fields[0].appendChild(document.createElement('div'))
  curveTip.className = 'tip'
  curveTip.hidden = true
  const span = Math.max(t[t.length - 1] - t[0], 1)
  for (const field of fields) {
    field.addEventListener('pointermove', (event) => {
      const box = field.getBoundingClientRect()
      const share = clamp((event.clientX - box.left) / box.width, 0, 1)
      const index = Math.min(find(t, t[0] + share * span), t.length - 1)
      const at = (t[index] - t[0]) / span
      for (const cross of marks) {
        cross.hidden = false
        cross.style.left = `${100 * at}%`
      }
      const lines = [`account ${written(e[index])}`, `held ${written(h[index])}`, `drawdown ${written(d[index])} %`]
      place(curveTip, [moment(t[index]), ...lines].join('\n'), at * box.width, box.width)
    })
    field.addEventListener('pointerleave', () => {
      for (const element of [...marks, curveTip]) element.hidden = true
    })
  }

  // Candles with the trades on them, on a canvas: drag moves, the wheel zooms.
  const canvas = document.getElementById('market')
  const pen = canvas.getContext('2d')
  const tip = canvas.nextElementSibling
  const note = document.getElementById('note')
  const SIDE = 64
  const FOOT = 22
  const NEAREST = 12
  let series = data.symbols[0]
  let from = 0
  let to = 1

  const length = () => (series.t.length > 1 ? (series.t[series.t.length - 1] - series.t[0]) / (series.t.length - 1) : 60000)
  const first = () => series.t[0]
  const last = () => series.t[series.t.length - 1] + length()

  const look = (left, right) => {
    const least = Math.min(NEAREST * length(), last() - first())
    const width = clamp(right - left, least, last() - first())
    from = clamp(left + (right - left - width) / 2, first(), last() - width)
    to = from + width
    draw()
  }

  const colour = (name) => {
    canvas.style.color = `var(--${name})`
    const value = getComputedStyle(canvas).color
    canvas.style.color = ''
    return value
  }

  const round = (raw) => {
    const power = 10 ** Math.floor(Math.log10(raw))
    return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= raw)
  }

  const HOUR = 3600000
  const STEPS = [1 / 60, 1 / 12, 0.25, 1, 3, 6, 12, 24, 48, 168, 336, 730, 1460, 2190, 4380, 8760].map((hours) => hours * HOUR)

  const draw = () => {
    const { width, height } = canvas.getBoundingClientRect()
    const ratio = window.devicePixelRatio || 1
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    const [right, bottom] = [width - SIDE, height - FOOT]
    const begin = Math.max(find(series.t, from) - 1, 0)
    const end = Math.min(find(series.t, to), series.t.length)
    let low = Infinity
    let high = -Infinity
    for (let i = begin; i < end; i++) {
      low = Math.min(low, series.l[i])
      high = Math.max(high, series.h[i])
    }
    const air = (high - low) * 0.06 || high * 0.01
    low -= air
    high += air
    const x = (time) => ((time - from) / (to - from)) * right
    const y = (value) => bottom - ((value - low) / (high - low)) * bottom
    const ink = Object.fromEntries(['up', 'down', 'muted', 'line', 'accent'].map((name) => [name, colour(name)]))

    drawGrid(ink, { low, high, right, bottom, x, y })
    pen.save()
    pen.beginPath()
    pen.rect(0, 0, right, bottom)
    pen.clip()
    drawCandles(ink, { begin, end, right, x, y })
    drawTrades(ink, { x, y, right })
    pen.restore()
  }

  const drawGrid = (ink, { low, high, right, bottom, x, y }) => {
    pen.font = '11px ' + getComputedStyle(document.body).fontFamily
    pen.lineWidth = 1
    pen.strokeStyle = ink.line
    pen.fillStyle = ink.muted
    pen.textBaseline = 'middle'
    pen.textAlign = 'left'
    const step = round((high - low) / 5)
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
      pen.beginPath()
      pen.moveTo(0, y(value))
      pen.lineTo(right, y(value))
      pen.stroke()
      pen.fillText(price(value), right + 8, y(value))
    }
    const most = Math.max(2, Math.floor(right / 110))
    const width = STEPS.find((length) => (to - from) / length <= most) ?? 8760 * HOUR * 5
    pen.textAlign = 'center'
    for (let time = Math.ceil(from / width) * width; time <= to; time += width) {
      const at = new Date(time)
      pen.fillText(width >= 24 * HOUR || time % (24 * HOUR) === 0 ? day(at) : clock(at), clamp(x(time), 30, right - 30), bottom + 13)
    }
  }

  const drawCandles = (ink, { begin, end, right, x, y }) => {
    const body = Math.max(1, Math.min(14, (right / Math.max((to - from) / length(), 1)) * 0.68))
    for (let i = begin; i < end; i++) {
      const middle = x(series.t[i] + length() / 2)
      const rises = series.c[i] >= series.o[i]
      pen.fillStyle = rises ? ink.up : ink.down
      pen.globalAlpha = body < 2 ? 0.6 : 0.75
      const top = y(series.h[i])
      pen.fillRect(middle - 0.5, top, 1, Math.max(1, y(series.l[i]) - top))
      if (body < 2) continue
      const upper = y(Math.max(series.o[i], series.c[i]))
      pen.fillRect(middle - body / 2, upper, body, Math.max(1, y(Math.min(series.o[i], series.c[i])) - upper))
    }
    pen.globalAlpha = 1
  }

  const drawTrades = (ink, { x, y, right: width }) => {
    const seen = series.trades.filter((trade) => trade[2] >= from && trade[0] <= to)
    // Where they would cover the candles, a dot at each exit is enough.
    const isCrowded = seen.length > width / 3
    const size = isCrowded ? 3 : seen.length > width / 12 ? 5 : 8
    pen.globalAlpha = isCrowded ? 0.7 : 1
    for (const [entry, paid, exit, got, side, profit] of seen) {
      const [left, start, right, stop] = [x(entry), y(paid), x(exit), y(got)]
      pen.strokeStyle = profit > 0 ? ink.up : ink.down
      pen.fillStyle = pen.strokeStyle
      pen.beginPath()
      pen.arc(right, stop, size / 2, 0, 7)
      pen.fill()
      if (isCrowded) continue
      pen.lineWidth = 1.5
      pen.beginPath()
      pen.moveTo(left, start)
      pen.lineTo(right, stop)
      pen.stroke()
      pen.fillStyle = ink.accent
      pen.beginPath()
      pen.moveTo(left, start)
      pen.lineTo(left - size * 0.7, start + side * size * 1.3)
      pen.lineTo(left + size * 0.7, start + side * size * 1.3)
      pen.fill()
    }
    pen.globalAlpha = 1
    const hidden = series.hidden ? ` · ${series.hidden.toLocaleString('en')} more are not drawn` : ''
    note.textContent =
      `${seen.length.toLocaleString('en')} trades in sight${hidden} · ` +
      (isCrowded ? 'dots are exits, green for a gain' : 'blue arrows are entries, dots exits, green for a gain') +
      ' · drag to move, scroll to zoom'
  }

  const timeAt = (event) => {
    const box = canvas.getBoundingClientRect()
    return from + clamp((event.clientX - box.left) / (box.width - SIDE), 0, 1) * (to - from)
  }
  const zoom = (factor, around = (from + to) / 2) => look(around - (around - from) * factor, around + (to - around) * factor)

  canvas.addEventListener('wheel', (event) => {
    // With all in sight there is nothing to zoom out to: the page scrolls on.
    if (event.deltaY > 0 && to - from >= last() - first()) return
    event.preventDefault()
    zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event))
  }, { passive: false })
  let held = null
  canvas.addEventListener('pointerdown', (event) => {
    held = timeAt(event)
    canvas.setPointerCapture(event.pointerId)
  })
  canvas.addEventListener('pointerup', () => (held = null))
  canvas.addEventListener('pointercancel', () => (held = null))
  canvas.addEventListener('pointermove', (event) => {
    if (held !== null) {
      const moved = held - timeAt(event)
      look(from + moved, to + moved)
      return
    }
    const index = clamp(find(series.t, timeAt(event)) - 1, 0, series.t.length - 1)
    const box = canvas.getBoundingClientRect()
    const values = ['open', 'high', 'low', 'close'].map((name) => `${name} ${price(series[name[0]][index])}`)
    place(tip, [moment(series.t[index]), ...values].join('\n'), event.clientX - box.left, box.width)
  })
  canvas.addEventListener('pointerleave', () => (tip.hidden = true))

  const whole = () => look(first(), last())
  document.getElementById('in').onclick = () => zoom(0.5)
  document.getElementById('out').onclick = () => zoom(2)
  document.getElementById('all').onclick = whole
  const tabs = document.getElementById('tabs')
  tabs.hidden = data.symbols.length < 2
  for (const tab of tabs.children) {
    tab.onclick = () => {
      series = data.symbols[Number(tab.dataset.symbol)]
      for (const other of tabs.children) other.setAttribute('aria-pressed', String(other === tab))
      whole()
    }
  }
  new ResizeObserver(draw).observe(canvas)
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
  window.addEventListener('beforeprint', () => {
    root.dataset.theme = 'light'
    draw()
  })
  window.addEventListener('afterprint', () => {
    delete root.dataset.theme
    draw()
  })
  whole()
}
