import type { Language } from './preferences.svelte';

interface Sentence {
  long: Record<Language, string>;
  /** For a chart's marker or a narrow column. */
  short?: Record<Language, string>;
}

/** Reason codes in words; `{detail}` is what followed the code. */
const REASONS = {
  signal: { long: { en: 'The strategy gave a signal', es: 'La estrategia dio una señal' }, short: { en: 'Signal', es: 'Señal' } },
  stop_loss: { long: { en: 'Stop loss reached', es: 'Stop de pérdidas alcanzado' }, short: { en: 'Stop loss', es: 'Stop' } },
  take_profit: { long: { en: 'Take profit reached', es: 'Objetivo de ganancias alcanzado' }, short: { en: 'Take profit', es: 'Objetivo' } },
  trailing: { long: { en: 'Trailing stop reached', es: 'Stop dinámico alcanzado' }, short: { en: 'Trailing', es: 'Dinámico' } },
  break_even: { long: { en: 'Break-even stop reached', es: 'Stop sin pérdida alcanzado' }, short: { en: 'Break even', es: 'Sin pérdida' } },
  end: { long: { en: 'Closed at the end of the data', es: 'Cerrada al final de los datos' }, short: { en: 'End', es: 'Fin' } },
  dust: {
    long: { en: 'Too little to be sold, or for a stop', es: 'Demasiado poco para vender o para un stop' },
    short: { en: 'Dust', es: 'Resto' },
  },
  no_signal: { long: { en: 'The strategy sees no reason to trade', es: 'La estrategia no ve motivo para operar' } },
  no_crossing: { long: { en: 'The lines have not crossed', es: 'Las líneas no se han cruzado' } },
  warming_up: { long: { en: 'Warming up: {detail} candles', es: 'Calentando: {detail} velas' } },
  not_applicable: { long: { en: 'The strategy does not trade this symbol', es: 'La estrategia no opera este símbolo' } },
  failed: { long: { en: 'The strategy failed: {detail}', es: 'La estrategia falló: {detail}' } },
  refused: { long: { en: 'Refused: {detail}', es: 'Rechazada: {detail}' } },
  cooldown: { long: { en: 'Still cooling down after the last trade', es: 'Aún en enfriamiento tras la última operación' } },
  max_positions: { long: { en: 'The most positions allowed are open', es: 'Ya está abierto el máximo de posiciones' } },
  balance: { long: { en: 'Not enough free cash', es: 'No hay suficiente efectivo disponible' } },
  min_notional: { long: { en: 'Below the exchange’s smallest order', es: 'Por debajo de la orden mínima del exchange' } },
  regime: { long: { en: 'The market regime does not allow it', es: 'El régimen de mercado no lo permite' } },
  position_open: { long: { en: 'A position is already open', es: 'Ya hay una posición abierta' } },
  no_position: { long: { en: 'There is no position to close', es: 'No hay posición que cerrar' } },
  exit_pending: { long: { en: 'The position is already being closed', es: 'La posición ya se está cerrando' } },
  no_price: { long: { en: 'No price is known yet', es: 'Aún no se conoce ningún precio' } },
  late: { long: { en: 'The signal came too late', es: 'La señal llegó demasiado tarde' } },
  market_ended: { long: { en: 'The market has ended', es: 'El mercado ha terminado' } },
  venue: { long: { en: 'The exchange refused the order', es: 'El exchange rechazó la orden' } },
  never_arrived: { long: { en: 'It never arrived at the exchange', es: 'Nunca llegó al exchange' } },
  client: { long: { en: 'Withdrawn by Vela', es: 'Retirada por Vela' } },
  group: { long: { en: 'Taken back: the other order of its pair was filled', es: 'Retirada: se ejecutó la otra orden de su pareja' } },
  contradictory: { long: { en: 'The strategy says buy and sell at once', es: 'La estrategia dice comprar y vender a la vez' } },
  kill_switch: {
    long: { en: 'The kill switch is on', es: 'El interruptor de emergencia está activado' },
    short: { en: 'Kill switch', es: 'Emergencia' },
  },
  reduce_only: { long: { en: 'Only what reduces positions is let through', es: 'Solo pasa lo que reduce posiciones' } },
  symbol_not_allowed: { long: { en: 'The symbol is not among those allowed', es: 'El símbolo no está entre los permitidos' } },
  limit_order: { long: { en: 'Larger than an entry may be', es: 'Mayor de lo que puede ser una entrada' } },
  limit_total: { long: { en: 'More than may be held altogether', es: 'Más de lo que se puede tener en total' } },
  limit_rate: { long: { en: 'Too many orders in a minute', es: 'Demasiadas órdenes en un minuto' } },
  price_band: { long: { en: 'The price is too far from the newest close', es: 'El precio está demasiado lejos del último cierre' } },
  daily_loss: { long: { en: 'Too much was lost today', es: 'Hoy se ha perdido demasiado' } },
  drawdown: { long: { en: 'Equity is too far below its highest', es: 'El capital está demasiado por debajo de su máximo' } },
  rejected: { long: { en: 'The exchange rejected it: {detail}', es: 'El exchange la rechazó: {detail}' } },
} satisfies Record<string, Sentence>;

export type ReasonCode = keyof typeof REASONS;

export const REASON_CODES = Object.keys(REASONS) as ReasonCode[];

function known(code: string): Sentence | undefined {
  return Object.hasOwn(REASONS, code) ? REASONS[code as ReasonCode] : undefined;
}

function split(reason: string): [code: string, detail: string] {
  const at = reason.search(/[\s:]/);
  return at < 0 ? [reason, ''] : [reason.slice(0, at), reason.slice(at).replace(/^[\s:]+/, '')];
}

/** The code of a reason without its detail: `warming_up 120/200` → `warming_up`. */
export function reasonCode(reason: string): string {
  return split(reason)[0];
}

/** A reason as a sentence; one that is not known is shown as it came. */
export function reasonSentence(reason: string, language: Language): string {
  const [code, detail] = split(reason);
  const template = known(code)?.long[language];
  if (template === undefined) return reason;
  if (!template.includes('{detail}')) return detail ? `${template} (${detail})` : template;
  const words = detail ? reasonSentence(detail, language) : '';
  return template.replace('{detail}', () => words).replace(/:\s*$/, '');
}

/** A reason in a word or two, for a chart's marker or a narrow column. */
export function reasonLabel(reason: string, language: Language): string {
  const sentence = known(split(reason)[0]);
  return sentence?.short?.[language] ?? reasonSentence(reason, language);
}
