import { ANOMALIES } from '../../model/anomaly.ts';
import type { Style } from '../../report/style.ts';
import { displayWidth, pad, sanitise, shorten, wrap } from '../../report/terminal-text.ts';
import { type Column, type Row, renderTable } from '../../report/text-table.ts';
import { counted, formatBytes, formatDuration } from '../../report/units.ts';
import {
  type AnswerObject,
  type AnswerRow,
  answerObject,
  answerRow,
  answerRows,
  numberOf,
  textOf,
} from './answer.ts';
import { apartLines, unknownApartLines } from './apart-lines.ts';
import { type Bar, barLines } from './bar-lines.ts';
import { endpointText, NONE, statusPaint, statusText, timeText } from './row-text.ts';

export interface DetailOptions {
  /** Cells of a line. */
  readonly width: number;
  readonly style: Style;
}

const NAME_CELLS = 12;
/** Lines of header fields of one message that are shown. */
const HEADER_LINES = 50;

/** One exchange in full, as `GET /api/v1/exchanges/:id` answers it. @throws UserError when it is something else */
export function detailText(answer: unknown, options: DetailOptions): string {
  const width = Math.max(40, options.width);
  const fitted = { ...options, width };
  const exchange = answerRow(answerObject(answer).exchange);
  const observations = answerRows(answer, 'observations');
  const { apart } = answerObject(answer);
  const blocks = [
    headline(exchange, fitted),
    factLines(exchange, observations.length, fitted),
    [options.style.bold('Phases'), ...phaseLines(exchange, fitted)],
    apart === null || apart === undefined
      ? unknownApartLines(observations.length, fitted)
      : apartLines(answerObject(apart), fitted),
    messageLines('Request', 'request', exchange, fitted),
    messageLines('Response', 'response', exchange, fitted),
    observationLines(exchange, observations, fitted),
    tcpLines(exchange, fitted),
    anomalyLines(exchange, fitted),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

function headline(exchange: AnswerRow, { width, style }: DetailOptions): string[] {
  const reason = sanitise(textOf(exchange, 'reason') ?? '');
  const status =
    numberOf(exchange, 'status') === null ? 'no answer' : `${statusText(exchange)} ${reason}`.trimEnd();
  const answer = shorten(status, Math.max(12, Math.floor(width / 3)));
  const name = `Exchange ${numberOf(exchange, 'id') ?? NONE}`;
  const target = textOf(exchange, 'target') ?? '';
  const place = target.startsWith('/') ? (textOf(exchange, 'host') ?? '') + target : target;
  const request = sanitise(`${textOf(exchange, 'method') ?? '(unknown request)'} ${place}`).trimEnd();
  const room = Math.max(8, width - displayWidth(name) - displayWidth(answer) - 6);
  const total = numberOf(exchange, 'total_ms');
  const ending = textOf(exchange, 'ending');
  const verdict = [
    sanitise(textOf(exchange, 'outcome') ?? '').replaceAll('-', ' '),
    total === null ? 'total unknown' : `${formatDuration(total * 1e6)} in all`,
    `pairing ${sanitise(textOf(exchange, 'pairing') ?? NONE)}`,
    ...(ending === null ? [] : [sanitise(ending).replaceAll('-', ' ')]),
  ].join(', ');
  const paint = statusPaint(exchange, style) ?? style.bold;
  return [
    `${style.bold(name)}  ${shorten(request, room, 'middle')} -> ${paint(answer)}`,
    ...wrap(verdict, width - 2).map((line) => `  ${style.cyan(line)}`),
  ];
}

function named(name: string, text: string, { width, style }: DetailOptions): string[] {
  return wrap(text, width - NAME_CELLS - 2).map(
    (line, index) => `  ${style.dim(pad(index === 0 ? name : '', NAME_CELLS))}${line}`,
  );
}

function factLines(exchange: AnswerRow, observations: number, options: DetailOptions): string[] {
  const optional = (name: string, column: string): string[] => {
    const text = textOf(exchange, column);
    return text === null ? [] : named(name, sanitise(text), options);
  };
  const seen = observations === 1 ? '' : ` and ${counted(observations - 1, 'other')}`;
  return [
    ...named('when', timeText(exchange), options),
    ...named('client', endpointText(exchange, 'client'), options),
    ...named('server', endpointText(exchange, 'server'), options),
    ...named('position', `${numberOf(exchange, 'position') ?? NONE} on its connection`, options),
    ...named('seen by', `${whoSaw(exchange)}${seen}`, options),
    ...optional('route', 'route'),
    ...optional('uid', 'uid'),
  ];
}

/** `web-1 on node-a`, `web-1 (shop/cart-7f9 on node-a)` */
function whoSaw(row: AnswerRow): string {
  const [agent, node, pod, namespace] = ['agent', 'node', 'pod', 'namespace'].map((name) =>
    sanitise(textOf(row, name) ?? ''),
  );
  const inside = pod === '' ? '' : namespace === '' ? pod : `${namespace}/${pod}`;
  const where = node === '' || node === agent ? '' : ` on ${node}`;
  return inside === '' ? `${agent || NONE}${where}` : `${agent || NONE} (${inside}${where})`;
}

const PHASES = ['connect', 'send', 'wait', 'receive'];

function phaseLines(exchange: AnswerRow, { width, style }: DetailOptions): string[] {
  let before = 0;
  const bars: Bar[] = [];
  const unknown: string[] = [];
  for (const name of PHASES) {
    const ms = numberOf(exchange, `${name}_ms`);
    if (ms === null) {
      if (name !== 'connect' || numberOf(exchange, 'position') === 1) unknown.push(name);
      continue;
    }
    bars.push({ name, fromMs: before, ms });
    before += ms;
  }
  const lines = barLines(bars, { width, style });
  if (unknown.length > 0) lines.push(style.dim(`  not seen: ${unknown.join(', ')}`));
  return lines;
}

function messageLines(title: string, prefix: string, exchange: AnswerRow, options: DetailOptions): string[] {
  const { width, style } = options;
  const head = numberOf(exchange, `${prefix}_header_bytes`);
  if (head === null) return [];
  const body = numberOf(exchange, `${prefix}_body_bytes`) ?? 0;
  const lost = numberOf(exchange, `${prefix}_lost_bytes`) ?? 0;
  const media = textOf(exchange, `${prefix}_media_type`);
  const facts = [
    `${formatBytes(head)} of headers`,
    body === 0 ? 'no body' : `${formatBytes(body)} of body${media === null ? '' : ` (${sanitise(media)})`}`,
    ...(lost > 0 ? [`${formatBytes(lost)} of it not captured`] : []),
  ].join(', ');
  const lines = [`${style.bold(title)}  ${style.dim(shorten(facts, width - title.length - 2))}`];
  const fields = headerFields(textOf(exchange, `${prefix}_headers`));
  for (const [name, value] of fields.slice(0, HEADER_LINES)) {
    const text = `${sanitise(name)}: ${sanitise(value)}`;
    for (const line of wrap(text, width - 2)) lines.push(`  ${shorten(line, width - 2)}`);
  }
  if (fields.length > HEADER_LINES)
    lines.push(style.dim(`  and ${counted(fields.length - HEADER_LINES, 'more field')}`));
  return lines;
}

/** JSON array of [name, value] as text; anything else gives nothing. */
function headerFields(json: string | null): readonly (readonly [string, string])[] {
  const list = parsedList(json);
  return list.flatMap((field) =>
    Array.isArray(field) && typeof field[0] === 'string' && typeof field[1] === 'string'
      ? [[field[0], field[1]] as const]
      : [],
  );
}

function parsedList(json: string | null): readonly unknown[] {
  if (json === null) return [];
  try {
    const list: unknown = JSON.parse(json);
    return Array.isArray(list) ? (list as unknown[]) : [];
  } catch {
    return [];
  }
}

const SEEN: readonly Column[] = [
  { title: 'seen by', shrinkTo: 12, cut: 'middle' },
  { title: 'from -> to', shrinkTo: 16, cut: 'middle', expendable: 3 },
  { title: 'began (UTC)', expendable: 2 },
  { title: 'send', align: 'right', expendable: 4 },
  { title: 'wait', align: 'right' },
  { title: 'receive', align: 'right', expendable: 5 },
  { title: 'total', align: 'right' },
];

/** Who saw it, nearest to the client first. One observation says no more than the exchange itself. */
function observationLines(
  exchange: AnswerRow,
  observations: readonly AnswerRow[],
  { width, style }: DetailOptions,
): string[] {
  if (observations.length < 2) return [];
  const rows = observations.map((one): Row => {
    const row = { ...exchange, ...one };
    const phase = (name: string): string => {
      const ms = numberOf(one, `${name}_ms`);
      return formatDuration(ms === null ? null : ms * 1e6);
    };
    return [
      whoSaw(one),
      `${endpointText(row, 'client')} -> ${endpointText(row, 'server')}`,
      { text: timeText(one).slice(11, 26), paint: style.dim },
      phase('send'),
      phase('wait'),
      phase('receive'),
      phase('total'),
    ];
  });
  return [
    style.bold('Observations'),
    ...renderTable(SEEN, rows, width, style),
    style.dim('  each by the clock of its own node, nearest to the client first'),
  ];
}

const TCP = [
  ['request_retransmissions', 'segment of the request sent again', 'segments of the request sent again'],
  ['response_retransmissions', 'segment of the response sent again', 'segments of the response sent again'],
  ['request_out_of_order', 'segment of the request out of order', 'segments of the request out of order'],
  ['response_out_of_order', 'segment of the response out of order', 'segments of the response out of order'],
  ['client_zero_windows', 'time the client could take no more', 'times the client could take no more'],
  ['server_zero_windows', 'time the server could take no more', 'times the server could take no more'],
] as const;

function tcpLines(exchange: AnswerRow, { width, style }: DetailOptions): string[] {
  const sentences = TCP.flatMap(([column, one, many]) => {
    const count = numberOf(exchange, column) ?? 0;
    return count > 0 ? [counted(count, one, many)] : [];
  });
  if (sentences.length === 0) return [];
  return [style.bold('TCP'), ...wrap(sentences.join(', '), width - 2).map((line) => `  ${line}`)];
}

function anomalyLines(exchange: AnswerObject, { width, style }: DetailOptions): string[] {
  const codes = parsedList(textOf(exchange, 'anomalies')).filter((code) => typeof code === 'string');
  if (codes.length === 0) return [];
  const meaning = (code: string): string =>
    Object.hasOwn(ANOMALIES, code) ? `: ${ANOMALIES[code as keyof typeof ANOMALIES]}` : '';
  return [
    style.bold('Anomalies'),
    ...codes.flatMap((code) =>
      wrap(sanitise(code) + meaning(code), width - 2).map((line, index) =>
        index === 0 ? `  ${style.yellow(line)}` : `    ${line}`,
      ),
    ),
  ];
}
