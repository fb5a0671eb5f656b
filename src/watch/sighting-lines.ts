import type { Exchange, ExchangeSighting } from '../model/exchange.ts';
import type { CaptureFacts } from '../model/packet.ts';
import type { Style } from '../report/style.ts';
import { pad, sanitise, shorten, wrap } from '../report/terminal-text.ts';
import { formatDuration } from '../report/units.ts';

const NAME_CELLS = 12;

/**
 * Where the exchange was seen when that was at several places: interface, addresses there, and how much later its
 * first bytes passed than at the first place that saw them.
 */
export function sightingLines(
  { sightings }: Exchange,
  captures: readonly CaptureFacts[],
  { width, style }: { width: number; style: Style },
): string[] {
  if (sightings.length === 0) return [];
  const request = earliest(sightings.map(({ requestNs }) => requestNs));
  const response = earliest(sightings.map(({ responseNs }) => responseNs));
  const lines = sightings.flatMap((one) => {
    const { client, server, vlans, tunnels } = one.at;
    const inside = [
      ...vlans.map((id) => `VLAN ${id}`),
      ...tunnels.map(({ kind, id }) => (id === null ? kind : `${kind} ${id}`)),
    ];
    const text = [
      `${client.text} to ${server.text}`,
      ...inside,
      `request ${later(one.requestNs, request)}`,
      `answer ${later(one.responseNs, response)}`,
    ].join(', ');
    const name = shorten(interfaceName(one, captures), NAME_CELLS - 1, 'middle');
    return wrap(sanitise(text), width - NAME_CELLS - 2).map(
      (line, index) => `  ${style.dim(pad(index === 0 ? name : '', NAME_CELLS))}${line}`,
    );
  });
  return [style.bold('Seen at'), ...lines];
}

function earliest(times: readonly (number | null)[]): number | null {
  return times.reduce((first, time) => (time === null ? first : Math.min(first ?? time, time)), null);
}

function later(time: number | null, first: number | null): string {
  if (time === null || first === null) return 'not seen';
  return time === first ? 'first' : `+${formatDuration(time - first)}`;
}

function interfaceName({ at }: ExchangeSighting, captures: readonly CaptureFacts[]): string {
  const found = captures[at.capture]?.interfaces.find(({ number }) => number === at.interfaceNumber);
  if (found !== undefined && found.name !== null) return sanitise(found.name);
  return at.interfaceIndex === null ? `interface ${at.interfaceNumber}` : `index ${at.interfaceIndex}`;
}
