import type { Exchange, ExchangeSighting, Sighting } from '../model/exchange.ts';
import { interfaceName } from '../model/interface-name.ts';
import type { CaptureFacts } from '../model/packet.ts';
import { startNs } from '../model/phases.ts';
import type { Style } from '../report/style.ts';
import { displayWidth, pad, sanitise, shorten, wrap } from '../report/terminal-text.ts';
import { counted, formatDuration } from '../report/units.ts';

/** A name is not shortened below this for the sake of the addresses. */
const LEAST_NAME_CELLS = 8;
const GAP = '  ';

interface Row {
  readonly name: string;
  readonly ends: string;
  readonly request: string;
  readonly response: string;
}

const HEADINGS: Row = { name: 'where', ends: 'from -> to', request: 'request', response: 'response' };

/**
 * The places at which an exchange was seen, in the order in which its request passed them, one line each: what the
 * addresses are there, when the request's first byte passed, and when the response's did. Empty: there is one place.
 */
export function sightingLines(
  exchange: Exchange,
  { width, style, captures }: { width: number; style: Style; captures: readonly CaptureFacts[] },
): string[] {
  const { sightings, connection } = exchange;
  if (sightings.length === 0) return [];
  const onTheWay = [...sightings].sort((a, b) => wayNs(a) - wayNs(b));
  const began = startNs(exchange);
  const turned = exchange.client !== connection.client && exchange.client.text !== connection.client.text;
  const rows = onTheWay.map(({ at, requestNs, responseNs }, index): Row => {
    const [from, to] = turned ? [at.server, at.client] : [at.client, at.server];
    const before = onTheWay[index - 1];
    return {
      name: placeName(at, captures),
      ends: `${from.text} -> ${to.text}`,
      request: timeText(requestNs, began, before?.requestNs ?? null),
      // The response comes the other way: its hop is from the place below.
      response: timeText(responseNs, began, onTheWay[index + 1]?.responseNs ?? null),
    };
  });
  const lines = [style.bold('Seen at'), ...table([HEADINGS, ...rows], width, style)];
  const note = 'times since the exchange began; in brackets: since the place before, on the way that it took';
  for (const line of wrap(note, width - 2)) lines.push(`  ${style.dim(line)}`);
  const { packetsElsewhere } = connection;
  if (packetsElsewhere > 0) {
    lines.push(
      `  ${style.dim(`${counted(packetsElsewhere, 'packet')} of the connection at further places`)}`,
    );
  }
  return lines;
}

/** Places at which only the response was seen come last. */
function wayNs({ requestNs, responseNs }: ExchangeSighting): number {
  return requestNs ?? (responseNs === null ? Number.POSITIVE_INFINITY : Number.MAX_VALUE);
}

/** Interface by name, else by the kernel's index, else by number; and what is around the packets there. */
export function placeName(at: Sighting, captures: readonly CaptureFacts[]): string {
  const name = interfaceName(captures, at.interfaceNumber);
  const parts = [
    at.interfaceIndex !== null && (name === null || name === 'any')
      ? `interface index ${at.interfaceIndex}`
      : name === null
        ? `interface ${at.interfaceNumber}`
        : sanitise(name),
    ...at.vlans.map((id) => `VLAN ${id}`),
    ...at.tunnels.map(({ kind, id }) => (id === null ? kind : `${kind} ${id}`)),
  ];
  return parts.join(', ');
}

function timeText(ns: number | null, began: number, beforeNs: number | null): string {
  if (ns === null) return '–';
  const hop = beforeNs === null ? '' : ` (${signed(ns - beforeNs)})`;
  return signed(ns - began) + hop;
}

function signed(ns: number): string {
  return ns < 0 ? `-${formatDuration(-ns)}` : `+${formatDuration(ns)}`;
}

/** One place where the width is too small for columns. */
function below({ name, ends, request, response }: Row, width: number, style: Style): string[] {
  return [
    `  ${shorten(name, width - 2)}`,
    `    ${style.dim(shorten(ends, width - 4, 'middle'))}`,
    ...[`request ${request}`, `response ${response}`].map((text) => `    ${shorten(text, width - 4)}`),
  ];
}

/** Columns side by side; where they do not fit, the addresses go below. */
function table(rows: readonly Row[], width: number, style: Style): string[] {
  const widest = (key: keyof Row): number => Math.max(...rows.map((row) => displayWidth(row[key])));
  const ends = widest('ends');
  const request = widest('request');
  const response = widest('response');
  const times = request + response + 2 * GAP.length;
  if (2 + LEAST_NAME_CELLS + times > width) return rows.slice(1).flatMap((row) => below(row, width, style));
  const fits = 2 + LEAST_NAME_CELLS + GAP.length + ends + times <= width;
  const room = Math.max(LEAST_NAME_CELLS, width - 2 - times - (fits ? ends + GAP.length : 0));
  const name = Math.min(room, widest('name'));
  return rows.flatMap((row, index) => {
    const cells = [pad(shorten(row.name, name), name)];
    if (fits) cells.push(pad(row.ends, ends));
    cells.push(pad(row.request, request, 'right'), pad(row.response, response, 'right'));
    const line = `  ${cells.join(GAP)}`.trimEnd();
    const painted = index === 0 ? style.dim(line) : line;
    return fits || index === 0
      ? [painted]
      : [painted, `    ${style.dim(shorten(row.ends, width - 4, 'middle'))}`];
  });
}
