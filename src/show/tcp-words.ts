import type { Connection, DirectionTotals, Exchange } from '../model/exchange.ts';
import { counted, formatBytes, formatDuration } from '../report/units.ts';

/** What TCP did during the exchange, in sentences without a full stop. */
export function exchangeTcp({ tcp }: Exchange): string[] {
  const lines: string[] = [];
  const add = (count: number, one: string, many: string): void => {
    if (count > 0) lines.push(count === 1 ? `1 ${one}` : `${counted(count, many, many)}`);
  };
  add(
    tcp.requestRetransmissions,
    "of the client's segments was sent again",
    "of the client's segments were sent again",
  );
  add(
    tcp.responseRetransmissions,
    "of the server's segments was sent again",
    "of the server's segments were sent again",
  );
  add(
    tcp.requestOutOfOrder,
    "of the client's segments came out of order",
    "of the client's segments came out of order",
  );
  add(
    tcp.responseOutOfOrder,
    "of the server's segments came out of order",
    "of the server's segments came out of order",
  );
  add(
    tcp.clientZeroWindows,
    'time the client said that it can take no more (closed window)',
    'times the client said that it can take no more (closed window)',
  );
  add(
    tcp.serverZeroWindows,
    'time the server said that it can take no more (closed window)',
    'times the server said that it can take no more (closed window)',
  );
  if (lines.length === 0) lines.push('nothing sent again, out of order or held up by a closed window');
  return lines;
}

const ENDS = {
  open: 'still open when the capture ended',
  'closed-by-client': 'closed by the client',
  'closed-by-server': 'closed by the server',
  'reset-by-client': 'reset by the client',
  'reset-by-server': 'reset by the server',
  evicted: 'given up because of too many connections',
} as const;

const OPENINGS = {
  seen: 'its handshake is in the capture',
  partial: 'its handshake is in the capture only in part',
  missed: 'it was open when the capture began',
} as const;

/** What is known of the connection: opening, end, how much each side sent. */
export function connectionTcp(connection: Connection): string[] {
  const { synNs, synAckNs, ackNs } = connection;
  const lines = [`the connection: ${OPENINGS[connection.opening]}, ${ENDS[connection.end]}`];
  if (synNs !== null && synAckNs !== null) {
    const back = ackNs === null ? '' : `, the client's ACK ${formatDuration(ackNs - synAckNs)} later`;
    lines.push(`SYN/ACK ${formatDuration(synAckNs - synNs)} after the SYN${back}`);
  }
  if (connection.synRetransmissions > 0)
    lines.push(`${counted(connection.synRetransmissions, 'SYN')} sent again`);
  lines.push(
    `from the client ${totals(connection.fromClient)}; from the server ${totals(connection.fromServer)}`,
  );
  return lines;
}

function totals(sent: DirectionTotals): string {
  const parts = [`${counted(sent.packets, 'packet')} with ${formatBytes(sent.payloadBytes)}`];
  if (sent.retransmissions > 0) parts.push(`${sent.retransmissions} sent again`);
  if (sent.outOfOrder > 0) parts.push(`${sent.outOfOrder} out of order`);
  if (sent.gapBytes > 0) parts.push(`${formatBytes(sent.gapBytes)} missing in ${counted(sent.gaps, 'gap')}`);
  return parts.join(', ');
}
